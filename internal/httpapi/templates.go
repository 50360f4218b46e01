package httpapi

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/templates"
)

// raw catches a body that is not JSON, unread. Its reader fails with
// http.MaxBytesError behind the operation's limit.
type raw struct{ body io.Reader }

func (in *raw) Resolve(ctx huma.Context) []error {
	r, w := humago.Unwrap(ctx)
	in.body = http.MaxBytesReader(w, r.Body, ctx.Operation().MaxBodyBytes)
	return nil
}

// download is an answer that is not JSON.
type download struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// Page says which part of a list is wanted. Like all inputs that others embed
// it is exported: huma does not look into unexported fields.
type Page struct {
	After string `query:"after" doc:"next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Most items of a page"`
}

type uploadInput struct{ raw }

func (h *handlers) uploadArchive(ctx context.Context, in *uploadInput) (*body[api.Archive], error) {
	a, err := h.Templates.Upload(ctx, actorOf(ctx), in.body)
	return answered(api.Archive{Hash: a.Hash, Files: a.Files, Size: a.Size}, tooLarge(err))
}

type listTemplatesInput struct {
	Page
	Organization string `query:"organization" doc:"Name or id; empty: all that you see"`
}

func (h *handlers) listTemplates(ctx context.Context, in *listTemplatesInput) (*body[api.Page[api.Template]], error) {
	views, next, err := h.Templates.List(ctx, actorOf(ctx), in.Organization, in.After, in.Limit)
	return answered(api.Page[api.Template]{Items: list(views, viewTemplate), Next: next}, err)
}

type TemplateInput struct {
	Organization string `path:"organization" doc:"Name or id; default: the default one"`
	Template     string `path:"template" doc:"Name or id"`
}

func (h *handlers) getTemplate(ctx context.Context, in *TemplateInput) (*body[api.Template], error) {
	view, err := h.Templates.Get(ctx, actorOf(ctx), in.Organization, in.Template)
	return answered(viewTemplate(view), err)
}

type editTemplateInput struct {
	TemplateInput
	Body api.EditTemplate
}

func (h *handlers) editTemplate(ctx context.Context, in *editTemplateInput) (*body[api.Template], error) {
	e, err := templateEdit(in.Body)
	if err != nil {
		return nil, err
	}
	view, err := h.Templates.Edit(ctx, actorOf(ctx), in.Organization, in.Template, e)
	return answered(viewTemplate(view), err)
}

type undoTemplateInput struct {
	TemplateInput
	Body api.PolicyEdit
}

func (h *handlers) undoTemplateEdit(ctx context.Context, in *undoTemplateInput) (*body[api.Template], error) {
	how, err := howOf(in.Body)
	if err != nil {
		return nil, err
	}
	view, err := h.Templates.Undo(ctx, actorOf(ctx), in.Organization, in.Template, how)
	return answered(viewTemplate(view), err)
}

func (h *handlers) deleteTemplate(ctx context.Context, in *TemplateInput) (*struct{}, error) {
	return nil, h.Templates.Delete(ctx, actorOf(ctx), in.Organization, in.Template)
}

func viewTemplate(v templates.View) api.Template {
	t := v.Template
	return api.Template{
		ID: string(t.ID), Organization: v.Organization, Name: t.Name, DisplayName: t.DisplayName,
		Description: t.Description, Icon: t.Icon, MaxShare: string(t.MaxShare), Private: v.Private, ActiveVersion: v.ActiveVersion, ActiveID: string(t.ActiveVersionID),
		Workspaces: v.Workspaces, Limits: api.TemplateLimits(t.Limits), CreatedBy: v.CreatedBy, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		Policy: viewPolicy(t.Policy), Effects: v.Effects,
	}
}
