package httpapi

import (
	"context"
	"strconv"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/workspaces"
)

type workspaceBuildsInput struct {
	WorkspaceInput
	Page
}

func (h *handlers) listWorkspaceBuilds(ctx context.Context, in *workspaceBuildsInput) (*body[api.Page[api.Build]], error) {
	views, next, err := h.Workspaces.Builds(ctx, actorOf(ctx), in.id(), in.After, in.Limit)
	return answered(api.Page[api.Build]{Items: list(views, viewBuild), Next: next}, err)
}

type createBuildInput struct {
	WorkspaceInput
	Body api.CreateBuild
}

func (h *handlers) createBuild(ctx context.Context, in *createBuildInput) (*body[api.Build], error) {
	b := in.Body
	meaning(ctx, b.Transition, "")
	if b.Transition == string(berth.Rebuild) && !b.Force {
		// What the agents say now is kept for the decision. That they do not answer
		// is no reason against it: a rebuild is also the cure for such a workspace.
		_, _ = h.Activity.Activity(ctx, actorOf(ctx), in.id())
	}
	view, err := h.Workspaces.Build(ctx, actorOf(ctx), in.id(), workspaces.BuildInput{
		Transition: berth.Transition(b.Transition), Version: b.Version, Update: b.Update, Parameters: b.Parameters,
		Preset: b.Preset, AllowDestroy: b.AllowDestroy, Orphan: b.Orphan, Force: b.Force, Reason: berth.Reason(b.Reason),
	})
	return answered(viewBuild(view), err)
}

type buildNumberInput struct {
	WorkspaceInput
	Number int `path:"number" minimum:"1"`
}

func (h *handlers) getWorkspaceBuild(ctx context.Context, in *buildNumberInput) (*body[api.Build], error) {
	view, err := h.Workspaces.BuildNumber(ctx, actorOf(ctx), in.id(), in.Number)
	return answered(viewBuild(view), err)
}

func (h *handlers) listBuilds(ctx context.Context, in *listInput) (*body[api.Page[api.Build]], error) {
	views, next, err := h.Workspaces.ListBuilds(ctx, actorOf(ctx), in.Query, in.After, in.Limit)
	return answered(api.Page[api.Build]{Items: list(views, viewBuild), Next: next}, err)
}

type BuildInput struct {
	Build string `path:"build" doc:"Id"`
}

func (in BuildInput) id() berth.BuildID { return berth.BuildID(in.Build) }

func (h *handlers) getBuild(ctx context.Context, in *BuildInput) (*body[api.Build], error) {
	view, err := h.Workspaces.GetBuild(ctx, actorOf(ctx), in.id())
	return answered(viewBuild(view), err)
}

type cancelBuildInput struct {
	BuildInput
	Body *api.CancelBuild
}

func (h *handlers) cancelBuild(ctx context.Context, in *cancelBuildInput) (*body[api.Build], error) {
	var how api.CancelBuild
	if in.Body != nil {
		how = *in.Body
	}
	view, err := h.Workspaces.Cancel(ctx, actorOf(ctx), in.id(), how.Force, berth.BuildStatus(how.Expect))
	return answered(viewBuild(view), err)
}

func (h *handlers) abandonBuild(ctx context.Context, in *BuildInput) (*body[api.Build], error) {
	view, err := h.Workspaces.Abandon(ctx, actorOf(ctx), in.id())
	return answered(viewBuild(view), err)
}

// Lines says which part of a log is wanted.
type Lines struct {
	After string `query:"after" doc:"next of the answer before, or the seq of a line; empty: from the start"`
	Limit int    `query:"limit" minimum:"1" maximum:"5000" default:"1000" doc:"Most lines of an answer"`
}

type buildLogsInput struct {
	BuildInput
	Lines
}

func (h *handlers) buildLogs(ctx context.Context, in *buildLogsInput) (*body[api.Logs], error) {
	after, err := position(in.After)
	if err != nil {
		return nil, err
	}
	got, err := h.Workspaces.Logs(ctx, actorOf(ctx), in.id(), after, in.Limit)
	next := ""
	if len(got) == in.Limit {
		next = strconv.FormatInt(got[len(got)-1].Seq, 10)
	}
	return answered(api.Logs{Lines: list(got, same), Next: next}, err)
}

// position reads the number of a log line.
func position(after string) (int64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 0 {
		return 0, berth.InvalidField("after", "%q is not the number of a line", after)
	}
	return n, nil
}

func same[T any](v T) T { return v }

func viewBuild(v workspaces.BuildView) api.Build {
	b := v.Build
	return api.Build{
		ID: string(b.ID), Transition: string(b.Transition), Status: string(b.Status()),
		Unreachable: v.Unreachable, Waits: v.Waits,
		WorkspaceID: string(b.WorkspaceID), Workspace: v.Workspace, Number: b.Number,
		TemplateID: string(b.TemplateID), Template: v.Template, VersionID: string(b.VersionID), Version: v.Version,
		Provider: v.Provider, Reason: string(b.Reason), Initiator: v.Initiator,
		Parameters: b.Parameters, Preset: b.Preset, AllowDestroy: b.AllowDestroy, Orphan: b.Orphan, Next: viewNext(b.Next),
		DailyCost: b.DailyCost, Error: b.Error, ErrorCode: b.ErrorCode, Refused: b.Refused, Attempt: b.Attempt, Runner: b.RunnerID,
		LooksAt: string(b.LooksAt), Drift: v.Drift, Resources: v.Resources, Timings: v.Timings,
		CreatedAt: b.CreatedAt, StartedAt: moment(b.StartedAt), CanceledAt: moment(b.CanceledAt), CompletedAt: moment(b.CompletedAt),
	}
}

func viewNext(n *berth.NextBuild) *api.NextBuild {
	if n == nil {
		return nil
	}
	return &api.NextBuild{VersionID: string(n.Version), Reason: string(n.Reason), AskedAt: n.AskedAt, Dropped: n.Dropped}
}
