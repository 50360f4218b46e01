package apps

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// The page of the access URL that signs in and gives out tickets.
var (
	//go:embed open.html
	openHTML []byte
	//go:embed open.js
	openJS []byte
)

var page = template.Must(template.New("page").Parse(pageText))

// pagePolicy lets an app origin's own pages load nothing but their style.
var pagePolicy = "default-src 'none'; style-src 'sha256-" + styleHash() + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func styleHash() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}

type pageData struct {
	Style   template.CSS
	Title   string
	Text    string
	Again   int // seconds until the page looks again; 0: it does not
	Link    string
	LinkFor string
}

// fail answers with a page of one sentence.
func (p *Proxy) fail(w http.ResponseWriter, r *http.Request, _ asked, status int, text string) {
	p.answer(w, r, status, pageData{Title: http.StatusText(status), Text: text})
}

// wait answers with a page that looks again by itself.
func (p *Proxy) wait(w http.ResponseWriter, r *http.Request, _ asked, text string) {
	w.Header().Set("Retry-After", "3")
	p.answer(w, r, http.StatusServiceUnavailable, pageData{Title: "One moment", Text: text, Again: 3})
}

// retry answers that a ticket was not taken, and offers the way to another. It
// does not go there by itself: that could go on for ever.
func (p *Proxy) retry(w http.ResponseWriter, r *http.Request, _ asked, text string) {
	p.answer(w, r, http.StatusForbidden, pageData{Title: "Not opened", Text: text, Link: cleanURI(r), LinkFor: "Open the app again"})
}

// notRunning says that the workspace sleeps, and leads to the page that can
// start it.
func (p *Proxy) notRunning(w http.ResponseWriter, r *http.Request, a asked, door Door) {
	d := pageData{Title: "The workspace is " + string(door.Status), Text: "The workspace " + door.WorkspaceName + " is " + string(door.Status) + "."}
	if door.Reason != "" {
		d.Text += " " + strings.ToUpper(door.Reason[:1]) + door.Reason[1:] + "."
	}
	switch door.Status {
	case berth.StatusStarting, berth.StatusPending, berth.StatusStopping, berth.StatusCanceling:
		d.Again = 3
	}
	if door.MayStart {
		back := url.URL{Scheme: a.scheme, Host: r.Host}
		d.Link = p.o.Origins.Access + openPath + "?" + url.Values{"to": {back.String() + cleanURI(r)}}.Encode()
		d.LinkFor = "Start it"
	}
	p.answer(w, r, http.StatusServiceUnavailable, d)
}

func (p *Proxy) answer(w http.ResponseWriter, r *http.Request, status int, d pageData) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, d.Text, status)
		return
	}
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	d.Style = template.CSS(pageStyle)
	if r.Method != http.MethodHead {
		_ = page.Execute(w, d)
	}
}

// sentence is what an error of ours says, and nothing of what it wraps.
func sentence(err error) string {
	var e *berth.Error
	if !errors.As(err, &e) || e.Message == "" {
		return "Something went wrong. Try again in a moment."
	}
	text := strings.ToUpper(e.Message[:1]) + e.Message[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// openPolicy lets the page of the access URL load and call its own server only,
// and nobody frame it.
const openPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Pages serves /apps/open and what it loads, on the access URL. It holds no
// secret, and does nothing by itself: the API decides.
func Pages() http.Handler {
	serve := func(kind string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", kind+"; charset=utf-8")
			h.Set("Content-Security-Policy", openPolicy)
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Cache-Control", "no-cache")
			_, _ = w.Write(body)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+openPath, serve("text/html", openHTML))
	mux.HandleFunc("GET /apps/open.js", serve("text/javascript", openJS))
	mux.HandleFunc("GET /apps/open.css", serve("text/css", []byte(pageStyle)))
	return mux
}
