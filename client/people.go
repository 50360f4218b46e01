package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// Version says what the server is. It needs no token.
func (c *Client) Version(ctx context.Context) (api.Version, error) {
	return get[api.Version](ctx, c, "/version")
}

// CreateFirstUser makes the owner of a site that has no user yet. It needs no token.
func (c *Client) CreateFirstUser(ctx context.Context, in api.FirstUser) (api.User, error) {
	return post[api.FirstUser, api.User](ctx, c, "/users/first", in)
}

// Login signs in by password; the answer holds a token. It needs no token.
func (c *Client) Login(ctx context.Context, in api.Login) (api.LoggedIn, error) {
	return post[api.Login, api.LoggedIn](ctx, c, "/login", in)
}

// Logout ends the login whose token the client has.
func (c *Client) Logout(ctx context.Context) error { return tell(ctx, c, "/logout", nothing{}) }

// Me is the user that the token acts as.
func (c *Client) Me(ctx context.Context) (api.User, error) {
	return get[api.User](ctx, c, "/users/me")
}

// Tokens lists the logins and tokens of a user, "" for the caller, without their
// secrets.
func (c *Client) Tokens(ctx context.Context, user string) (api.Page[api.Token], error) {
	return get[api.Page[api.Token]](ctx, c, query("/tokens", "user", user))
}

// CreateToken makes a token for a program; its secret is in this answer only.
func (c *Client) CreateToken(ctx context.Context, in api.CreateToken) (api.CreatedToken, error) {
	return post[api.CreateToken, api.CreatedToken](ctx, c, "/tokens", in)
}

// RemoveToken ends the token of this id or name of a user, "" for the caller.
func (c *Client) RemoveToken(ctx context.Context, user, token string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, query(path("tokens", token), "user", user), nothing{})
	return err
}

// Providers lists the workspace providers.
func (c *Client) Providers(ctx context.Context) (api.Page[api.Provider], error) {
	return get[api.Page[api.Provider]](ctx, c, "/providers")
}

// Loops lists the server's background loops and how they fare.
func (c *Client) Loops(ctx context.Context) (api.Page[api.Loop], error) {
	return get[api.Page[api.Loop]](ctx, c, "/loops")
}
