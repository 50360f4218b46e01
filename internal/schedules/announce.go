package schedules

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

// Reminder is the line that those read who are in a workspace that will be
// stopped; empty where nothing stops it.
func (s *Service) Reminder(ctx context.Context, id berth.WorkspaceID) (line string, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		f, err := s.FactsOf(q, id)
		if err != nil {
			return err
		}
		line = reminder(f, time.Now())
		return nil
	})
	return line, err
}

func reminder(f lifecycle.Facts, now time.Time) string {
	plan := lifecycle.Deadline(f, now)
	if plan.At.IsZero() {
		return ""
	}
	line := fmt.Sprintf("Berth: the workspace %s %s", f.Workspace.Name, strings.TrimPrefix(lifecycle.StopSays(f, plan), "It "))
	if plan.Never.After(plan.At) || plan.Never.IsZero() {
		line += fmt.Sprintf(" To put it off: berth schedule extend %s 2h", f.Workspace.Name)
	}
	return line
}
