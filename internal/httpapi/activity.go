package httpapi

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/workspaces"
)

type agentActivityInput struct{ Body api.AgentActivity }

func (h *handlers) agentActivity(ctx context.Context, in *agentActivityInput) (*struct{}, error) {
	h.Activity.Report(requestOf(ctx).agent.Workspace.ID, Seen(in.Body))
	return nil, nil
}

// Seen is what an agent said, in the words of the use case.
func Seen(in api.AgentActivity) []activity.Seen {
	seen := make([]activity.Seen, len(in.Seen))
	for i, s := range in.Seen {
		seen[i] = activity.Seen{Kind: s.Kind, Detail: s.Detail, Began: millis(s.Began), Last: millis(s.Last)}
	}
	return seen
}

type agentPressureInput struct{ Body api.AgentPressure }

func (h *handlers) agentPressure(ctx context.Context, in *agentPressureInput) (*struct{}, error) {
	return nil, h.Workspaces.AgentPressure(ctx, requestOf(ctx).agent, in.Body.Boot, list(in.Body.Pressure, func(p api.Pressed) workspaces.Pressed {
		return workspaces.Pressed{Path: p.Path, Percent: p.Percent, For: millis(p.Began)}
	}))
}

// millis makes a duration of a number from the wire, which may be one that a
// duration cannot hold.
func millis(n int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(min(max(n, 0), most)) * time.Millisecond
}

func (h *handlers) getActivity(ctx context.Context, in *WorkspaceInput) (*body[api.AskedActivity], error) {
	a, err := h.Activity.Activity(ctx, actorOf(ctx), in.id())
	return answered(api.AskedActivity{Known: a.Known, Activity: viewActivity(a.Activity, a.Running)}, err)
}

func viewActivity(a berth.Activity, running bool) api.Activity {
	v := api.Activity{Awake: running && a.Awake(), Evidence: list(a.All, same), Holds: list(a.Holds, viewHold), IdleCounts: a.IdleCounts}
	if !a.Newest.At.IsZero() {
		v.Newest = &a.Newest
	}
	return v
}

// coarseActivity is viewActivity with times to the minute: who watches a
// workspace need not be told of every request to one of its apps.
func coarseActivity(v workspaces.View) *api.Activity {
	if v.Activity == nil {
		return nil
	}
	a := *v.Activity
	a.All = list(a.All, coarse)
	view := viewActivity(a, v.Build.Build.Transition == berth.Start)
	if view.Newest != nil {
		newest := coarse(*view.Newest)
		view.Newest = &newest
	}
	return &view
}

func coarse(e berth.Evidence) berth.Evidence {
	e.Since, e.At = e.Since.Truncate(time.Minute), e.At.Truncate(time.Minute)
	return e
}

type HoldInput struct {
	WorkspaceInput
	Hold string `path:"hold" doc:"Id"`
}

func (h *handlers) listHolds(ctx context.Context, in *WorkspaceInput) (*body[api.Page[api.Hold]], error) {
	holds, err := h.Activity.Holds(ctx, actorOf(ctx), in.id())
	return answered(api.Page[api.Hold]{Items: list(holds, viewHold)}, err)
}

type createHoldInput struct {
	WorkspaceInput
	Body api.CreateHold
}

func (h *handlers) createHold(ctx context.Context, in *createHoldInput) (*body[api.Hold], error) {
	length, err := seconds("seconds", in.Body.Seconds)
	if err != nil {
		return nil, err
	}
	hold := activity.NewHold{Reason: in.Body.Reason, For: length}
	if in.Body.Until != nil {
		hold.Until = *in.Body.Until
	}
	made, err := h.Activity.Hold(ctx, actorOf(ctx), in.id(), hold)
	return answered(viewHold(made), err)
}

func (h *handlers) releaseHold(ctx context.Context, in *HoldInput) (*struct{}, error) {
	return nil, h.Activity.Release(ctx, actorOf(ctx), in.id(), berth.HoldID(in.Hold))
}

func (h *handlers) releaseHolds(ctx context.Context, in *WorkspaceInput) (*struct{}, error) {
	_, err := h.Activity.ReleaseAll(ctx, actorOf(ctx), in.id())
	return nil, err
}

func viewHold(h berth.Hold) api.Hold {
	return api.Hold{ID: string(h.ID), Reason: h.Reason, By: h.By, CreatedAt: h.CreatedAt, Until: h.Until}
}
