package activity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

const (
	maxHolds  = 20  // on one workspace
	maxReason = 200 // bytes
	// slack is what a moment on somebody else's clock may be off by.
	slack = time.Minute
)

// NewHold is what to hold a workspace for: a time from now on, or until a
// moment.
type NewHold struct {
	Reason string // empty: "held by NAME"
	For    time.Duration
	Until  time.Time
}

// Hold keeps a workspace awake. A hold of the same person with the same reason
// is renewed, which never shortens it. The actor needs the right to connect to
// the workspace, as programs in it have.
func (b *Book) Hold(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, n NewHold) (h berth.Hold, err error) {
	if n.Reason, err = n.reason(actor); err != nil {
		return h, err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		w, err := sharing.Find(&tx.Query, actor, authz.Connect, id)
		if err != nil {
			return err
		}
		until, err := n.until(tx.Now, b.o.MaxHold)
		if err != nil {
			return err
		}
		newest, err := tx.NewestBuild(id)
		if err != nil {
			return err
		}
		if newest.Transition != berth.Start {
			return berth.Errorf(berth.Conflict, "the workspace %s is %s, and a hold keeps one awake that runs: start it with berth start %s",
				w.Name, berth.WorkspaceStatus(newest), w.Name)
		}
		h, err = b.put(tx, actor, w, n.Reason, until)
		return err
	})
	return h, err
}

func (b *Book) put(tx *store.Tx, actor authz.Actor, w berth.Workspace, reason string, until time.Time) (berth.Hold, error) {
	holds, err := tx.Holds(w.ID, tx.Now)
	if err != nil {
		return berth.Hold{}, err
	}
	tx.Wake(store.WorkspaceTopic(w.ID))
	for _, h := range holds {
		if h.CreatedBy == actor.UserID && h.Reason == reason {
			before := h.Until
			if until.After(h.Until) {
				h.Until = until
			}
			return h, errors.Join(tx.PutHold(h), renewed(tx, actor, w, h, before))
		}
	}
	if len(holds) >= maxHolds {
		return berth.Hold{}, berth.Errorf(berth.Limit, "the workspace %s has %d holds already: release some, or renew one by giving its reason again", w.Name, len(holds))
	}
	h := berth.Hold{ID: berth.NewID[berth.Hold](), WorkspaceID: w.ID, Reason: reason, CreatedBy: actor.UserID, By: actor.Username,
		CreatedAt: tx.Now, Until: until}
	if err := tx.PutHold(h); err != nil {
		return h, err
	}
	return h, audit(tx, actor, "hold", w, h, berth.Changes{"until": {New: h.Until}})
}

// reason checks it, and makes one where there is none.
func (n NewHold) reason(actor authz.Actor) (string, error) {
	reason := strings.Join(strings.Fields(n.Reason), " ")
	if len(reason) > maxReason {
		return "", berth.InvalidField("reason", "the reason has %d characters, at most %d are kept: say it shorter", len(reason), maxReason)
	}
	if reason == "" {
		reason = "held by " + actor.Username
	}
	return reason, nil
}

// until is the end of the hold.
func (n NewHold) until(now time.Time, most time.Duration) (time.Time, error) {
	until, field := now.Add(n.For), "seconds"
	switch {
	case n.For != 0 && !n.Until.IsZero():
		return until, berth.InvalidField("until", "give how long the hold lasts, or until when, not both")
	case !n.Until.IsZero():
		until, field = n.Until.UTC().Truncate(time.Microsecond), "until"
	}
	switch {
	case n.For < 0 || !until.After(now):
		return until, berth.InvalidField(field, "the hold would be over at once: say how long it lasts, for example 2h")
	case n.For > most || until.Sub(now) > most+slack:
		return until, berth.InvalidField(field, "a hold lasts at most %s: set that, and renew it by setting it again before it ends", inWords(most))
	}
	return until, nil
}

func inWords(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return d.Round(time.Second).String()
}

// Holds lists the holds of a workspace that last, the longest first.
func (b *Book) Holds(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (holds []berth.Hold, err error) {
	err = b.db.Read(ctx, func(q *store.Query) error {
		if _, err := sharing.Find(q, actor, authz.Read, id); err != nil {
			return err
		}
		holds, err = q.Holds(id, time.Now())
		return err
	})
	return holds, err
}

// Release ends a hold: one's own, or, with the right to change the workspace,
// whoever set it.
func (b *Book) Release(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, hold berth.HoldID) error {
	n, err := b.release(ctx, actor, id, func(h berth.Hold) bool { return h.ID == hold })
	if err == nil && n == 0 {
		return berth.Errorf(berth.NotFound, "there is no such hold; it may have ended by itself. berth hold list shows those that last")
	}
	return err
}

// ReleaseAll ends all holds of a workspace that the actor may end and tells how
// many there were.
func (b *Book) ReleaseAll(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (int, error) {
	return b.release(ctx, actor, id, func(berth.Hold) bool { return true })
}

func (b *Book) release(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, which func(berth.Hold) bool) (n int, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		n = 0
		w, err := sharing.Find(&tx.Query, actor, authz.Connect, id)
		if err != nil {
			return err
		}
		holds, err := tx.Holds(id, tx.Now)
		if err != nil {
			return err
		}
		others, err := mayReleaseOthers(&tx.Query, actor, w)
		if err != nil {
			return err
		}
		for _, h := range holds {
			if !which(h) || h.CreatedBy != actor.UserID && !others {
				continue
			}
			if err := errors.Join(tx.DeleteHold(id, h.ID), audit(tx, actor, "release-hold", w, h, berth.Changes{"until": {Old: h.Until}})); err != nil {
				return err
			}
			n++
		}
		tx.Wake(store.WorkspaceTopic(id))
		return nil
	})
	return n, err
}

// mayReleaseOthers tells whether the actor may end what others hold a workspace
// awake for: with the right to change it.
func mayReleaseOthers(q *store.Query, actor authz.Actor, w berth.Workspace) (bool, error) {
	on, err := sharing.Workspace(q, w)
	return authz.Can(actor, authz.Update, on), err
}

// CleanHolds removes holds that have ended, some at a time, and tells how many.
func (b *Book) CleanHolds(ctx context.Context) (n int64, err error) {
	err = b.db.Guarded(ctx, func(tx *store.Tx) error {
		n, err = tx.DeleteEndedHolds(tx.Now, 1000)
		return err
	})
	return n, err
}

// renewedEvery is how often it is recorded that somebody renews holds of a
// workspace: programs do so every minute.
const renewedEvery = time.Hour

func renewed(tx *store.Tx, actor authz.Actor, w berth.Workspace, h berth.Hold, before time.Time) error {
	const action = "renew-hold"
	done, err := tx.Audited(actor.UserID, action, string(w.ID), tx.Now.Add(-renewedEvery))
	if err != nil || done || h.Until.Equal(before) {
		return err
	}
	return audit(tx, actor, action, w, h, berth.Changes{"until": {Old: before, New: h.Until}})
}

func audit(tx *store.Tx, actor authz.Actor, action string, w berth.Workspace, h berth.Hold, changes berth.Changes) error {
	row, err := tx.AuditOf(w)
	row.ActorID, row.Action, row.Changes, row.Detail = actor.UserID, action, changes, map[string]any{"hold": h.ID, "reason": h.Reason}
	return errors.Join(err, tx.InsertAudit(row))
}
