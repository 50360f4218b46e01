package apps

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// keys is one key in memory.
type keys struct {
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

func newKeys(t testing.TB) *keys {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &keys{public, private}
}

func (k *keys) Sign(_ context.Context, m []byte) (string, []byte, error) {
	return "k1", ed25519.Sign(k.private, m), nil
}

func (k *keys) Verify(_ context.Context, id string, m, s []byte) (bool, error) {
	return id == "k1" && ed25519.Verify(k.public, m, s), nil
}

// house is a proxy with one app behind it, whose owner is ana.
type house struct {
	*Proxy
	t   *testing.T
	url string // of the proxy's listener

	mu    sync.Mutex
	door  Door
	fail  error
	clock time.Time
	notes int
	dials []string
}

var ana = Visitor{User: "ana", Login: "login-1"}

const (
	onHost = "code--web--ana.apps.example.com"
	onPath = "/@ana/web/apps/code/"
)

func newHouse(t *testing.T, app http.HandlerFunc) *house {
	t.Helper()
	behind := httptest.NewServer(app)
	t.Cleanup(behind.Close)
	h := &house{t: t, clock: time.Now()}
	h.door = Door{Workspace: "w1", WorkspaceName: "ana/web", Status: berth.StatusRunning, MayStart: true, Agent: "a1", Connected: true,
		Title: "Code", Upstream: &url.URL{Scheme: "http", Host: "localhost:13337"}, Level: berth.ShareOwner}
	h.Proxy = New(Options{
		Origins: Origins{Access: "http://berth.example.net", Wildcard: "http://*.apps.example.com", Path: "http://apps.example.org"},
		Keys:    newKeys(t), Now: h.time, Notes: h,
		Open: func(_ context.Context, v Visitor, ref berth.AppRef, path bool) (Door, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			switch {
			case h.fail != nil:
				return Door{}, h.fail
			case h.door.Level == berth.SharePublic && !path:
			case v == Visitor{}:
				return Door{}, berth.Errorf(berth.Unauthenticated, "sign in")
			case v != ana:
				return Door{}, berth.Errorf(berth.NotFound, "the app of workspace ana/web was not found")
			}
			return h.door, nil
		},
		Dial: func(ctx context.Context, agent berth.AgentID, _, kind string) (net.Conn, error) {
			h.mu.Lock()
			h.dials = append(h.dials, string(agent)+" "+kind)
			h.mu.Unlock()
			if strings.HasSuffix(kind, ":1") { // as the agent does where nobody listens
				near, far := net.Pipe()
				s := tunnel.New(far)
				go func() { s.Reset(berth.ResetRefused); s.Close() }()
				return tunnel.New(near), nil
			}
			var d net.Dialer
			return d.DialContext(ctx, "tcp", behind.Listener.Addr().String())
		},
	})
	front := httptest.NewServer(h.Proxy)
	t.Cleanup(front.Close)
	t.Cleanup(h.Close)
	h.url = front.URL
	return h
}

func (h *house) time() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *house) Note(berth.WorkspaceID, berth.EvidenceKind, string) { h.change(func() { h.notes++ }) }

// browser keeps cookies by host, follows nothing and asks for pages.
type browser struct {
	h   *house
	jar map[string]map[string]string
}

func (h *house) browser() *browser { return &browser{h, map[string]map[string]string{}} }

// get asks for a page at an address, whose host is told and not looked up.
func (b *browser) get(address string, header ...string) *http.Response {
	b.h.t.Helper()
	return b.do(http.MethodGet, address, header...)
}

func (b *browser) do(method, address string, header ...string) *http.Response {
	b.h.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.h.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.h.t.Context(), method, b.h.url, nil)
	if err != nil {
		b.h.t.Fatal(err)
	}
	if req.URL.Path, req.URL.RawPath = u.Path, u.EscapedPath(); !strings.HasPrefix(u.Path, "//") {
		req.URL.Opaque = u.EscapedPath() // as it is, uncleaned
	}
	req.URL.RawQuery, req.Host = u.RawQuery, u.Host
	req.Header.Set("Accept", "text/html")
	for name, value := range b.jar[u.Host] {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	base, _ := url.Parse(b.h.url)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, base.Host)
	}, DisableKeepAlives: true}
	res, err := transport.RoundTrip(req)
	if err != nil {
		b.h.t.Fatal(err)
	}
	b.h.t.Cleanup(func() { res.Body.Close() })
	for _, c := range res.Cookies() {
		if b.jar[u.Host] == nil {
			b.jar[u.Host] = map[string]string{}
		}
		if b.jar[u.Host][c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.jar[u.Host], c.Name)
		}
	}
	return res
}

// ticket follows the way from a first visit to the ticket's address.
func (b *browser) ticket(address string) string {
	b.h.t.Helper()
	res := b.get(address)
	to, err := res.Location()
	if err != nil || res.StatusCode != http.StatusSeeOther || to.Host != "berth.example.net" || to.Path != openPath {
		b.h.t.Fatalf("%s answered %d, %v", address, res.StatusCode, to)
	}
	opened, err := b.h.Ticket(b.h.t.Context(), ana, to.Query().Get("to"), to.Query().Get("nonce"))
	if err != nil {
		b.h.t.Fatal(err)
	}
	return opened.URL
}

// signIn opens an app as ana.
func (b *browser) signIn(address string) *browser {
	b.h.t.Helper()
	res := b.get(b.ticket(address))
	if res.StatusCode != http.StatusSeeOther || strings.Contains(res.Header.Get("Location"), ticketParameter) {
		b.h.t.Fatalf("the ticket was answered %d, %s", res.StatusCode, res.Header.Get("Location"))
	}
	return b
}
