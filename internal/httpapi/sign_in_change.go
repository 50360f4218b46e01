package httpapi

import (
	"errors"
	"net/http"

	"github.com/berthdev/berth"
)

// changePage is for who must change their password before anything else, and
// for who wants to change how they sign in.
func (h *handlers) changePage(w http.ResponseWriter, r *http.Request) {
	to := localPath(r.URL.Query().Get("to"))
	u := h.visitor(r)
	if u.ID == "" {
		http.Redirect(w, r, signInAt("/"), http.StatusSeeOther)
		return
	}
	showPage(w, http.StatusOK, h.changeView(u, to))
}

func (h *handlers) changeView(u berth.User, to string) view {
	v := view{Title: "How you sign in"}
	if u.SignIn != berth.SignInPassword {
		v.Text = "You sign in by " + string(u.SignIn) + ". Your password, if it has one, is changed there."
		return v
	}
	v.Forms = []form{{Action: changePath, Button: "Change the password", Fields: []field{
		hidden("username", u.Username),
		{Label: "Password that you have", Name: "current", Type: "password", Complete: "current-password", Focus: true},
		{Label: "New password", Name: "password", Type: "password", Complete: "new-password"},
		{Label: "New password again", Name: "again", Type: "password", Complete: "new-password"},
		hidden("to", to),
	}}}
	if u.MustChangePassword {
		v.Title, v.Text = "Choose a new password", "The one that you have was made by somebody else, so you can do nothing with it but change it."
		return v
	}
	v.Text = "Changing the password ends all your other logins."
	for _, way := range h.SignIn.Ways() {
		v.Forms = append(v.Forms, form{Action: "/login/" + way.ID, Class: "other", Button: "Sign in with " + way.Name + " from now on", Value: "convert", Fields: []field{
			{Label: "Your password, which you will not have any more", Name: "password", Type: "password", Complete: "current-password"}, hidden("to", to),
		}})
	}
	return v
}

func (h *handlers) changeByForm(w http.ResponseWriter, r *http.Request) {
	f := formOf(w, r)
	to := localPath(f.Get("to"))
	err := h.authenticate(r, person)
	req := requestOf(r.Context())
	if err == nil {
		req.deed = &deed{class: berth.AuditWrite, action: "edit", kind: "user", target: req.user.Username}
	}
	if err == nil && f.Get("password") != f.Get("again") {
		err = berth.InvalidField("again", "these were two different passwords")
	}
	if err == nil {
		err = h.Accounts.ChangePassword(req.recorded(r.Context()), req.actor, req.token, f.Get("current"), f.Get("password"), req.remote)
	}
	switch {
	case errors.Is(err, berth.Unauthenticated) && req.user.ID == "":
		http.Redirect(w, r, signInAt("/"), http.StatusSeeOther)
	case err != nil:
		showProblem(w, r, err, h.changeView(req.user, to))
	default:
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}
