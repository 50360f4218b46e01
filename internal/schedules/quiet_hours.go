package schedules

import (
	"cmp"
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

// midnight is the quiet hours of a server that says none.
const midnight = "CRON_TZ=UTC 0 0 * * *"

// QuietHours is when a user's workspaces are stopped where that is required.
type QuietHours struct {
	Own   string         // the user's; empty: none
	Holds berth.Schedule // theirs, or the server's
	Fixed bool           // nobody sets their own
}

// QuietHours are those of a user by username, id or "me".
func (s *Service) QuietHours(ctx context.Context, actor authz.Actor, ref string) (h QuietHours, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		u, err := accounts.Person(q, actor, authz.Read, ref)
		if err != nil {
			return err
		}
		h, err = s.quietHours(u)
		return err
	})
	return h, err
}

func (s *Service) quietHours(u berth.User) (h QuietHours, err error) {
	h = QuietHours{Own: u.QuietHours, Fixed: !s.opt.Site.CustomQuietHours}
	text := cmp.Or(lifecycle.QuietHoursOf(lifecycle.Facts{Owner: u, Site: s.opt.Site}), midnight)
	h.Holds, err = berth.ParseQuietHours("schedule", text)
	return h, err
}

// SetQuietHours changes those of a user; an empty text is the server's. What
// runs is stopped by the ones before, unless the new ones are later, or now is
// said.
func (s *Service) SetQuietHours(ctx context.Context, actor authz.Actor, ref, text string, now bool) (h QuietHours, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := accounts.Person(&tx.Query, actor, authz.Update, ref)
		if err != nil {
			return err
		}
		if text != "" {
			schedule, err := berth.ParseQuietHours("schedule", text)
			if err != nil {
				return err
			}
			text = schedule.String()
		}
		if text != "" && !s.opt.Site.CustomQuietHours {
			return s.fixed(u)
		}
		changes := berth.Changes{}
		changes.Set("quiet_hours", u.QuietHours, text)
		if now {
			changes.Set("apply_now", false, true)
		}
		if len(changes) > 0 {
			if err := errors.Join(tx.SetQuietHours(u.ID, text), s.putQuietHours(tx, u.ID, now), tx.LookAgainOwned(u.ID), tx.InsertAudit(store.Audit{ActorID: actor.UserID,
				Action: "edit", Kind: "user", TargetID: string(u.ID), TargetName: u.Username, Changes: changes})); err != nil {
				return err
			}
		}
		u.QuietHours = text
		h, err = s.quietHours(u)
		return err
	})
	return h, err
}

// putQuietHours puts those that hold now on what runs of a user, where that is
// wanted.
func (s *Service) putQuietHours(tx *store.Tx, id berth.UserID, now bool) error {
	if !now {
		return nil
	}
	owned, err := tx.OwnedWorkspaces(id)
	if err != nil {
		return err
	}
	ids := make([]berth.WorkspaceID, len(owned))
	for i, w := range owned {
		ids[i] = w.ID
	}
	all, err := s.settings(&tx.Query, ids)
	for _, f := range all {
		err = errors.Join(err, keepPut(tx, f, lifecycle.Put{QuietHours: true}))
	}
	return err
}

func (s *Service) fixed(u berth.User) error {
	h, err := s.quietHours(u)
	if err != nil {
		return err
	}
	return &berth.Error{Code: berth.Forbidden, Field: "schedule",
		Message: "this server lets nobody set quiet hours of their own, those of all are at " + h.Holds.Describe() + ": ask who runs it"}
}
