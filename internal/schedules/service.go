package schedules

import (
	"context"
	"log/slog"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/builds"
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
	// Recent is evidence of a workspace's use that may not be in the database
	// yet; nil: there is none.
	Recent func(id berth.WorkspaceID) []berth.Evidence
	// Room is how much a workspace provider can take; see builds.Queue.
	Room func(q *store.Query, id berth.ProviderID, now time.Time) (builds.Room, error)
	// Remind shows those who are in a workspace that it will be stopped; it may be
	// called again for the same step, and need not succeed. nil: nobody is shown.
	Remind func(ctx context.Context, id berth.WorkspaceID, step lifecycle.Step)
	Log    *slog.Logger
}

// New makes the service on an open database.
func New(db *store.DB, w *workspaces.Service, n *notices.Service, opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Recent == nil {
		opt.Recent = func(berth.WorkspaceID) []berth.Evidence { return nil }
	}
	return &Service{db: db, workspaces: w, notices: n, opt: opt}
}
