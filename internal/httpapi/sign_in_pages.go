package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/signin"
)

const (
	commandLinePath = "/command-line/"
	changePath      = "/login/change"
	maxForm         = 16 << 10
)

// mountSignIn registers the pages on which people sign in.
func (h *handlers) mountSignIn(mux *http.ServeMux) {
	mux.HandleFunc("GET /login", h.signInPage)
	mux.HandleFunc("POST /login", h.ours(h.signInByPassword))
	mux.HandleFunc("POST /login/out", h.ours(h.signOut))
	mux.HandleFunc("GET "+changePath, h.changePage)
	mux.HandleFunc("POST "+changePath, h.ours(h.changeByForm))
	mux.HandleFunc("POST /login/{provider}", h.ours(h.signInElsewhere))
	mux.HandleFunc("GET /login/{provider}/callback", h.signInCallback)
	mux.HandleFunc("GET "+commandLinePath+"{request}", h.commandLinePage)
	mux.HandleFunc("POST "+commandLinePath+"{request}", h.ours(h.letCommandLineIn))
}

// formOf is what a form holds.
func formOf(w http.ResponseWriter, r *http.Request) url.Values {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return url.Values{}
	}
	return r.PostForm
}

// signInView is the page with all ways to sign in. to is local.
func (h *handlers) signInView(to, username string) view {
	v := view{Title: "Sign in to Berth"}
	for _, way := range h.SignIn.Ways() {
		v.Forms = append(v.Forms, form{Action: "/login/" + way.ID, Fields: []field{hidden("to", to)}, Button: "Sign in with " + way.Name})
	}
	v.Forms = append(v.Forms, form{Action: "/login", Button: "Sign in by password", Fields: []field{
		{Label: "Username or e-mail", Name: "username", Value: username, Type: "text", Complete: "username", Focus: len(v.Forms) == 0},
		{Label: "Password", Name: "password", Type: "password", Complete: "current-password"}, hidden("to", to),
	}})
	if len(v.Forms) > 1 {
		v.Forms[len(v.Forms)-1].Class = "other"
	}
	if h.PasswordOwnersOnly {
		v.Note = "Only owners of the site sign in by password."
	}
	return v
}

func (h *handlers) signInPage(w http.ResponseWriter, r *http.Request) {
	to := localPath(r.URL.Query().Get("to"))
	if required, err := h.Accounts.SetupRequired(r.Context()); err == nil && required {
		showPage(w, http.StatusOK, view{Title: "This server has no user yet", Text: "The first one owns the site. Make it with the command line: berth login " + h.AccessURL})
		return
	}
	if u := h.visitor(r); u.ID != "" {
		showPage(w, http.StatusOK, view{Title: "You are " + u.Username, Text: "You are signed in to Berth in this browser.", Link: to, LinkFor: "Go on",
			Forms: []form{{Action: "/login/out", Class: "quiet", Button: "Sign in as somebody else", Fields: []field{hidden("to", to)}}}})
		return
	}
	showPage(w, http.StatusOK, h.signInView(to, ""))
}

func (h *handlers) signInByPassword(w http.ResponseWriter, r *http.Request) {
	f := formOf(w, r)
	to := localPath(f.Get("to"))
	requestOf(r.Context()).deed = &deed{class: berth.AuditSignIn, action: "login", kind: "user", target: f.Get("username")}
	text, token, user, err := h.Accounts.Login(r.Context(), f.Get("username"), f.Get("password"), requestOf(r.Context()).remote)
	if err != nil {
		showProblem(w, r, err, h.signInView(to, f.Get("username")))
		return
	}
	if user.MustChangePassword {
		to = changePath + "?" + url.Values{"to": {to}}.Encode()
	}
	h.signedIn(w, r, text, token.ExpiresAt, to)
}

// signedIn gives the browser its login, always a new one, and sends it on.
func (h *handlers) signedIn(w http.ResponseWriter, r *http.Request, text string, expires time.Time, to string) {
	http.SetCookie(w, h.cookie(text, expires))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// signOut ends the login of the browser, and shows the ways to sign in.
func (h *handlers) signOut(w http.ResponseWriter, r *http.Request) {
	to := localPath(formOf(w, r).Get("to"))
	if err := h.authenticate(r, person); err == nil {
		req := requestOf(r.Context())
		if err := h.Accounts.Logout(req.recorded(r.Context()), req.actor, req.token); err != nil {
			showProblem(w, r, err, view{Title: "You are still signed in"})
			return
		}
	}
	h.signedIn(w, r, "", time.Unix(0, 0), signInAt(to))
}

// signInElsewhere begins a sign-in at an identity provider, and sends the browser
// there. With a password in the form, the person who is signed in wants to sign
// in so from now on.
func (h *handlers) signInElsewhere(w http.ResponseWriter, r *http.Request) {
	f, ctx := formOf(w, r), r.Context()
	in := signin.Begin{Provider: r.PathValue("provider"), ReturnTo: localPath(f.Get("to")), Address: requestOf(ctx).remote}
	var begun signin.Begun
	var err error
	if f.Get("do") == "convert" {
		if err = h.authenticate(r, person); err == nil {
			requestOf(ctx).deed = &deed{class: berth.AuditWrite, action: "edit", kind: "user", target: actorOf(ctx).Username}
			begun, err = h.SignIn.Convert(requestOf(ctx).recorded(ctx), actorOf(ctx), f.Get("password"), in)
		}
	} else {
		begun, err = h.SignIn.Begin(ctx, in)
	}
	if err != nil {
		v := h.signInView(in.ReturnTo, "")
		if f.Get("do") == "convert" {
			v = view{Title: "Nothing was changed", Link: changePath, LinkFor: "Back"}
		}
		showProblem(w, r, err, v)
		return
	}
	http.SetCookie(w, h.attemptOf(begun.ID, begun.Nonce, begun.ExpiresAt))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, begun.URL, http.StatusSeeOther)
}

// attemptOf is the cookie of one attempt, so that two windows do not disturb each
// other.
func (h *handlers) attemptOf(id, value string, expires time.Time) *http.Cookie {
	return h.bakeCookie(attemptCookie+id[:16], value, "/login/", expires)
}

// signInCallback is where identity providers send browsers back to.
func (h *handlers) signInCallback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := signin.Return{Provider: r.PathValue("provider"), State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Visitor: h.visitor(r).ID}
	gone := h.attemptOf(signin.AttemptID(back.State), "", time.Unix(0, 0))
	if c, err := r.Cookie(gone.Name); err == nil {
		back.Nonce = c.Value
		http.SetCookie(w, gone)
	}
	came, err := h.SignIn.Returned(r.Context(), back)
	if err != nil {
		showProblem(w, r, err, view{Title: "You are not signed in", Link: signInAt(localPath(came.ReturnTo)), LinkFor: "Begin again"})
		return
	}
	h.signedIn(w, r, came.Text, came.Token.ExpiresAt, localPath(came.ReturnTo))
}

// commandLinePage asks whether to let a command line in. It says who asks, since
// anybody can send anybody this address.
func (h *handlers) commandLinePage(w http.ResponseWriter, r *http.Request) {
	u, token := h.visitorWith(r)
	switch {
	case u.ID == "":
		http.Redirect(w, r, signInAt(r.URL.Path), http.StatusSeeOther)
		return
	case slices.Contains(authz.ScopesOf(token, u), authz.ScopePassword):
		http.Redirect(w, r, changePath+"?"+url.Values{"to": {r.URL.Path}}.Encode(), http.StatusSeeOther)
		return
	}
	asked, err := h.SignIn.Asking(r.Context(), r.PathValue("request"))
	if err == nil && asked.Allowed {
		err = berth.Errorf(berth.Conflict, "this command line was let in already")
	}
	if err != nil {
		showProblem(w, r, err, view{Title: "Nothing waits here"})
		return
	}
	back := []field{hidden("to", r.URL.Path)}
	showPage(w, http.StatusOK, view{Title: "Let a command line sign in as " + u.Username + "?",
		Text:  "It will be able to do everything that you can do. Say yes only if it is you who ran berth login a moment ago.",
		Facts: []fact{{"Program", asked.Client}, {"From", asked.Address}, {"Asked", asked.ExpiresAt.Add(-signin.RequestTime).UTC().Format("15:04:05 MST")}},
		Forms: []form{
			{Action: r.URL.Path, Button: "Yes, it is me", Value: "allow"},
			{Action: r.URL.Path, Class: "other", Button: "No", Value: "deny"},
			{Action: "/login/out", Class: "quiet", Button: "I am not " + u.Username, Fields: back},
		}})
}

func (h *handlers) letCommandLineIn(w http.ResponseWriter, r *http.Request) {
	deny := formOf(w, r).Get("do") != "allow"
	err := h.authenticate(r, person)
	req := requestOf(r.Context())
	ctx := req.recorded(r.Context())
	var code string
	switch {
	case err != nil:
	case deny:
		err = h.SignIn.Deny(ctx, req.actor, r.PathValue("request"))
	default:
		code, err = h.SignIn.Allow(ctx, req.actor, req.token, r.PathValue("request"))
	}
	switch {
	case err != nil:
		showProblem(w, r, err, view{Title: "The command line was not let in"})
	case deny:
		showPage(w, http.StatusOK, view{Title: "Nobody was let in", Text: "You may close this page."})
	default:
		showPage(w, http.StatusOK, view{Title: "One more step", Code: code})
	}
}

// visitorWith is who is signed in to Berth in the browser, and with what.
func (h *handlers) visitorWith(r *http.Request) (berth.User, berth.Token) {
	login := h.cookieOf(r, loginCookie)
	if login == "" {
		return berth.User{}, berth.Token{}
	}
	_, u, t, err := h.Accounts.Authenticate(r.Context(), login)
	if err != nil {
		return berth.User{}, berth.Token{}
	}
	return u, t
}
