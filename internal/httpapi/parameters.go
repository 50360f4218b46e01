package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/workspaces"
)

type askParametersInput struct {
	VersionInput
	Body api.AskParameters
}

func (h *handlers) askParameters(ctx context.Context, in *askParametersInput) (*body[berth.Form], error) {
	f, err := h.Workspaces.Questions(ctx, actorOf(ctx), workspaces.Ask{
		Organization: in.Organization, Template: in.Template, Version: in.Version,
		Owner: in.Body.Owner, Name: in.Body.Name, Workspace: berth.WorkspaceID(in.Body.Workspace),
		Preset: in.Body.Preset, Parameters: in.Body.Parameters,
	})
	return answered(f, err)
}

func (h *handlers) lastParameters(ctx context.Context, in *TemplateInput) (*body[api.LastParameters], error) {
	answers, err := h.Workspaces.Last(ctx, actorOf(ctx), in.Organization, in.Template)
	return answered(api.LastParameters{Parameters: answers}, err)
}
