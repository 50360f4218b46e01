package workspaces_test

import (
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestWorkspacesOfSuspendedUsersAreStopped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		run, _ := h.running(h.mel, "run")
		eves, _ := h.running(h.eve, "eves")
		stop := func() int64 {
			t.Helper()
			n, err := h.workspaces.StopSuspended(t.Context(), time.Now())
			must(t, err)
			return n
		}
		newest := func(id berth.WorkspaceID) (b berth.Build) {
			t.Helper()
			must(t, h.db.Read(t.Context(), func(q *store.Query) (err error) { b, err = q.NewestBuild(id); return err }))
			return b
		}
		if n := stop(); n != 0 {
			t.Fatalf("%d were stopped while nobody is suspended", n)
		}
		h.suspend(h.mel, berth.UserSuspended)
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error { // as Suspend does
			u, err := tx.User(h.mel.UserID)
			u.SuspendedAt = tx.Now
			if err != nil {
				return err
			}
			return tx.UpdateUser(u)
		}))
		errs := make(chan int64, 4)
		for range 4 { // several replicas at once
			go func() {
				n, err := h.workspaces.StopSuspended(t.Context(), time.Now())
				if err != nil {
					t.Error(err)
				}
				errs <- n
			}()
		}
		total := int64(0)
		for range 4 {
			total += <-errs
		}
		b := newest(run.Workspace.ID)
		if total != 1 || b.Transition != berth.Stop || b.Reason != berth.ReasonSuspended || b.Status() != berth.BuildPending {
			t.Fatalf("%d stops, the newest build is %+v", total, b)
		}
		if b := newest(eves.Workspace.ID); b.Transition != berth.Start {
			t.Error("another's workspace was stopped")
		}
		// A stop that fails is tried again, not at once.
		h.run(builds.Report{Error: "the cloud is away", ErrorCode: "terraform"})
		if n := stop(); n != 0 {
			t.Error("a stop that failed is tried again at once")
		}
		if n, err := h.workspaces.StopSuspended(t.Context(), time.Now().Add(6*time.Minute)); err != nil || n != 1 {
			t.Errorf("a stop that failed is not tried again: %d, %v", n, err)
		}
		h.run(stopped(2))
		if n := stop(); n != 0 {
			t.Error("what is stopped is stopped again")
		}
		h.suspend(h.mel, berth.UserActive)
		must(t, h.build(h.mel, run.Workspace.ID, workspaces.BuildInput{Transition: berth.Start}))
	})
}
