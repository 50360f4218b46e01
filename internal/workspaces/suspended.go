package workspaces

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// A stop that failed is tried again after as long as the owner has been
// suspended, within these bounds: soon at first, then more and more rarely.
const (
	stopAgain     = 5 * time.Minute
	stopAgainMost = 6 * time.Hour
)

// StopSuspended stops the workspaces of suspended users that may still run, and
// tells how many stops it queued. A build that is under way is let finish: the
// next run stops what it left. It is safe on every replica at once.
func (s *Service) StopSuspended(ctx context.Context, now time.Time) (n int64, err error) {
	var problems []error
	var after berth.WorkspaceID
	for {
		var left []store.LeftRunning
		err := s.db.Read(ctx, func(q *store.Query) (err error) {
			left, err = q.LeftRunning(after, 100)
			return err
		})
		if err != nil || len(left) == 0 {
			return n, errors.Join(append(problems, err)...)
		}
		for _, l := range left {
			after = l.ID
			if l.Build.Transition != berth.Start && now.Before(stopDue(l)) {
				continue
			}
			switch err := s.stopSuspended(ctx, l.ID); berth.ErrorCode(err) {
			case "":
				n++
			case berth.Conflict, berth.NotFound: // another replica, or a person, was faster
			default:
				problems = append(problems, fmt.Errorf("stopping workspace %s of a suspended user: %w", l.ID, err))
			}
		}
	}
}

// stopDue is when a stop that failed is tried again.
func stopDue(l store.LeftRunning) time.Time {
	ended := l.Build.CompletedAt
	return ended.Add(min(max(ended.Sub(l.SuspendedAt), stopAgain), stopAgainMost))
}

func (s *Service) stopSuspended(ctx context.Context, id berth.WorkspaceID) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		system, err := tx.UserNamed(berth.PrebuildsUsername)
		if err != nil {
			return err
		}
		w, _, err := s.buildIn(tx, authz.System(system.ID), id, BuildInput{Transition: berth.Stop, Reason: berth.ReasonSuspended})
		if err != nil {
			return err
		}
		owner, err := tx.User(w.OwnerID)
		if err == nil && owner.Status != berth.UserSuspended {
			return berth.Errorf(berth.Conflict, "%s is not suspended any more", owner.Username)
		}
		return err
	})
}
