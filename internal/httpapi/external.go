package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/credentials"
)

func (h *handlers) listExternal(ctx context.Context, _ *struct{}) (*body[api.Page[api.ExternalAuth]], error) {
	views, err := h.Credentials.Externals(ctx, actorOf(ctx))
	return answered(api.Page[api.ExternalAuth]{Items: list(views, viewExternal)}, err)
}

type ExternalInput struct {
	External string `path:"external" doc:"Id of the external service"`
}

func (h *handlers) beginExternal(ctx context.Context, in *ExternalInput) (*body[api.BegunExternal], error) {
	b, err := h.Credentials.Begin(ctx, actorOf(ctx), in.External, false)
	return answered(api.BegunExternal{Attempt: b.ID, URL: b.URL, ExpiresAt: b.ExpiresAt}, err)
}

type finishExternalInput struct {
	ExternalInput
	Body api.FinishExternal
}

func (h *handlers) finishExternal(ctx context.Context, in *finishExternalInput) (*struct{}, error) {
	return nil, h.Credentials.Finish(ctx, actorOf(ctx), in.External, in.Body.Attempt, in.Body.Code)
}

// secretAnswer is an answer that no cache may keep.
type secretAnswer[T any] struct {
	CacheControl string `header:"Cache-Control"`
	Body         T
}

func (h *handlers) externalToken(ctx context.Context, in *ExternalInput) (*secretAnswer[api.ExternalToken], error) {
	t, err := h.Credentials.ExternalToken(ctx, actorOf(ctx), in.External)
	if err != nil {
		return nil, err
	}
	return &secretAnswer[api.ExternalToken]{"no-store", viewExternalToken(t)}, nil
}

type matchExternalInput struct {
	URL string `query:"url" required:"true" doc:"Of the repository"`
}

func (h *handlers) matchExternal(ctx context.Context, in *matchExternalInput) (*body[api.ExternalMatch], error) {
	p, err := h.Credentials.MatchExternal(actorOf(ctx), in.URL)
	if err != nil {
		return nil, err
	}
	return answered(api.ExternalMatch{ID: p.ID, Type: p.Type, Name: p.Name, Username: p.Username, SignIn: h.Credentials.SignInURL(p.ID)}, nil)
}

func (h *handlers) revokeExternal(ctx context.Context, in *ExternalInput) (*body[api.RevokedExternal], error) {
	told, err := h.Credentials.RevokeExternal(ctx, actorOf(ctx), in.External)
	return answered(api.RevokedExternal{Told: told}, err)
}

func viewExternal(v credentials.ExternalView) api.ExternalAuth {
	p := v.Provider
	return api.ExternalAuth{
		ID: p.ID, Type: p.Type, Name: p.Name, SignIn: v.SignIn, Linked: v.Linked && v.Login.Refused == "",
		Account: v.Login.Account, Scopes: v.Login.Scopes, Refused: v.Login.Refused,
		ExpiresAt: moment(v.Login.ExpiresAt), LinkedAt: moment(v.Login.CreatedAt),
	}
}

func viewExternalToken(t credentials.ExternalToken) api.ExternalToken {
	return api.ExternalToken{ID: t.Provider.ID, AccessToken: t.Access, TokenType: t.Type, Username: t.Provider.Username,
		ExpiresAt: moment(t.ExpiresAt), TokenExtra: t.Extra}
}
