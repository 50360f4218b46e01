package schedules_test

import (
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// Facts are what is written down: who, by which settings, which builds.
func TestFacts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL = 8 * time.Hour })
		run, idle := h.running("run"), h.stopped("idle")
		f := h.facts(run)
		if f.Run == nil || f.Run.Number != 1 || f.Build.ID != f.Run.ID || f.Owner.Username != "mel" || f.Template.Name != "dev" || f.Organization.Name == "" {
			t.Fatalf("%+v", f)
		}
		if p := f.Run.Policy; p == nil || p.TTL != 8*time.Hour || p.Bump != time.Hour || f.Workspace.TTL != 8*time.Hour {
			t.Errorf("by what it is stopped: %+v, %v", p, f.Workspace.TTL)
		}
		if !f.Place.Ready || f.Place.Full || f.Workspace.NextLook.IsZero() {
			t.Errorf("place %+v, looked at %v", f.Place, f.Workspace.NextLook)
		}
		if f := h.facts(idle); f.Run != nil || f.Build.Transition != berth.Stop {
			t.Errorf("a stopped one runs: %+v", f.Run)
		}
		h.write(func(tx *store.Tx) error {
			return tx.NoteActivity([]store.Sighting{{Workspace: run, Evidence: berth.Evidence{Kind: berth.EvidenceSSH, Since: tx.Now, At: tx.Now}}})
		})
		must(t, h.db.Read(t.Context(), func(q *store.Query) error {
			all, err := h.schedules.FactsOfMany(q, []berth.WorkspaceID{run, idle, "nobody"})
			if len(all) != 2 || all[run].Seen.Newest.Kind != berth.EvidenceSSH || !all[idle].Seen.Newest.At.IsZero() {
				t.Errorf("of many: %+v", all)
			}
			return err
		}))
	})
}

// What a build left running is what the rules look at, also when builds behind
// it failed.
func TestRun(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		build := func(tr berth.Transition) {
			t.Helper()
			_, err := h.workspaces.Build(t.Context(), h.mel, id, workspaces.BuildInput{Transition: tr})
			must(t, err)
		}
		failed := builds.Report{Error: "the cloud is away"}
		run := func(want int) {
			t.Helper()
			switch f := h.facts(id); {
			case f.Run == nil && want != 0 || f.Run != nil && f.Run.Number != want:
				t.Fatalf("the run is %+v, want number %d", f.Run, want)
			case f.Run != nil && f.Run.Policy == nil:
				t.Errorf("run %d has no policy", want)
			}
		}
		run(1)
		build(berth.Stop)
		run(1)
		h.run(failed)
		run(1)
		build(berth.Stop)
		h.run(builds.Report{})
		run(0)
		build(berth.Start) // refused before it changed anything
		_, call := h.take()
		must(t, h.queue.Finish(t.Context(), call, failed))
		run(0)
		build(berth.Start)
		h.run(failed)
		run(5)
		build(berth.Start)
		run(5)
		h.run(builds.Report{})
		run(6)
	})
}
