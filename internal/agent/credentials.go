package agent

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// externalTime bounds how long the server may take for a token; it may have to
// ask the external service.
const externalTime = time.Minute

// inOwnersName is what the agent calls in the owner's name; *client.Client is one.
type inOwnersName interface {
	ExternalAuths(ctx context.Context) (api.Page[api.ExternalAuth], error)
	MatchExternal(ctx context.Context, repository string) (api.ExternalMatch, error)
	ExternalToken(ctx context.Context, id string) (api.ExternalToken, error)
}

// credentialRoutes offers what git in the workspace needs, to its own user.
// Keys and tokens are given out one by one when they are asked for, and rest
// nowhere.
func (a *agent) credentialRoutes() {
	a.local.HandleFunc("GET /ssh-key", func(w http.ResponseWriter, _ *http.Request) {
		key, err := a.sshKey()
		reply(w, key, err)
	})
	a.local.HandleFunc("GET /external-auth", a.external(func(ctx context.Context, c inOwnersName, r *http.Request) (api.LocalToken, error) {
		m, err := c.MatchExternal(ctx, r.URL.Query().Get("url"))
		if err != nil {
			return api.LocalToken{}, err
		}
		return externalToken(ctx, c, m.ID, api.LocalToken{Name: m.Name, SignIn: m.SignIn})
	}))
	a.local.HandleFunc("GET /external-auth/{id}", a.external(func(ctx context.Context, c inOwnersName, r *http.Request) (api.LocalToken, error) {
		t := api.LocalToken{Name: r.PathValue("id")}
		page, err := c.ExternalAuths(ctx)
		if err != nil {
			return t, err
		}
		for _, e := range page.Items {
			if e.ID == t.Name {
				return externalToken(ctx, c, e.ID, api.LocalToken{Name: e.Name, SignIn: e.SignIn})
			}
		}
		return t, berth.Errorf(berth.NotFound, "this server has no external service %q: the ones that it has are listed by berth external-auth list", t.Name)
	}))
}

func (a *agent) sshKey() (api.LocalKey, error) {
	id := a.identity.Load()
	switch {
	case id == nil:
		return api.LocalKey{}, errNoIdentity
	case id.SSHKey == "":
		return api.LocalKey{}, berth.Errorf(berth.NotFound, "you have no SSH key")
	}
	return api.LocalKey{Private: id.SSHKey, Public: id.SSHPub}, nil
}

var errNoIdentity = berth.Errorf(berth.Unavailable, "the server has not sent your credentials yet; try again in a moment")

// external answers with what get finds out in the owner's name, with the newest
// login of the workspace: the one in a session's environment may be over.
func (a *agent) external(get func(context.Context, inOwnersName, *http.Request) (api.LocalToken, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), externalTime)
		defer cancel()
		id := a.identity.Load()
		if id == nil || id.Token == "" {
			reply(w, nil, errNoIdentity)
			return
		}
		c, err := client.New(a.config.URL, id.Token, client.WithProgram("berth-agent", a.config.Version))
		if err != nil {
			reply(w, nil, err)
			return
		}
		defer c.Close()
		t, err := get(ctx, c, r)
		reply(w, t, err)
	}
}

// externalToken completes t. A sign-in that is missing is an answer, and not an
// error.
func externalToken(ctx context.Context, c inOwnersName, id string, t api.LocalToken) (api.LocalToken, error) {
	got, err := c.ExternalToken(ctx, id)
	if errors.Is(err, berth.Conflict) {
		t.Why = err.Error()
		return t, nil
	}
	t.Token, t.Username, t.Extra = got.AccessToken, got.Username, got.TokenExtra
	return t, err
}
