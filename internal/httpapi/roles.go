package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/authz"
)

func (h *handlers) listRoles(ctx context.Context, _ *struct{}) (*body[api.Page[api.Role]], error) {
	if err := authz.Check(actorOf(ctx), authz.Read, authz.All(authz.KindRole), "the list of roles"); err != nil {
		return nil, err
	}
	return answered(api.Page[api.Role]{Items: list(authz.Sets(), viewSet)}, nil)
}

func viewSet(s authz.Set) api.Role {
	return api.Role{Name: s.Name, Of: string(s.Of), About: s.About, Rights: list(s.Rights, viewRight)}
}

func viewRight(r authz.Right) api.Right {
	return api.Right{Kind: string(r.Kind), Actions: list(r.Actions, func(a authz.Action) string { return string(a) }), Whose: r.Whose}
}
