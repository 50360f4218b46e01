package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/credentials"
)

// The pages of external sign-ins are beside the API: browsers open them, and
// providers send browsers back to them.

// mountExternal registers the pages.
func (h *handlers) mountExternal(mux *http.ServeMux) {
	mux.HandleFunc("GET /external-auth/{external}", h.externalStart)
	mux.HandleFunc("POST /external-auth/{external}", h.externalGo)
	mux.HandleFunc("GET /external-auth/{external}/callback", h.externalCallback)
}

// externalStart asks whether to go on: a link somewhere else must not begin a
// sign-in by itself.
func (h *handlers) externalStart(w http.ResponseWriter, r *http.Request) {
	if !h.Credentials.Offers(r.PathValue("external")) {
		showPage(w, http.StatusNotFound, view{Title: "There is no such sign-in", Text: "This server does not offer it. The command berth external-auth list shows what it offers."})
		return
	}
	name := h.Credentials.ProviderName(r.PathValue("external"))
	if visitor := h.visitor(r); visitor.ID != "" {
		showPage(w, http.StatusOK, view{Title: "Sign in to " + name, Forms: []form{{Action: r.URL.Path, Button: "Go on"}},
			Text: "You are " + visitor.Username + " in Berth. Your workspaces will be able to use your access to " + name + "."})
		return
	}
	showPage(w, http.StatusUnauthorized, view{Title: "Sign in to Berth first", Link: signInAt(r.URL.Path), LinkFor: "Sign in",
		Text: "You come back here then. Or run berth external-auth login " + r.PathValue("external") + " on your computer."})
}

// externalGo begins a sign-in in the browser of a person who is signed in, and
// sends it to the provider.
func (h *handlers) externalGo(w http.ResponseWriter, r *http.Request) {
	h.guarded(person, func(w http.ResponseWriter, r *http.Request) error {
		b, err := h.Credentials.Begin(r.Context(), actorOf(r.Context()), r.PathValue("external"), true)
		if err != nil {
			return err
		}
		http.SetCookie(w, h.nonce(r.PathValue("external"), b.Nonce, b.ExpiresAt))
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, b.URL, http.StatusSeeOther)
		return nil
	})(w, r)
}

// externalCallback is where providers send browsers back to. It never redirects.
func (h *handlers) externalCallback(w http.ResponseWriter, r *http.Request) {
	id, q := r.PathValue("external"), r.URL.Query()
	back := credentials.Return{Provider: id, State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Visitor: h.visitor(r).ID,
		Nonce: h.cookieOf(r, nonceCookie+strings.ToLower(id))}
	http.SetCookie(w, h.nonce(id, "", time.Unix(0, 0)))
	came, err := h.Credentials.Returned(r.Context(), back)
	if err != nil {
		showProblem(w, r, err, view{Title: "You are not signed in"})
		return
	}
	name := came.Provider.Name
	if came.Account != "" {
		name += " as " + came.Account
	}
	v := view{Title: "You are signed in to " + name, Text: "The workspaces of " + came.Username + " can use that now. You may close this page."}
	if came.Code != "" {
		v = view{Title: "One more step", Code: came.Code,
			Text: "This gives the workspaces of the Berth user " + came.Username + " your access to " + name + ". If you are not " + came.Username + ", close this page."}
	}
	showPage(w, http.StatusOK, v)
}

// visitor is who is signed in to Berth in the browser. It is only looked at:
// nothing is done in their name, so it does not matter whose page sent them.
func (h *handlers) visitor(r *http.Request) berth.User {
	u, _ := h.visitorWith(r)
	return u
}

// nonce is the cookie that binds a sign-in to a browser.
func (h *handlers) nonce(id, value string, expires time.Time) *http.Cookie {
	return h.bakeCookie(nonceCookie+strings.ToLower(id), value, "/external-auth/", expires)
}
