package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/accounts"
)

// OfUser names the user of a path.
type OfUser struct {
	User string `path:"user" doc:"Username or id; me is who asks"`
}

type listUsersInput struct {
	Query string `query:"q" doc:"status:active role:owner sign-in:password, and free words for username, name and e-mail address"`
	Page
}

func (h *handlers) listUsers(ctx context.Context, in *listUsersInput) (*body[api.Page[api.User]], error) {
	users, next, err := h.Accounts.Users(ctx, actorOf(ctx), accounts.ListUsers{Query: in.Query, After: in.After, Limit: in.Limit})
	return answered(api.Page[api.User]{Items: list(users, viewUser), Next: next}, err)
}

func (h *handlers) getUser(ctx context.Context, in *OfUser) (*body[api.User], error) {
	v, err := h.Accounts.User(ctx, actorOf(ctx), in.User)
	return answered(viewWholeUser(v), err)
}

type createUserInput struct{ Body api.CreateUser }

func (h *handlers) createUser(ctx context.Context, in *createUserInput) (*body[api.CreatedUser], error) {
	c := accounts.CreateUser{Username: in.Body.Username, Email: in.Body.Email, Name: in.Body.Name, Password: in.Body.Password,
		SignIn: berth.SignIn(in.Body.SignIn), Roles: roles(in.Body.Roles)}
	if in.Body.Organizations != nil {
		c.Organizations = append([]string{}, *in.Body.Organizations...)
	}
	v, password, err := h.Accounts.CreateUser(ctx, actorOf(ctx), c)
	return answered(api.CreatedUser{User: viewWholeUser(v), Password: password}, err)
}

type editUserInput struct {
	OfUser
	Body api.EditUser
}

func (h *handlers) editUser(ctx context.Context, in *editUserInput) (*body[api.User], error) {
	e := accounts.EditUser{Username: in.Body.Username, Email: in.Body.Email, Name: in.Body.Name}
	if in.Body.Roles != nil {
		given := roles(*in.Body.Roles)
		e.Roles = &given
	}
	v, err := h.Accounts.EditUser(ctx, actorOf(ctx), in.User, e)
	return answered(viewWholeUser(v), err)
}

func roles(words []string) []berth.Role {
	return list(words, func(w string) berth.Role { return berth.Role(w) })
}

func (h *handlers) suspendUser(ctx context.Context, in *OfUser) (*body[api.User], error) {
	v, err := h.Accounts.Suspend(ctx, actorOf(ctx), in.User)
	return answered(viewWholeUser(v), err)
}

func (h *handlers) activateUser(ctx context.Context, in *OfUser) (*body[api.User], error) {
	v, err := h.Accounts.Activate(ctx, actorOf(ctx), in.User)
	return answered(viewWholeUser(v), err)
}

func (h *handlers) deleteUser(ctx context.Context, in *OfUser) (*struct{}, error) {
	return nil, h.Accounts.DeleteUser(ctx, actorOf(ctx), in.User)
}

func (h *handlers) resetPassword(ctx context.Context, in *OfUser) (*body[api.NewPassword], error) {
	password, err := h.Accounts.ResetPassword(ctx, actorOf(ctx), in.User)
	return answered(api.NewPassword{Password: password}, err)
}

type changePasswordInput struct{ Body api.ChangePassword }

func (h *handlers) changePassword(ctx context.Context, in *changePasswordInput) (*struct{}, error) {
	r := requestOf(ctx)
	return nil, h.Accounts.ChangePassword(ctx, r.actor, r.token, in.Body.Current, in.Body.Password, r.remote)
}

func (h *handlers) removeTokens(ctx context.Context, in *OfUser) (*body[api.EndedTokens], error) {
	n, err := h.Accounts.RemoveTokens(ctx, actorOf(ctx), in.User)
	return answered(api.EndedTokens{Ended: int(n)}, err)
}

type tokenUsesInput struct {
	OfUser
	Token string `query:"token" doc:"Id of one token, which may be gone"`
}

func (h *handlers) listTokenUses(ctx context.Context, in *tokenUsesInput) (*body[api.Page[api.TokenUse]], error) {
	uses, err := h.Accounts.TokenUses(ctx, actorOf(ctx), in.User, in.Token)
	return answered(api.Page[api.TokenUse]{Items: list(uses, func(u berth.TokenUse) api.TokenUse {
		return api.TokenUse{Token: string(u.TokenID), Address: u.Address, UserAgent: u.UserAgent, FirstAt: u.FirstAt, LastAt: u.LastAt}
	})}, err)
}

func viewWholeUser(v accounts.UserView) api.User {
	u := viewUser(v.User)
	for _, o := range v.Organizations {
		u.Organizations = append(u.Organizations, api.UserOrganization{Name: o.Name, Roles: list(o.Roles, func(r berth.Role) string { return string(r) })})
	}
	return u
}
