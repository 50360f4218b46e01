package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
)

type askLoginInput struct{ Body api.AskLogin }

func (h *handlers) askLogin(ctx context.Context, in *askLoginInput) (*body[api.AskedLogin], error) {
	a, err := h.SignIn.Ask(ctx, in.Body.Challenge, in.Body.Client, requestOf(ctx).remote)
	return answered(api.AskedLogin{ID: a.ID, URL: a.URL, ExpiresAt: a.ExpiresAt}, err)
}

type finishLoginInput struct {
	Request string `path:"request" doc:"Id from the answer to askLogin"`
	Body    api.FinishLogin
}

func (h *handlers) finishLogin(ctx context.Context, in *finishLoginInput) (*secretAnswer[api.LoggedIn], error) {
	l, err := h.SignIn.Finish(ctx, in.Request, in.Body.Verifier, in.Body.Code)
	if err != nil {
		return nil, err
	}
	return &secretAnswer[api.LoggedIn]{"no-store", api.LoggedIn{Token: l.Text, ExpiresAt: l.Token.ExpiresAt, User: viewUser(l.User)}}, nil
}
