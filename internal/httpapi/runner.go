package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/builds"
)

// longestTake is the longest that a runner may wait for a build in one call.
const longestTake = 30 * time.Second

type runnerHelloInput struct{ Body api.RunnerHello }

func (h *handlers) runnerHello(ctx context.Context, in *runnerHelloInput) (*body[api.RunnerWelcome], error) {
	b := in.Body
	if b.Protocol < api.OldestRunnerProtocol {
		return nil, berth.InvalidField("protocol",
			"this runner is too old for the server (protocol %d, at least %d is needed): upgrade it to %s", b.Protocol, api.OldestRunnerProtocol, berth.Release)
	}
	hello := builds.Hello{Runner: b.RunnerID, Version: b.Version, Terraform: b.Terraform, Problem: b.Problem, Slots: b.Slots}
	for _, held := range b.Holds {
		hello.Holds = append(hello.Holds, builds.Held{Build: berth.BuildID(held.BuildID), Attempt: held.Attempt})
	}
	yours, err := h.Queue.Hello(ctx, requestOf(ctx).provider.ID, hello)
	return answered(api.RunnerWelcome{
		Protocol: api.RunnerProtocol,
		Yours: list(yours, func(held builds.Held) api.HeldBuild {
			return api.HeldBuild{BuildID: string(held.Build), Attempt: held.Attempt}
		}),
		Beat: int(h.Beat / time.Second),
	}, err)
}

type takeInput struct{ Body api.Take }

type takeOutput struct {
	Status int
	Body   *api.Job
}

func (h *handlers) runnerTake(ctx context.Context, in *takeInput) (*takeOutput, error) {
	wait := min(max(time.Duration(in.Body.Wait)*time.Second, 0), longestTake)
	ctx, cancel := h.untilStopping(ctx)
	defer cancel()
	job, err := h.Queue.Take(ctx, requestOf(ctx).provider.ID, in.Body.RunnerID, wait, in.Body.Refills)
	if err != nil && h.stopping() {
		return nil, berth.Errorf(berth.Unavailable, "the server is stopping: ask again in a moment")
	}
	if err != nil || job == nil {
		return &takeOutput{Status: http.StatusNoContent}, err
	}
	return &takeOutput{Status: http.StatusOK, Body: viewJob(job)}, nil
}

func viewJob(j *builds.Job) *api.Job {
	return &api.Job{
		BuildID: string(j.Build.ID), Attempt: j.Build.Attempt, Transition: string(j.Build.Transition), Class: int(j.Build.Class),
		Organization: string(j.Build.OrganizationID), Workspace: j.Workspace, Archive: j.Archive, Carried: j.Carried, Variables: j.Variables, Env: j.Env, State: j.State,
		Orphan: j.Build.Orphan, Look: j.Build.LooksAt != "", Timeout: int(j.Timeout / time.Second),
	}
}

// call says which taking of which build a runner speaks of.
func call(ctx context.Context, in BuildInput, runnerID string, attempt int) builds.Call {
	return builds.Call{Provider: requestOf(ctx).provider.ID, Runner: runnerID, Build: in.id(), Attempt: attempt}
}

type beatInput struct {
	BuildInput
	Body api.Beat
}

func (h *handlers) runnerBeat(ctx context.Context, in *beatInput) (*body[api.BeatAnswer], error) {
	b := in.Body
	known, wait := builds.Orders{Cancel: b.Knows.Cancel, Force: b.Knows.Force}, time.Duration(b.Wait)*time.Second
	ctx, cancel := h.untilStopping(ctx)
	defer cancel()
	orders, err := h.Queue.AwaitOrders(ctx, call(ctx, in.BuildInput, b.RunnerID, b.Attempt), known, wait)
	if err != nil && h.stopping() {
		return nil, berth.Errorf(berth.Unavailable, "the server is stopping: ask again in a moment")
	}
	return answered(api.BeatAnswer{Cancel: orders.Cancel, Force: orders.Force}, err)
}

type runnerLogsInput struct {
	BuildInput
	Body api.RunnerLogs
}

func (h *handlers) runnerLogs(ctx context.Context, in *runnerLogsInput) (*struct{}, error) {
	return nil, h.Queue.Logs(ctx, call(ctx, in.BuildInput, in.Body.RunnerID, in.Body.Attempt), in.Body.Lines)
}

type runnerStateInput struct {
	BuildInput
	Body api.RunnerState
}

func (h *handlers) runnerState(ctx context.Context, in *runnerStateInput) (*struct{}, error) {
	b := in.Body
	return nil, h.Queue.State(ctx, call(ctx, in.BuildInput, b.RunnerID, b.Attempt), b.Lineage, b.Serial, b.State)
}

type runnerPlanInput struct {
	BuildInput
	Body api.RunnerPlan
}

func (h *handlers) runnerJudge(ctx context.Context, in *runnerPlanInput) (*body[berth.Verdict], error) {
	verdict, err := h.Queue.Judge(ctx, call(ctx, in.BuildInput, in.Body.RunnerID, in.Body.Attempt), in.Body.Plan)
	return answered(verdict, err)
}

type finishInput struct {
	BuildInput
	Body api.Finish
}

func (h *handlers) runnerFinish(ctx context.Context, in *finishInput) (*struct{}, error) {
	b := in.Body
	report := builds.Report{
		Error: b.Error, ErrorCode: b.ErrorCode, Canceled: b.Canceled, Refused: b.Refused,
		Lineage: b.Lineage, Serial: b.Serial, State: b.State, Addresses: b.Addresses,
		Resources: b.Resources, Timings: b.Timings, Contents: b.Contents, Carried: b.Carried, Drift: b.Drift,
	}
	for _, a := range b.Agents {
		report.Agents = append(report.Agents, builds.FoundAgent{ID: berth.AgentID(a.ID), Token: a.Token, AgentSpec: a.AgentSpec})
	}
	return nil, h.Queue.Finish(ctx, call(ctx, in.BuildInput, b.RunnerID, b.Attempt), report)
}

type archiveInput struct {
	Hash string `path:"hash"`
}

func (h *handlers) runnerArchive(ctx context.Context, in *archiveInput) (*download, error) {
	data, err := h.Templates.RunnerArchive(ctx, requestOf(ctx).provider.ID, in.Hash)
	return &download{"application/x-tar", data}, err
}
