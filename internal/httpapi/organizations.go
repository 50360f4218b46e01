package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/accounts"
)

type editOrganizationInput struct {
	Organization string `path:"organization" doc:"Name or id"`
	Body         api.EditOrganization
}

func (h *handlers) editOrganization(ctx context.Context, in *editOrganizationInput) (*body[api.Organization], error) {
	o, err := h.Accounts.EditOrganization(ctx, actorOf(ctx), in.Organization, accounts.EditOrganization{
		ConnectStarts: in.Body.ConnectStarts, IdleCounts: in.Body.IdleCounts,
	})
	return answered(viewOrganization(o), err)
}
