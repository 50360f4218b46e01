package notices

import (
	"context"
	"log/slog"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db  *store.DB
	opt Options
}

// Options are the ways out of the house.
type Options struct {
	AccessURL string // where the links in notices lead
	Log       *slog.Logger
}

// New makes the service on an open database.
func New(db *store.DB, opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: db, opt: opt}
}

// Tell tells people of what happens in this transaction. What one of them was
// told before by the same Once they are not told again. It fills in the id, the
// person and the time.
func (s *Service) Tell(tx *store.Tx, n berth.Notice, to ...berth.UserID) error { return nil }

// Send sends what is due and tells how many were sent. It is safe on every
// replica at once.
func (s *Service) Send(ctx context.Context) (sent int64, err error) { return 0, nil }
