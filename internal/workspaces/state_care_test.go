package workspaces_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestAFormerStateIsRestored(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		ws, ctx, id := h.workspaces, t.Context(), v.Workspace.ID
		_, err := ws.PushState(ctx, h.admin, id, []byte(`{"version":4,"lineage":"L","serial":7,"resources":[{"mode":"managed","type":"aws_disk","name":"d","instances":[{}]}]}`))
		must(t, err)
		kept, err := ws.StateVersions(ctx, h.admin, id)
		must(t, err)
		first := kept[len(kept)-1].Revision.ID
		_, err = ws.RestoreState(ctx, h.mel, id, first)
		want(t, "its owner", err, berth.Forbidden)
		_, err = ws.RestoreState(ctx, h.eve, id, first)
		want(t, "a stranger", err, berth.NotFound)
		_, err = ws.RestoreState(ctx, h.admin, id, 99)
		want(t, "one that there is not", err, berth.Invalid)
		_, err = ws.RestoreState(ctx, h.admin, id, kept[0].Revision.ID)
		want(t, "the current one", err, berth.Invalid)
		got, err := ws.RestoreState(ctx, h.admin, id, first)
		must(t, err)
		if r := got.Revision; r.Serial != 8 || r.Lineage != "L" || !r.Current || got.CreatedBy != "tam" {
			t.Errorf("restored: %+v", got)
		}
		if text := h.newest("state-restore"); !strings.Contains(text, "tam write mel/box ok serial:7>8 state:secret") {
			t.Errorf("recorded: %s", text)
		}
		state, err := ws.State(ctx, h.admin, id)
		must(t, err)
		if text := string(state); strings.Contains(text, "aws_disk") || !strings.Contains(text, `"serial":8`) {
			t.Errorf("the state is %s", text)
		}
		// The next build begins from it.
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		_, err = ws.RestoreState(ctx, h.admin, id, first)
		want(t, "while a build is under way", err, berth.Conflict)
		if job, _ := h.take(); !strings.Contains(string(job.State), `"serial":8`) {
			t.Errorf("a build begins from %s", job.State)
		}
	})
}

func TestDriftIsLookedForAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		ws, ctx, id := h.workspaces, t.Context(), v.Workspace.ID
		_, err := ws.Look(ctx, h.eve, id)
		want(t, "a stranger", err, berth.NotFound)
		b, err := ws.Look(ctx, h.mel, id)
		must(t, err)
		if b.Build.LooksAt != id || b.Workspace != "mel/box" || b.Drift != nil {
			t.Errorf("asked: %+v", b)
		}
		job, call := h.take()
		if job.Build.LooksAt != id || job.Env["CODER_WORKSPACE_ID"] != string(id) || job.Env["CODER_WORKSPACE_TRANSITION"] != "start" || !strings.Contains(string(job.State), `"lineage":"L"`) {
			t.Errorf("the job: %+v, state %s", job.Build, job.State)
		}
		verdict, err := h.queue.Judge(ctx, call, berth.Plan{})
		must(t, err)
		if verdict.Allow {
			t.Error("it may change something")
		}
		found := []berth.Drift{{Address: "docker_container.ws[0]", Type: "docker_container", Gone: true}, {Address: "docker_volume.home", Attributes: []string{"labels"}}}
		must(t, h.queue.Finish(ctx, call, builds.Report{Drift: &found, State: []byte(`{"version":4,"lineage":"L","serial":9}`), Lineage: "L", Serial: 9}))
		got, err := ws.GetBuild(ctx, h.mel, b.Build.ID)
		must(t, err)
		if got.Drift == nil || cmp.Diff(found, *got.Drift) != "" || got.Build.Status() != berth.BuildSucceeded {
			t.Errorf("found: %v, %s", got.Drift, got.Build.Error)
		}
		_, err = ws.GetBuild(ctx, h.eve, b.Build.ID)
		want(t, "a stranger's look at what was found", err, berth.NotFound)
		after, err := ws.Get(ctx, h.mel, id)
		must(t, err)
		state, err := ws.State(ctx, h.admin, id)
		must(t, err)
		if after.Status != v.Status || after.Build.Build.ID != v.Build.Build.ID || strings.Contains(string(state), `"serial":9`) {
			t.Errorf("the workspace is %s after build %s, state %s", after.Status, after.Build.Build.ID, state)
		}
		listed, _, err := ws.ListBuilds(ctx, h.mel, "transition:import", "", 0)
		must(t, err)
		if len(listed) != 1 || listed[0].Workspace != "mel/box" {
			t.Errorf("listed: %+v", listed)
		}
		// A runner that is too old imports instead, and says nothing of drift.
		old, err := ws.Look(ctx, h.mel, id)
		must(t, err)
		_, call = h.take()
		must(t, h.queue.Finish(ctx, call, builds.Report{Contents: &berth.Contents{}}))
		if old, err = ws.GetBuild(ctx, h.mel, old.Build.ID); err != nil || old.Build.ErrorCode != berth.FailedResult {
			t.Errorf("%v, %q", err, old.Build.ErrorCode)
		}
	})
}
