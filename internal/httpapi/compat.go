package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/workspaces"
)

// Public modules and scripts for the plugin coder/coder call these paths of another server
// from inside workspaces. They are no part of our API, and answer what those
// modules read and nothing more.
func (h *handlers) mountCompatible(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v2/users/me/gitsshkey", theirToken(h.guarded(person, h.personsGitKey)))
	mux.HandleFunc("GET /api/v2/workspaceagents/me/gitsshkey", theirToken(h.guarded(agent, h.agentsGitKey)))
	mux.HandleFunc("GET /api/v2/workspaceagents/me/external-auth", theirToken(h.guarded(person, h.agentsExternalAuth)))
	mux.HandleFunc("GET "+workspaces.InitScripts+"{os}/{arch}", h.initScript)
}

// theirToken takes the token also from where those modules put it. No browser
// of ours has that cookie, so no page can make use of it.
func theirToken(next http.HandlerFunc) http.HandlerFunc {
	const header, cookie = "Coder-Session-Token", "coder_session_token"
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get(header)
		if c, err := r.Cookie(cookie); err == nil && given == "" {
			given = c.Value
		}
		if given != "" && r.Header.Get("Authorization") == "" {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+given)
		}
		next(w, r)
	}
}

// gitSSHKey is what both callers get. The private half stays where it is: the
// workspace's own git uses it through the agent.
type gitSSHKey struct {
	UserID    string `json:"user_id,omitempty"`
	PublicKey string `json:"public_key"`
}

func (h *handlers) personsGitKey(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r.Context())
	k, err := h.Credentials.SSHKey(r.Context(), actor)
	return plainly(w, gitSSHKey{string(actor.UserID), k.Public}, err)
}

func (h *handlers) agentsGitKey(w http.ResponseWriter, r *http.Request) error {
	who := requestOf(r.Context()).agent
	if who.Agent.Scope == berth.ScopeNoUserData {
		return berth.Errorf(berth.Forbidden, "the template gives this agent nothing of its owner's (api_key_scope is no_user_data)")
	}
	k, err := h.Credentials.EnsureSSHKey(r.Context(), who.Owner.ID)
	return plainly(w, gitSSHKey{PublicKey: k.Public}, err)
}

// agentsExternalAuth wants the workspace's own login: the agent's token proves
// which agent speaks, and is in places where it may be read.
func (h *handlers) agentsExternalAuth(w http.ResponseWriter, r *http.Request) error {
	id := r.URL.Query().Get("id")
	if match := r.URL.Query().Get("match"); id == "" && match != "" {
		p, err := h.Credentials.MatchExternal(actorOf(r.Context()), match)
		if err != nil {
			return err
		}
		id = p.ID
	}
	type externalAuth struct {
		AccessToken string         `json:"access_token"`
		TokenExtra  map[string]any `json:"token_extra"`
		URL         string         `json:"url"`
		Type        string         `json:"type"`
		Username    string         `json:"username"`
		Password    string         `json:"password"`
	}
	t, err := h.Credentials.ExternalToken(r.Context(), actorOf(r.Context()), id)
	var e *berth.Error
	if errors.As(err, &e) && e.Code == berth.Conflict && e.Field == "url" { // not signed in: they want the URL
		return plainly(w, externalAuth{URL: h.Credentials.SignInURL(id)}, nil)
	}
	if err != nil {
		return err
	}
	return plainly(w, externalAuth{AccessToken: t.Access, TokenExtra: t.Extra, Type: t.Provider.Type, Username: t.Provider.Username, Password: t.Access}, nil)
}

func plainly(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
	return nil
}
