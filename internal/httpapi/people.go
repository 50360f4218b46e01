package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/accounts"
)

type firstUserInput struct{ Body api.FirstUser }

func (h *handlers) createFirstUser(ctx context.Context, in *firstUserInput) (*body[api.User], error) {
	user, err := h.Accounts.FirstUser(ctx, accounts.NewUser{
		Username: in.Body.Username, Email: in.Body.Email, Name: in.Body.Name, Password: in.Body.Password,
	})
	return answered(viewUser(user), err)
}

type loginInput struct{ Body api.Login }

type loginOutput struct {
	SetCookie string `header:"Set-Cookie" doc:"Only when the cookie was asked for"`
	Body      api.LoggedIn
}

func (h *handlers) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	meaning(ctx, "", in.Body.Username)
	text, token, user, err := h.Accounts.Login(ctx, in.Body.Username, in.Body.Password, requestOf(ctx).remote)
	if err != nil {
		return nil, err
	}
	out := &loginOutput{Body: api.LoggedIn{Token: text, ExpiresAt: token.ExpiresAt, User: viewUser(user), MustChangePassword: user.MustChangePassword}}
	if in.Body.Cookie {
		out.Body.Token = ""
		out.SetCookie = h.cookie(text, token.ExpiresAt).String()
	}
	return out, nil
}

type logoutOutput struct {
	SetCookie string `header:"Set-Cookie"`
}

func (h *handlers) logout(ctx context.Context, _ *struct{}) (*logoutOutput, error) {
	if err := h.Accounts.Logout(ctx, actorOf(ctx), requestOf(ctx).token); err != nil {
		return nil, err
	}
	return &logoutOutput{SetCookie: h.cookie("", time.Unix(0, 0)).String()}, nil
}

// cookie holds a login.
func (h *handlers) cookie(text string, expires time.Time) *http.Cookie {
	return h.bakeCookie(loginCookie, text, "/", expires)
}

func (h *handlers) me(ctx context.Context, _ *struct{}) (*body[api.User], error) {
	user, err := h.Accounts.Me(ctx, actorOf(ctx))
	return answered(viewUser(user), err)
}

// TokensOf says whose tokens are meant.
type TokensOf struct {
	User string `query:"user" doc:"Username or id of whose they are; left out: your own"`
}

func (h *handlers) listTokens(ctx context.Context, in *TokensOf) (*body[api.Page[api.Token]], error) {
	tokens, err := h.Accounts.Tokens(ctx, actorOf(ctx), in.User)
	return answered(api.Page[api.Token]{Items: list(tokens, viewToken)}, err)
}

type createTokenInput struct{ Body api.CreateToken }

func (h *handlers) createToken(ctx context.Context, in *createTokenInput) (*body[api.CreatedToken], error) {
	lifetime, err := seconds("lifetime_seconds", int64(in.Body.Lifetime))
	if err != nil {
		return nil, err
	}
	text, token, err := h.Accounts.CreateToken(ctx, actorOf(ctx), accounts.NewToken{
		Name: in.Body.Name, Lifetime: lifetime, Scopes: in.Body.Scopes, User: in.Body.User,
	})
	return answered(api.CreatedToken{Token: viewToken(token), Secret: text}, err)
}

// seconds makes a duration of a number from the wire, which may be one that a
// duration cannot hold.
func seconds(field string, n int64) (time.Duration, error) {
	const most = 1<<63 - 1
	if n < 0 || n > most/int64(time.Second) {
		return 0, berth.InvalidField(field, "%d seconds are no length of time", n)
	}
	return time.Duration(n) * time.Second, nil
}

type tokenInput struct {
	TokensOf
	Token string `path:"token" doc:"Id or name"`
}

func (h *handlers) removeToken(ctx context.Context, in *tokenInput) (*struct{}, error) {
	return nil, h.Accounts.RemoveToken(ctx, actorOf(ctx), in.User, in.Token)
}

func (h *handlers) listProviders(ctx context.Context, _ *struct{}) (*body[api.Page[api.Provider]], error) {
	views, err := h.Providers.List(ctx, actorOf(ctx))
	return answered(api.Page[api.Provider]{Items: list(views, viewProvider)}, err)
}
