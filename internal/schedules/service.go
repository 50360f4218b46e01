package schedules

import (
	"context"
	"log/slog"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db         *store.DB
	workspaces *workspaces.Service
	notices    *notices.Service
	opt        Options
}

// Options are what the service needs to know of its server.
type Options struct {
	Site lifecycle.Site
	// Ask asks a workspace's agents what they saw; see activity.Book.
	Ask func(ctx context.Context, id berth.WorkspaceID) (activity.Answer, error)
	Log *slog.Logger
}

// New makes the service on an open database.
func New(db *store.DB, w *workspaces.Service, n *notices.Service, opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: db, workspaces: w, notices: n, opt: opt}
}

// Tick asks the rules of every workspace that is due, does what they say, and
// tells how many things it did. It is safe on every replica at once.
func (s *Service) Tick(ctx context.Context, now time.Time) (did int64, err error) { return 0, nil }

// Finished does what the end of a build means for the rules of its workspace:
// by what the run is stopped, and that they are asked again.
func (s *Service) Finished(tx *store.Tx, b berth.Build) error { return tx.LookAgain(b.WorkspaceID) }
