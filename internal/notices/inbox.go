package notices

import (
	"context"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Notices are kept for this long: a month once they were read.
const (
	keepRead = 30 * 24 * time.Hour
	keepAll  = 90 * 24 * time.Hour
	pruned   = 500 // in one transaction
)

// mine is the right to the actor's own notices. Nobody has it to another's.
func mine(actor authz.Actor, action authz.Action) error {
	return authz.Check(actor, action, authz.OfNotice(actor.UserID), "your notices")
}

// Inbox is one page of what the actor was told, the newest first, where the next
// begins, and how many are unread in all.
func (s *Service) Inbox(ctx context.Context, actor authz.Actor, unread bool, after string, limit int) (all []berth.Notice, next string, left int, err error) {
	if err := mine(actor, authz.Read); err != nil {
		return nil, "", 0, err
	}
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", 0, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		if all, next, err = q.NoticePage(actor.UserID, unread, page); err != nil {
			return err
		}
		left, err = q.UnreadNotices(actor.UserID)
		return err
	})
	return all, next, left, err
}

// most notices that are marked by their ids at once.
const mostRead = 500

// Read marks notices of the actor as read: those, or all that they were told
// until now.
func (s *Service) Read(ctx context.Context, actor authz.Actor, ids []berth.NoticeID, all bool) error {
	if err := mine(actor, authz.Update); err != nil {
		return err
	}
	switch {
	case all == (len(ids) > 0):
		return berth.InvalidField("ids", "say which notices you have read, or all")
	case len(ids) > mostRead:
		return berth.InvalidField("ids", "these are too many notices: at most %d at once, or all", mostRead)
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if all {
			_, err := tx.ReadNotices(actor.UserID, tx.Now)
			return err
		}
		for _, id := range ids {
			if err := tx.ReadNotice(actor.UserID, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Prune removes what was kept long enough, and tells how much.
func (s *Service) Prune(ctx context.Context) (total int64, err error) {
	for n := int64(pruned); n == pruned; {
		err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.PruneNotices(tx.Now.Add(-keepRead), tx.Now.Add(-keepAll), pruned)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("removing old notices: %w", err)
		}
		total += n
	}
	return total, nil
}
