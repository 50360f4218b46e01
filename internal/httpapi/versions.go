package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

type listVersionsInput struct {
	TemplateInput
	Page
	Archived bool `query:"archived" doc:"Archived ones too"`
}

func (h *handlers) listVersions(ctx context.Context, in *listVersionsInput) (*body[api.Page[api.TemplateVersion]], error) {
	views, next, err := h.Templates.Versions(ctx, actorOf(ctx), in.Organization, in.Template, in.Archived, in.After, in.Limit)
	return answered(api.Page[api.TemplateVersion]{Items: list(views, viewVersion), Next: next}, err)
}

type pushVersionInput struct {
	TemplateInput
	Body api.PushVersion
}

func (h *handlers) pushVersion(ctx context.Context, in *pushVersionInput) (*body[api.TemplateVersion], error) {
	view, err := h.Templates.Push(ctx, actorOf(ctx), templates.Push{
		Organization: in.Organization, Template: in.Template, Archive: in.Body.Archive, Name: in.Body.Name,
		Message: in.Body.Message, Variables: in.Body.Variables, Activate: in.Body.Activate, Provider: in.Body.Provider, Private: in.Body.Private,
		Confirm: in.Body.Confirm, IfChanged: in.Body.IfChanged,
	})
	return answered(viewVersion(view), err)
}

type VersionInput struct {
	TemplateInput
	Version string `path:"version" doc:"Name or id; active: the active one"`
}

func (h *handlers) getVersion(ctx context.Context, in *VersionInput) (*body[api.TemplateVersion], error) {
	view, err := h.Templates.Version(ctx, actorOf(ctx), in.Organization, in.Template, in.Version)
	return answered(viewVersion(view), err)
}

type activateVersionInput struct {
	VersionInput
	Body *api.PolicyEdit
}

func (h *handlers) activateVersion(ctx context.Context, in *activateVersionInput) (*body[api.TemplateVersion], error) {
	var how policies.How
	if in.Body != nil {
		var err error
		if how, err = howOf(*in.Body); err != nil {
			return nil, err
		}
	}
	view, err := h.Templates.Activate(ctx, actorOf(ctx), in.Organization, in.Template, in.Version, how)
	return answered(viewVersion(view), err)
}

func (h *handlers) archiveVersion(ctx context.Context, in *VersionInput) (*body[api.TemplateVersion], error) {
	view, err := h.Templates.ArchiveVersion(ctx, actorOf(ctx), in.Organization, in.Template, in.Version)
	return answered(viewVersion(view), err)
}

func (h *handlers) unarchiveVersion(ctx context.Context, in *VersionInput) (*body[api.TemplateVersion], error) {
	view, err := h.Templates.UnarchiveVersion(ctx, actorOf(ctx), in.Organization, in.Template, in.Version)
	return answered(viewVersion(view), err)
}

type archiveUnusedInput struct {
	TemplateInput
	Body api.ArchiveVersions
}

func (h *handlers) archiveUnused(ctx context.Context, in *archiveUnusedInput) (*body[api.ArchivedVersions], error) {
	names, err := h.Templates.ArchiveUnused(ctx, actorOf(ctx), in.Organization, in.Template, in.Body.All, in.Body.DryRun)
	return answered(api.ArchivedVersions{Versions: names}, err)
}

type versionDiffInput struct {
	VersionInput
	From string `query:"from" doc:"Name or id of the version to compare with, or active; empty: the one that was imported before it"`
}

func (h *handlers) versionDiff(ctx context.Context, in *versionDiffInput) (*body[api.VersionDiff], error) {
	d, err := h.Templates.Diff(ctx, actorOf(ctx), in.Organization, in.Template, in.From, in.Version)
	return answered(viewDiff(d), err)
}

func viewDiff(d templates.Difference) api.VersionDiff {
	return api.VersionDiff{From: d.From.Name, To: d.To.Name, Changes: append([]berth.VersionChange{}, d.Changes...), Files: append([]berth.FileChange{}, d.Files...), FilesHidden: d.Hidden}
}

type previewUpdateInput struct {
	WorkspaceInput
	Version string `query:"version" doc:"Name or id; empty: the active one"`
}

func (h *handlers) previewUpdate(ctx context.Context, in *previewUpdateInput) (*body[api.WorkspaceUpdate], error) {
	u, err := h.Workspaces.Update(ctx, actorOf(ctx), in.id(), in.Version)
	cost := viewCost(u.Cost)
	return answered(api.WorkspaceUpdate{
		From: u.Difference.From.Name, To: u.Difference.To.Name, Outdated: u.Difference.From.ID != u.Difference.To.ID, Refused: u.Refused,
		Versions: list(u.Steps, func(v templates.VersionView) api.VersionStep {
			return api.VersionStep{Name: v.Version.Name, Message: v.Version.Message, CreatedBy: v.CreatedBy, CreatedAt: v.Version.CreatedAt}
		}),
		Earlier: u.Earlier, Diff: viewDiff(u.Difference),
		Asks: list(u.Open, func(o workspaces.Open) api.OpenQuestion {
			return api.OpenQuestion{Parameter: o.Question, New: o.New, Says: o.Says}
		}),
		Drops: append([]string{}, u.Drops...), Destroys: append([]string{}, u.Destroys...), Cost: &cost,
	}, err)
}

func (h *handlers) versionArchive(ctx context.Context, in *VersionInput) (*download, error) {
	data, err := h.Templates.Archive(ctx, actorOf(ctx), in.Organization, in.Template, in.Version)
	return &download{"application/x-tar", data}, err
}

func viewVersion(v templates.VersionView) api.TemplateVersion {
	n, c := v.Version, v.Version.Contents
	return api.TemplateVersion{
		ID: string(n.ID), Template: v.Template, TemplateID: string(n.TemplateID), Name: n.Name, Message: n.Message,
		Active: v.Active, Status: string(v.Build.Status()), Error: v.Build.Error, BuildID: string(n.BuildID),
		Readme: c.Readme, Variables: c.Variables, Parameters: c.Parameters, Presets: c.Presets, Resources: c.Resources,
		Agents: c.Agents, External: c.External, Plugins: c.Plugins, Modules: c.Modules, Notes: c.Notes,
		Costs: list(v.Costs, func(c berth.VersionCost) api.VersionCost {
			return api.VersionCost{Preset: c.Preset, DailyCost: c.DailyCost, At: c.At}
		}),
		CreatedBy: v.CreatedBy, CreatedAt: n.CreatedAt, Effects: v.Effects,
		VersionChecks: api.VersionChecks{Findings: c.Findings, Warm: c.Warm, Cold: c.Cold}, VersionNeeds: viewNeeds(c), ArchivedAt: moment(n.ArchivedAt),
		Unchanged: v.Unchanged, SameFiles: v.SameFiles,
	}
}

func viewNeeds(c berth.Contents) api.VersionNeeds {
	n := api.VersionNeeds{Secrets: c.Secrets, OutsideAgents: c.OutsideAgents}
	if c.Tags != nil {
		n.Tags = c.Tags.Values
	}
	return n
}
