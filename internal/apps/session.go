package apps

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// ticketParameter carries a ticket to an app's origin.
const ticketParameter = "berth_ticket"

// openPath is the page on the access URL that gives out tickets.
const openPath = "/apps/open"

// asked is a request for an app.
type asked struct {
	place
	ref    berth.AppRef
	app    string // canonical: what sessions are bound to
	prefix string // in front of the app's own path; empty on a host of its own
	rest   string // the app's own path, escaped
}

// parse reads which app a request is for.
func (o Origins) parse(host, escapedPath string) (asked, bool) {
	p, ok := o.find(host)
	if !ok {
		return asked{}, false
	}
	a := asked{place: p}
	if p.kind == byHost {
		if a.ref, ok = ParseLabel(p.label); !ok {
			return a, false
		}
		a.app, a.rest = p.label, escapedPath
		return a, true
	}
	if a.ref, a.rest, ok = ParsePath(escapedPath); !ok {
		return a, false
	}
	a.app, a.prefix = FormatPath(a.ref), prefix(escapedPath, a.rest)
	return a, true
}

// visitor is who has a session for the app in this browser, and for which
// workspace it was made. To requests that somebody else's page makes there it
// is nobody.
func (p *Proxy) visitor(r *http.Request, a asked) (Visitor, berth.WorkspaceID) {
	if p.foreign(r, a) {
		return Visitor{}, ""
	}
	for _, text := range values(r, sessionName(a.place, a.app)) {
		c, err := open(r.Context(), p.o.Keys, forSession, text, p.now())
		if err == nil && c.Host == a.host && c.App == a.app && c.User != "" && c.Login != "" {
			return Visitor{c.User, c.Login}, c.Workspace
		}
	}
	return Visitor{}, ""
}

// signIn sends a browser to the access URL, for a ticket that is good in this
// browser alone.
func (p *Proxy) signIn(w http.ResponseWriter, r *http.Request, a asked) {
	nonce := ""
	for _, n := range values(r, nonceName(a.place)) {
		if len(n) == len(randomText()) {
			nonce = n // another tab waits for a ticket of its own
		}
	}
	if nonce == "" {
		nonce = randomText()
	}
	http.SetCookie(w, cookie(a.place, nonceName(a.place), nonce, 10*time.Minute))
	back := url.URL{Scheme: a.scheme, Host: r.Host}
	to := p.o.Origins.Access + openPath + "?" + url.Values{"to": {back.String() + cleanURI(r)}, "nonce": {hashText(nonce)}}.Encode()
	redirect(w, to)
}

// cleanURI is the path and query of a request without a ticket.
func cleanURI(r *http.Request) string {
	text := r.URL.EscapedPath()
	if !strings.HasPrefix(text, "/") {
		text = "/" + text
	}
	// A path that begins with two slashes would be read as a host.
	text = "/" + strings.TrimLeft(text, "/")
	if query := hideTicket(r.URL.RawQuery); query != "" {
		text += "?" + query
	}
	return text
}

func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// redeem makes a session of a ticket, and takes the ticket out of the address.
func (p *Proxy) redeem(w http.ResponseWriter, r *http.Request, a asked, text string) {
	c, err := open(r.Context(), p.o.Keys, forTicket, text, p.now())
	held := values(r, nonceName(a.place))
	switch {
	case err != nil && err != errSigned:
		p.fail(w, r, a, http.StatusInternalServerError, "The server could not check the ticket. Try again in a moment.")
		return
	case err != nil, c.Host != a.host, c.App != a.app:
		p.retry(w, r, a, "This way in has expired, or was made for another app.")
		return
	case len(held) == 0:
		p.retry(w, r, a, "This browser did not keep the cookie that opening an app needs. Allow cookies for "+r.Host+".")
		return
	}
	mine := false
	for _, nonce := range held {
		mine = mine || hashText(nonce) == c.Nonce
	}
	if !mine {
		p.retry(w, r, a, "This way in was made for another browser.")
		return
	}
	if !p.used.take(c, p.now()) {
		p.retry(w, r, a, "This way in was used already.")
		return
	}
	now := p.now()
	c.ID, c.Nonce, c.Agent, c.Issued, c.Expires = "", "", "", now.Unix(), now.Add(sessionLife).Unix()
	session, err := sign(r.Context(), p.o.Keys, forSession, c)
	if err != nil {
		p.o.Log.Error("signing an app session", "error", err)
		p.fail(w, r, a, http.StatusInternalServerError, "The server could not sign the session. Try again in a moment.")
		return
	}
	http.SetCookie(w, cookie(a.place, sessionName(a.place, a.app), session, sessionLife))
	redirect(w, cleanURI(r))
}

// Opened is what the access URL's page learns of an app.
type Opened struct {
	Door
	URL string // where to go; with a ticket, if one was asked for
}

// Ticket opens the app at a URL for a visitor. hash is that of the nonce that
// their browser holds for the app's host; without it there is no ticket. The
// URL must be one of an app: a browser is sent there.
func (p *Proxy) Ticket(ctx context.Context, v Visitor, to, hash string) (Opened, error) {
	u, err := url.Parse(to)
	if err != nil || u.User != nil || u.Opaque != "" || strings.ContainsAny(to, "\\\r\n\t") {
		return Opened{}, berth.InvalidField("to", "it is not the address of an app")
	}
	a, ok := p.o.Origins.parse(u.Host, u.EscapedPath())
	if !ok || u.Scheme != a.scheme {
		return Opened{}, berth.InvalidField("to", "it is not the address of an app of this server")
	}
	door, err := p.o.Open(ctx, v, a.ref, a.kind == byPath)
	if err != nil {
		return Opened{}, err
	}
	u.Fragment, u.RawQuery = "", hideTicket(u.RawQuery)
	if hash == "" || door.Status != berth.StatusRunning {
		return Opened{door, u.String()}, nil
	}
	if len(hash) != len(hashText("")) {
		return Opened{}, berth.InvalidField("nonce", "it is not what an app's page sent")
	}
	now := p.now()
	ticket, err := sign(ctx, p.o.Keys, forTicket, claims{
		ID: randomText(), User: v.User, Login: v.Login, Workspace: door.Workspace, Agent: door.Agent,
		App: a.app, Host: a.host, Nonce: hash, Issued: now.Unix(), Expires: now.Add(ticketLife).Unix(),
	})
	if err != nil {
		return Opened{}, err
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += ticketParameter + "=" + ticket
	return Opened{door, u.String()}, nil
}
