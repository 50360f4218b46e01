package apps

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// echo answers with everything that it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Set-Cookie", "mine=1; Path=/; Domain=apps.example.com")
	w.Header().Add("Set-Cookie", "berth_login=evil; Path=/")
	w.Header().Add("Set-Cookie", "__Host-berth_app_x=evil; Path=/; Secure")
	w.Header().Add("Set-Cookie", " BERTH_nonce = evil")
	w.Header().Set("Clear-Site-Data", `"cookies"`)
	w.Header().Set("Service-Worker-Allowed", "/")
	fmt.Fprintf(w, "%s %s host=%s\n", r.Method, r.RequestURI, r.Host)
	r.Header.Write(w)
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOpeningAnApp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	for _, address := range []string{"http://" + onHost + "/a%2fb?q=1&r=%20", "http://apps.example.org" + onPath + "a%2fb?q=1&r=%20"} {
		b := h.browser().signIn(address)
		res := b.get(address, "Cookie", "theirs=2; berth_login=secret; BERTH_x=1; __Host-berth_y=1", "Authorization", "Bearer berth_secret",
			"Coder-Session-Token", "berth_secret", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Host", "evil", "Connection", "X-Forwarded-For")
		body := text(t, res)
		if res.StatusCode != 200 || !strings.HasPrefix(body, "GET /a%2fb?q=1&r=%20 host=") {
			t.Fatalf("%s answered %d:\n%s", address, res.StatusCode, body)
		}
		if strings.Contains(strings.ToLower(body), "berth") || strings.Contains(body, "secret") || !strings.Contains(body, "theirs=2") {
			t.Errorf("the app sees:\n%s", body)
		}
		if strings.Contains(body, "X-Forwarded-Host: evil") || !strings.Contains(body, "X-Forwarded-Proto: http") {
			t.Errorf("forwarded headers:\n%s", body)
		}
		if got := res.Header["Set-Cookie"]; len(got) != 1 || got[0] != "mine=1; Path=/" {
			t.Errorf("the app set %q", got)
		}
		if res.Header.Get("Clear-Site-Data") != "" {
			t.Error("the app may clear the site's data")
		}
		if worker := res.Header.Get("Service-Worker-Allowed"); strings.Contains(address, onPath) == (worker != "") {
			t.Errorf("%s: Service-Worker-Allowed: %q", address, worker)
		}
		// An API token that is the app's own passes.
		if body := text(t, b.get(address, "Authorization", "Bearer of-the-app")); !strings.Contains(body, "Bearer of-the-app") {
			t.Errorf("the app's own token was taken away:\n%s", body)
		}
	}
	if h.dials[0] != "a1 tcp:localhost:13337" || h.notes == 0 {
		t.Errorf("dialed %q, noted %d", h.dials, h.notes)
	}
}

func TestTheAppsOwnBeginning(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	h.door.Upstream.Path, h.door.Upstream.RawQuery = "/ide", "folder=/home"
	b := h.browser().signIn("http://apps.example.org" + onPath)
	if to := b.get("http://apps.example.org" + onPath).Header.Get("Location"); to != onPath+"ide?folder=/home" {
		t.Errorf("it begins at %q", to)
	}
	if to := b.get("http://apps.example.org" + strings.TrimSuffix(onPath, "/") + "?x").Header.Get("Location"); to != onPath+"?x" {
		t.Errorf("without its slash it leads to %q", to)
	}
	if res := b.get("http://apps.example.org" + onPath + "ide"); res.StatusCode != 200 {
		t.Errorf("its own page answers %d", res.StatusCode)
	}
}

func TestTicketsOpenOnceAndForOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	const address = "http://" + onHost + "/"
	victim := h.browser()
	ticket := victim.ticket(address)

	thief := h.browser()
	if res := thief.get(ticket); res.StatusCode != http.StatusForbidden || !strings.Contains(text(t, res), "cookie") {
		t.Errorf("another browser's ticket: %d", res.StatusCode)
	}
	thief.ticket(address) // has a nonce of its own now
	if res := thief.get(ticket); res.StatusCode != http.StatusForbidden || len(thief.jar[onHost]) != 1 {
		t.Errorf("another browser's ticket: %d, %v", res.StatusCode, thief.jar)
	}
	elsewhere := strings.Replace(ticket, onHost, "code--web--eve.apps.example.com", 1)
	if res := victim.get(elsewhere); res.StatusCode != http.StatusForbidden {
		t.Errorf("a ticket at another host: %d", res.StatusCode)
	}
	if res := victim.get(ticket); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" {
		t.Fatalf("the ticket: %d, %s", res.StatusCode, res.Header.Get("Location"))
	}
	if res := victim.get(ticket); res.StatusCode != http.StatusForbidden || !strings.Contains(text(t, res), "used already") {
		t.Errorf("the ticket again: %d", res.StatusCode)
	}
	late := h.browser()
	ticket = late.ticket(address)
	h.change(func() { h.clock = h.clock.Add(ticketLife + time.Second) })
	if res := late.get(ticket); res.StatusCode != http.StatusForbidden {
		t.Errorf("a ticket too late: %d", res.StatusCode)
	}
	// A session is one host's: taken elsewhere it is worth nothing.
	other := h.browser()
	other.jar["9000--web--ana.apps.example.com"] = victim.jar[onHost]
	if res := other.get("http://9000--web--ana.apps.example.com/"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a session at another host: %d", res.StatusCode)
	}
	if res := victim.get(address); res.StatusCode != 200 {
		t.Errorf("the session: %d", res.StatusCode)
	}
	h.change(func() { h.clock = h.clock.Add(sessionLife) })
	if res := victim.get(address); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a session of yesterday: %d", res.StatusCode)
	}
}

// Nobody is sent anywhere but to an app.
func TestTicketsLeadToAppsOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	for _, to := range []string{
		"", "/", "https://evil.example/", "http://berth.example.net/", "javascript:alert(1)", "//" + onHost + "/", "https://" + onHost + "/", // http here
		"http://" + onHost + "@evil.example/", "http://user@" + onHost + "/", "http://" + onHost + ".evil.example/", "http://" + onHost + "\\@evil.example/",
		"http://apps.example.org/", "http://apps.example.org/@ana/web/", "http://" + onHost + ":8080/", "http:" + onHost, "http://evil.example/?http://" + onHost,
		"http://" + onHost + "\r\nX: y", "ftp://" + onHost + "/", "http://apps.example.com/",
	} {
		if got, err := h.Ticket(t.Context(), ana, to, ""); berth.ErrorCode(err) != berth.Invalid {
			t.Errorf("%q leads to %q, %v", to, got.URL, err)
		}
	}
	got, err := h.Ticket(t.Context(), ana, "http://"+onHost+"/x?a=1&berth_ticket=old#f", hashText("n"))
	if u, _ := url.Parse(got.URL); err != nil || u.Host != onHost || u.Fragment != "" || len(u.Query()[ticketParameter]) != 1 || strings.Contains(got.URL, "old") {
		t.Errorf("%q, %v", got.URL, err)
	}
	if _, err := h.Ticket(t.Context(), ana, "http://"+onHost+"/", "short"); berth.ErrorCode(err) != berth.Invalid {
		t.Errorf("a nonce that is none: %v", err)
	}
	// A path with two slashes must not become a host on the way back.
	b := h.browser().signIn("http://" + onHost + "/")
	h.change(func() { h.clock = h.clock.Add(sessionLife) })
	res := b.get("http://" + onHost + "//evil.example/")
	if to, _ := res.Location(); to == nil || to.Query().Get("to") != "http://"+onHost+"/evil.example/" {
		t.Errorf("sent to %v", to)
	}
}

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	b := h.browser()
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"a page":             {nil, http.StatusSeeOther},
		"a frame":            {[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, http.StatusSeeOther},
		"a script's request": {[]string{"Sec-Fetch-Mode", "cors"}, http.StatusUnauthorized},
		"a websocket":        {[]string{"Upgrade", "websocket", "Connection", "Upgrade"}, http.StatusUnauthorized},
	} {
		if res := b.get("http://"+onHost+"/", c.header...); res.StatusCode != c.status {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	if res := b.do(http.MethodPost, "http://"+onHost+"/"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a post: %d", res.StatusCode)
	}
	for _, address := range []string{"http://nonsense.apps.example.com/", "http://apps.example.org/", "http://apps.example.org/@ana/web/apps/%2e%2e/x", "http://evil.example/", "http://berth.example.net/api/v1/users/me"} {
		if res := b.get(address); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", address, res.StatusCode)
		}
	}
	for err, status := range map[error]int{
		berth.Errorf(berth.Forbidden, "the owner is suspended"): 403, berth.Errorf(berth.NotFound, "no app"): 404,
		berth.Errorf(berth.Unavailable, "away"): 503, fmt.Errorf("secret of the database"): 500,
	} {
		h.change(func() { h.fail = err })
		res := b.get("http://" + onHost + "/")
		if body := text(t, res); res.StatusCode != status || strings.Contains(body, "secret") {
			t.Errorf("%v: %d\n%s", err, res.StatusCode, body)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("policy of our own page: %q", csp)
		}
	}
}

func TestPublicApps(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	h.door.Level = berth.SharePublic
	if res := h.browser().get("http://" + onHost + "/"); res.StatusCode != 200 {
		t.Errorf("a public app on its host: %d", res.StatusCode)
	}
	if res := h.browser().get("http://apps.example.org" + onPath); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a public app on the shared origin: %d", res.StatusCode)
	}
}

func TestPagesInsteadOfApps(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	const address = "http://" + onHost + "/x"
	b := h.browser().signIn(address)
	for name, c := range map[string]struct {
		change func(*Door)
		status int
		says   []string
	}{
		"stopped":             {func(d *Door) { d.Status = berth.StatusStopped }, 503, []string{"ana/web is stopped", "http://berth.example.net/apps/open?to=http%3A%2F%2F" + onHost + "%2Fx", "Start it"}},
		"stopped, of another": {func(d *Door) { d.Status, d.MayStart = berth.StatusStopped, false }, 503, []string{"ana/web is stopped"}},
		"starting":            {func(d *Door) { d.Status = berth.StatusStarting }, 503, []string{"refresh"}},
		"nothing listens":     {func(d *Door) { d.Upstream.Host = "localhost:1" }, 502, []string{"Nothing listens on port 1 in the workspace."}},
		"nothing listens yet": {func(d *Door) { d.Upstream.Host, d.Health = "localhost:1", berth.AppInitializing }, 503, []string{"Code is starting", "refresh"}},
		"another scheme":      {func(d *Door) { d.Upstream = &url.URL{Scheme: "unix", Path: "/x"} }, 502, []string{"not http or https"}},
		"not TLS":             {func(d *Door) { d.Upstream.Scheme = "https" }, 502, []string{"asked with TLS"}},
		"external":            {func(d *Door) { d.External = "vscode://x" }, 404, []string{"a program on your own computer"}},
		"command":             {func(d *Door) { d.Command = "top" }, 404, []string{"web terminal"}},
		"no agent":            {func(d *Door) { d.Agent = "" }, 503, []string{"agent is not there yet"}},
		"hostile sentence":    {func(d *Door) { d.Status, d.Reason = berth.StatusFailed, `<script>alert(1)</script>` }, 503, []string{"&lt;"}},
	} {
		door := h.door
		up := *door.Upstream
		door.Upstream = &up
		c.change(&door)
		before := h.door
		h.change(func() { h.door, h.clock = door, h.clock.Add(cacheFor) })
		res := b.get(address)
		body := text(t, res)
		if res.StatusCode != c.status {
			t.Errorf("%s: %d\n%s", name, res.StatusCode, body)
		}
		for _, want := range c.says {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, body)
			}
		}
		h.change(func() { h.door = before })
	}
}

// What is asked is remembered for a moment, and not longer.
func TestAccessEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	const address = "http://" + onHost + "/"
	b := h.browser().signIn(address)
	for range 2 { // the second answer is remembered
		if res := b.get(address); res.StatusCode != 200 {
			t.Fatal(res.StatusCode)
		}
	}
	h.change(func() { h.fail = berth.Errorf(berth.Unauthenticated, "the login has ended") })
	if res := b.get(address); res.StatusCode != 200 {
		t.Errorf("at once: %d", res.StatusCode)
	}
	h.change(func() { h.clock = h.clock.Add(cacheFor) })
	if res := b.get(address); res.StatusCode != http.StatusSeeOther {
		t.Errorf("later: %d", res.StatusCode)
	}
	// Another workspace got the name: the session was not made for it.
	h.change(func() { h.fail, h.door.Workspace = nil, "w2" })
	if res := b.get(address); res.StatusCode != http.StatusSeeOther {
		t.Errorf("another workspace of the name: %d", res.StatusCode)
	}
}

func TestStreamingAndUpgrades(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	h := newHouse(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, rw, _ := w.(http.Hijacker).Hijack()
			defer conn.Close()
			fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSet-Cookie: berth_login=evil\r\n\r\n")
			line, _ := rw.ReadString('\n')
			fmt.Fprint(conn, strings.ToUpper(line))
			io.Copy(io.Discard, rw)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
		}
	})
	h.door.Level = berth.SharePublic
	res := h.browser().get("http://" + onHost + "/events")
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	if line != "data: one\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	close(more)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", onHost)
	in := bufio.NewReader(conn)
	up, err := http.ReadResponse(in, nil)
	if err != nil || up.StatusCode != 101 || up.Header.Get("Set-Cookie") != "" {
		t.Fatalf("%+v, %v", up, err)
	}
	before := h.notes
	fmt.Fprint(conn, "hello\n")
	if line, err := in.ReadString('\n'); line != "HELLO\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	h.change(func() {
		if h.notes <= before {
			t.Error("bytes of a websocket were not noted")
		}
	})
	h.Close() // the server stops: what is open ends
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("a websocket when the server stops: %v", err)
	}
}

// What two servers could read differently is refused, or read as we read it.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	h := newHouse(t, echo)
	h.door.Level = berth.SharePublic
	for name, c := range map[string]struct{ request, answer string }{
		"two lengths":           {"POST / HTTP/1.1\r\nHost: " + onHost + "\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", "400"},
		"length and chunks":     {"POST / HTTP/1.1\r\nHost: " + onHost + "\r\nContent-Length: 3\r\nTransfer-Encoding: xchunked\r\n\r\nabc", "501"},
		"two hosts":             {"GET / HTTP/1.1\r\nHost: " + onHost + "\r\nHost: berth.example.net\r\n\r\n", "400"},
		"an absolute address":   {"GET http://" + onHost + "/ HTTP/1.1\r\nHost: berth.example.net\r\n\r\n", "404"},
		"a connect":             {"CONNECT " + onHost + ":80 HTTP/1.1\r\nHost: " + onHost + "\r\n\r\n", "404"},
		"a header on two lines": {"GET / HTTP/1.1\r\nHost: " + onHost + "\r\nX: a\r\n b\r\n\r\n", ""},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, c.request)
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		line, _ := bufio.NewReader(conn).ReadString('\n')
		conn.Close()
		if c.answer != "" && !strings.Contains(line, " "+c.answer) {
			t.Errorf("%s was answered %q", name, line)
		}
	}
}

func TestCookieHeaders(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a=1; b=2": "a=1; b=2", "berth_login=x": "", "a=1;berth_login=x;b=2": "a=1; b=2", `a="berth_login=x"; c=3`: `a="berth_login=x"; c=3`,
		" berth_x = y; z=1": "z=1", "__Host-BERTH_x=1; q=1": "q=1", "__Secure-berth_x=1": "", "xberth_=1": "xberth_=1", "; ;a=1;": "a=1", "berth_": "",
	} {
		if got := strings.Join(withoutOurs([]string{in}), "|"); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestPageOfTheAccessURL(t *testing.T) {
	t.Parallel()
	for path, kind := range map[string]string{"/apps/open": "text/html", "/apps/open.js": "text/javascript", "/apps/open.css": "text/css"} {
		req, _ := http.NewRequest(http.MethodGet, path, nil)
		w := &recorded{header: http.Header{}}
		Pages().ServeHTTP(w, req)
		csp := w.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(w.header.Get("Content-Type"), kind) || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || w.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, w.header)
		}
	}
}

type recorded struct{ header http.Header }

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorded) WriteHeader(int)             {}
