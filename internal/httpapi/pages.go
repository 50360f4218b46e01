package httpapi

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth"
)

// The pages that this server writes itself, beside the dashboard: those on which
// people sign in, here and elsewhere. They have no scripts.

var (
	//go:embed sign_in.html
	pageText string
	//go:embed sign_in.css
	pageStyle string

	pageTemplate = template.Must(template.New("page").Parse(pageText))
	pagePolicy   = "default-src 'none'; style-src 'sha256-" + styleHash() + "'; base-uri 'none'; frame-ancestors 'none'"
)

func styleHash() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// view is what a page says.
type view struct {
	Title, Text string
	Problem     string // what went wrong
	Code        string // to be typed
	Facts       []fact
	Forms       []form
	Note        string
	Link        string
	LinkFor     string

	Style template.CSS // set by showPage
}

type fact struct{ Name, Value string }

// form is a button, with what is to be filled in before.
type form struct {
	Action string
	Class  string // other: not the first choice; quiet: like a link
	Fields []field
	Button string
	Value  string // that the button says
}

type field struct {
	Label, Name, Value string
	Type               string // text, password or hidden
	Complete           string
	Focus              bool
}

// hidden carries a value from page to page.
func hidden(name, value string) field { return field{Name: name, Value: value, Type: "hidden"} }

func showPage(w http.ResponseWriter, status int, v view) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	// Nothing runs and nothing is loaded. Where forms lead is not bounded here:
	// the answer to one sends the browser on to a provider, and that somewhere
	// else, and browsers look at the whole way.
	header.Set("Content-Security-Policy", pagePolicy)
	w.WriteHeader(status)
	v.Style = template.CSS(pageStyle)
	_ = pageTemplate.Execute(w, v) // the browser may be gone
}

// showProblem is a page about what went wrong.
func showProblem(w http.ResponseWriter, r *http.Request, err error, v view) {
	p := problemOf(r.Context(), err)
	if v.Problem = sentence(p.Detail); v.Problem == "" {
		v.Problem = "Something went wrong here; the server's log has more, for request " + p.RequestID + "."
	}
	showPage(w, p.Status, v)
}

// sentence is a message that stands alone.
func sentence(s string) string {
	if s = upper(s); s != "" && !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// upper makes a message the begin of a sentence.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// maxReturn bounds the paths to which people go back.
const maxReturn = 2000

// localPath is where to go on to: a path of this server's pages, or / for
// anything else. Browsers take \ for / and leave out tabs and line ends, so what
// has them is nothing; and nobody is sent into the API, or in circles.
func localPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxReturn || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }) {
		return "/"
	}
	clean := u.EscapedPath()
	for _, seg := range strings.Split(u.Path, "/") {
		if seg == ".." || seg == "." {
			return "/"
		}
	}
	switch {
	case strings.HasPrefix(u.Path, "//"), strings.HasPrefix(u.Path, "/api/"), strings.ContainsAny(u.Path, "\\"), strings.HasSuffix(u.Path, "/callback"):
		return "/"
	case u.Path == "/login", strings.HasPrefix(u.Path, "/login/"):
		return "/"
	}
	if u.RawQuery != "" {
		clean += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		clean += "#" + u.EscapedFragment()
	}
	return clean
}

// signInAt is the sign-in page that comes back to a path.
func signInAt(path string) string {
	return "/login?" + url.Values{"to": {path}}.Encode()
}

// ours refuses forms of pages that are not this server's.
func (h *handlers) ours(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !h.ownPage(r) {
			showProblem(w, r, berth.Errorf(berth.Forbidden, "this came from a page of another site; open %s instead", h.AccessURL), view{Title: "Not here"})
			return
		}
		f(w, r)
	}
}
