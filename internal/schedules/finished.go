package schedules

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

// Kind is what the queue knows of workspaces' builds: the end of one is also one
// for the rules of their lives, and people are told of it.
func (s *Service) Kind() builds.Kind {
	k := s.workspaces.Kind()
	finish := k.Finish
	k.Finish = func(tx *store.Tx, b berth.Build, r builds.Report) error {
		if err := finish(tx, b, r); err != nil {
			return err
		}
		if err := s.Finished(tx, b); err != nil {
			return err
		}
		return s.notices.BuildEnded(tx, b)
	}
	return k
}

// Finished does what the end of a build means for the rules of its workspace, in
// the transaction that ends it: by what the run is stopped, what of the last run
// is over, and that the rules are asked again.
func (s *Service) Finished(tx *store.Tx, b berth.Build) error {
	found, err := s.settings(&tx.Query, []berth.WorkspaceID{b.WorkspaceID})
	if err != nil {
		return err
	}
	f, ok := found[b.WorkspaceID]
	if !ok || f.Workspace.Prebuild || !f.Workspace.DeletedAt.IsZero() {
		return nil
	}
	if b.Transition == berth.Start && f.Run != nil && f.Run.ID == b.ID {
		if err := tx.SetBuildPolicy(b.ID, lifecycle.PolicyOf(f)); err != nil {
			return err
		}
	}
	l := f.Workspace.Lifecycle
	l.UnknownSince = time.Time{}
	if b.Status() == berth.BuildSucceeded {
		l.RemindedFor = time.Time{}
		switch b.Transition {
		case berth.Start:
			l.StartTakes = smoothed(l.StartTakes, b.CompletedAt.Sub(b.StartedAt))
			if lifecycle.Personal(b) { // kept when an automatic stop is the newest build
				if err := tx.UseWorkspace(b.WorkspaceID); err != nil {
					return err
				}
			}
		case berth.Stop:
			l.ExtendedUntil = time.Time{}
		}
	}
	return tx.SetLifecycle(b.WorkspaceID, l)
}

// smoothed is how long starts take after one more: the last ones count most.
func smoothed(known, took time.Duration) time.Duration {
	switch {
	case took <= 0:
		return known
	case known == 0:
		return took
	}
	return (2*known + took) / 3
}
