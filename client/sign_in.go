package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// AskLogin asks to be let in by a browser. It needs no token.
func (c *Client) AskLogin(ctx context.Context, in api.AskLogin) (api.AskedLogin, error) {
	return post[api.AskLogin, api.AskedLogin](ctx, c, "/login/requests", in)
}

// FinishLogin ends that with the code that the browser shows; the answer holds a
// token. It needs no token.
func (c *Client) FinishLogin(ctx context.Context, id string, in api.FinishLogin) (api.LoggedIn, error) {
	return post[api.FinishLogin, api.LoggedIn](ctx, c, path("login", "requests", id, "finish"), in)
}
