package apps

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// Noter is told that somebody uses an app.
type Noter interface {
	Note(workspace berth.WorkspaceID, kind berth.EvidenceKind, detail string)
}

// Options of a Proxy. All but Watch, Notes and Log are needed.
type Options struct {
	Origins Origins
	Open    Open
	Watch   Watch // nil: nothing is rung for, and access ends within half a minute
	Keys    Keys
	// Dial connects to something in a workspace, "tcp:HOST:PORT"; ctx bounds
	// the connecting alone.
	Dial  func(ctx context.Context, agent berth.AgentID, actor, kind string) (net.Conn, error)
	Notes Noter
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
}

// Proxy serves the origins of apps.
type Proxy struct {
	o     Options
	now   func() time.Time
	doors *doors
	used  used
	way   *http.Transport
	life  context.Context // ends with Close
	end   context.CancelFunc
}

// New makes a proxy.
func New(o Options) *Proxy {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notes == nil {
		o.Notes = nobody{}
	}
	if o.Watch == nil {
		o.Watch = func(Visitor, berth.WorkspaceID) (<-chan struct{}, func()) { return nil, func() {} }
	}
	o.Origins.Access = strings.TrimRight(o.Origins.Access, "/")
	p := &Proxy{o: o, now: o.Now, doors: &doors{open: o.Open, watch: o.Watch, now: o.Now, known: map[question]*answer{}}}
	p.life, p.end = context.WithCancel(context.Background())
	p.way = &http.Transport{
		DialContext:            p.dial,
		DialTLSContext:         p.dialTLS,
		MaxIdleConnsPerHost:    8,
		MaxConnsPerHost:        tunnel.MaxStreams / 2, // the other half is for people
		IdleConnTimeout:        30 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 256 << 10,
		ExpectContinueTimeout:  time.Second,
	}
	return p
}

type nobody struct{}

func (nobody) Note(berth.WorkspaceID, berth.EvidenceKind, string) {}

// Origins are where this proxy serves.
func (p *Proxy) Origins() Origins { return p.o.Origins }

// Close ends what is open, so that the server can stop. Browsers try again.
func (p *Proxy) Close() {
	p.end()
	p.way.CloseIdleConnections()
}

// ServeHTTP serves one request on an origin of apps.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := p.o.Origins.parse(r.Host, r.URL.EscapedPath())
	if !ok || r.Method == http.MethodConnect || !strings.HasPrefix(r.RequestURI, "/") {
		p.fail(w, r, a, http.StatusNotFound, "There is no app at this address. See berth apps WORKSPACE for the addresses of yours.")
		return
	}
	if a.kind == byPath && a.rest == "" { // relative links need the slash
		redirect(w, cleanPath(r))
		return
	}
	if ticket := r.URL.Query().Get(ticketParameter); ticket != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		p.redeem(w, r, a, ticket)
		return
	}
	visitor, workspace := p.visitor(r, a)
	q := question{visitor, a.ref, a.kind == byPath}
	door, err := p.doors.ask(r.Context(), q)
	if err == nil && workspace != "" && workspace != door.Workspace { // another one has the name now
		q.visitor = Visitor{}
		door, err = p.doors.ask(r.Context(), q)
	}
	switch code := berth.ErrorCode(err); {
	case err == nil:
		p.enter(w, r, a, q, door)
	case code == berth.Unauthenticated && navigates(r):
		p.signIn(w, r, a)
	case code == berth.Unauthenticated:
		p.fail(w, r, a, http.StatusUnauthorized, "Open this app in a browser's tab of its own to sign in.")
	case code == berth.Forbidden:
		p.fail(w, r, a, http.StatusForbidden, sentence(err))
	case code == berth.NotFound:
		p.fail(w, r, a, http.StatusNotFound, sentence(err))
	case code == berth.Internal:
		p.o.Log.Error("opening an app", "app", a.app, "error", err)
		p.fail(w, r, a, http.StatusInternalServerError, "The server could not look this app up. Try again in a moment.")
	default:
		p.fail(w, r, a, http.StatusServiceUnavailable, sentence(err))
	}
}

// cleanPath is the app's path with its slash.
func cleanPath(r *http.Request) string {
	path, query, found := strings.Cut(cleanURI(r), "?")
	if found {
		return path + "/?" + query
	}
	return path + "/"
}

// navigates tells whether a person's browser goes to a page.
func navigates(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Upgrade") != "" {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// enter leads a visitor who may come in.
func (p *Proxy) enter(w http.ResponseWriter, r *http.Request, a asked, q question, door Door) {
	switch {
	case door.Status != berth.StatusRunning:
		p.notRunning(w, r, a, door)
		return
	case door.External != "":
		p.fail(w, r, a, http.StatusNotFound, door.Title+" opens a program on your own computer: open it from the dashboard, or with berth apps open.")
		return
	case door.Command != "":
		p.fail(w, r, a, http.StatusNotFound, door.Title+" is a command of the workspace: open it in the web terminal.")
		return
	case door.Upstream == nil || door.Agent == "":
		p.fail(w, r, a, http.StatusServiceUnavailable, "The workspace's agent is not there yet. Try again in a moment.")
		return
	}
	if up := door.Upstream; up.Scheme != "http" && up.Scheme != "https" || up.Host == "" {
		p.fail(w, r, a, http.StatusBadGateway, "The template gives this app an address that is not http or https, so it cannot be opened here.")
		return
	}
	if to, ok := begin(a, r, door.Upstream); ok {
		redirect(w, to)
		return
	}
	p.o.Notes.Note(door.Workspace, berth.EvidenceApp, detail(a.ref))
	ctx, done := p.watch(r.Context(), q, door)
	defer done()
	p.forward(w, r.WithContext(ctx), a, door)
}

// begin is where an app begins, if its template names a path or query and the
// request names none.
func begin(a asked, r *http.Request, up *url.URL) (to string, ok bool) {
	if a.rest != "/" || r.URL.RawQuery != "" || r.Method != http.MethodGet || r.Header.Get("Upgrade") != "" {
		return "", false
	}
	path := up.EscapedPath()
	if path == "" {
		path = "/"
	}
	if path == "/" && up.RawQuery == "" {
		return "", false
	}
	to = a.prefix + "/" + strings.TrimLeft(path, "/")
	if up.RawQuery != "" {
		to += "?" + up.RawQuery
	}
	return to, true
}

// detail names an app in evidence.
func detail(ref berth.AppRef) string {
	text, err := formatApp(ref)
	if err != nil {
		return ref.App
	}
	return text
}

// forward hands the request to the app.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, a asked, door Door) {
	proxy := httputil.ReverseProxy{
		Transport:     p.way,
		FlushInterval: -1, // what an app writes is on its way at once
		ErrorLog:      slog.NewLogLogger(p.o.Log.Handler(), slog.LevelDebug),
		Rewrite: func(pr *httputil.ProxyRequest) {
			out := pr.Out
			out.URL.Scheme, out.URL.Host = door.Upstream.Scheme, address(door)
			out.URL.RawQuery = hideTicket(pr.In.URL.RawQuery)
			setPath(out.URL, a.rest)
			out.Host = pr.In.Host
			hideLogin(out.Header)
			forwarded(out, pr.In, a.place, a.prefix)
			if _, ok := pr.In.Header["User-Agent"]; !ok {
				out.Header.Set("User-Agent", "") // not Go's
			}
		},
		ModifyResponse: func(res *http.Response) error {
			bound(res.Header, a.kind)
			if res.StatusCode == http.StatusSwitchingProtocols {
				res.Body = p.noting(res.Body, door, a.ref)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { p.broken(w, r, a, door, err) },
	}
	proxy.ServeHTTP(w, r)
}

// setPath gives u the escaped path, as it came.
func setPath(u *url.URL, escaped string) {
	path, err := url.PathUnescape(escaped)
	if err != nil { // a request's path was read before
		path = escaped
	}
	u.Path, u.RawPath = path, escaped
}

// The transport keeps connections by host: theirs is AGENT.HOST-IN-HEX, so that
// none is ever used for another workspace.
func address(door Door) string {
	port := door.Upstream.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[door.Upstream.Scheme]
	}
	return string(door.Agent) + "." + hex.EncodeToString([]byte(strings.ToLower(door.Upstream.Hostname()))) + ":" + port
}

func (p *Proxy) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	conn, _, err := p.connect(ctx, addr)
	return conn, err
}

func (p *Proxy) connect(ctx context.Context, addr string) (net.Conn, string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", err
	}
	agent, coded, _ := strings.Cut(host, ".")
	name, err := hex.DecodeString(coded)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	conn, err := p.o.Dial(ctx, berth.AgentID(agent), "app", "tcp:"+net.JoinHostPort(string(name), port))
	return conn, string(name), err
}

// dialTLS speaks TLS with an app. Its certificate is nearly always its own, and
// proves nothing that the agent's link has not proved.
func (p *Proxy) dialTLS(ctx context.Context, _, addr string) (net.Conn, error) {
	conn, name, err := p.connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// broken answers when the app did not.
func (p *Proxy) broken(w http.ResponseWriter, r *http.Request, a asked, door Door, err error) {
	if r.Context().Err() != nil && !errors.Is(context.Cause(r.Context()), errCut) {
		return // the browser left
	}
	p.o.Log.Debug("an app did not answer", "workspace", door.Workspace, "app", a.app, "error", err)
	where := "port " + door.Upstream.Port()
	if host := door.Upstream.Hostname(); host != "localhost" && host != "127.0.0.1" {
		where = door.Upstream.Host
	} else if door.Upstream.Port() == "" {
		where = door.Upstream.Host
	}
	var reset *tunnel.ResetError
	var known *berth.Error
	switch {
	case errors.As(err, &reset) && strings.Contains(reset.Reason, berth.ResetRefused) && door.Health == berth.AppInitializing:
		p.wait(w, r, a, door.Title+" is starting: nothing listens on "+where+" in the workspace yet.")
	case errors.As(err, &reset) && strings.Contains(reset.Reason, berth.ResetRefused):
		p.fail(w, r, a, http.StatusBadGateway, "Nothing listens on "+where+" in the workspace. Start the program, or look at the workspace's log to see why it ended.")
	case errors.As(err, &reset) && strings.Contains(reset.Reason, berth.ResetUnreachable):
		p.fail(w, r, a, http.StatusBadGateway, door.Upstream.Host+" cannot be reached from the workspace.")
	case errors.As(err, &known) && known.Code == berth.Unavailable:
		p.wait(w, r, a, sentence(known))
	case errors.As(err, &known):
		p.fail(w, r, a, http.StatusBadGateway, sentence(known))
	default:
		text := "What listens on " + where + " in the workspace did not answer as a web server does."
		if door.Upstream.Scheme == "https" {
			text += " It is asked with TLS: does it speak that?"
		}
		p.fail(w, r, a, http.StatusBadGateway, text)
	}
}
