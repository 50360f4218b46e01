package accounts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Suspend shuts a user out: what they sign in with ends for good, and from here
// on nothing of theirs is let in. Their running workspaces are stopped by the
// loop that ShutOutTopic wakes. Suspending twice is no error.
func (s *Service) Suspend(ctx context.Context, actor authz.Actor, ref string) (v UserView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := other(&tx.Query, actor, ref, "suspend themselves")
		if err != nil {
			return err
		}
		if u.Status == berth.UserSuspended {
			v, err = viewUser(&tx.Query, u)
			return err
		}
		if err := keepOwner(&tx.Query, u); err != nil {
			return err
		}
		changes := berth.Changes{}
		changes.Set("status", string(u.Status), string(berth.UserSuspended))
		u.Status, u.SuspendedAt = berth.UserSuspended, tx.Now
		if err := tx.UpdateUser(u); err != nil {
			return err
		}
		if _, err := tx.DeleteTokensOf(u.ID); err != nil {
			return err
		}
		if err := wakeWorkspaces(tx, u.ID); err != nil {
			return err
		}
		if err := recordUser(tx, actor.UserID, "suspend", u, changes); err != nil {
			return err
		}
		if err := s.opt.Teller.UserSuspended(tx, u, actor.UserID); err != nil {
			return err
		}
		v, err = viewUser(&tx.Query, u)
		return err
	})
	return v, err
}

// wakeWorkspaces has those looked at who are connected to a user's workspaces.
func wakeWorkspaces(tx *store.Tx, u berth.UserID) error {
	owned, err := tx.OwnedWorkspaces(u)
	for _, w := range owned {
		tx.Wake(store.AccessTopic(string(w.ID)))
	}
	return err
}

// Activate lets a suspended or dormant user in again. They sign in anew, and
// start their workspaces by themselves.
func (s *Service) Activate(ctx context.Context, actor authz.Actor, ref string) (v UserView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := person(&tx.Query, actor, authz.Update, ref)
		if err != nil {
			return err
		}
		changes := berth.Changes{}
		changes.Set("status", string(u.Status), string(berth.UserActive))
		if len(changes) > 0 {
			suspended := u.Status == berth.UserSuspended
			u.Status, u.SuspendedAt = berth.UserActive, time.Time{}
			if err := tx.UpdateUser(u); err != nil {
				return err
			}
			if err := recordUser(tx, actor.UserID, "activate", u, changes); err != nil {
				return err
			}
			if suspended {
				if err := s.opt.Teller.UserActivated(tx, u, actor.UserID); err != nil {
					return err
				}
			}
		}
		v, err = viewUser(&tx.Query, u)
		return err
	})
	return v, err
}

// DeleteUser removes a user and all that is theirs alone. It is refused while
// they own workspaces: what is in those is deleted on purpose, or not at all.
// The row stays for the record; name and e-mail address are free again.
func (s *Service) DeleteUser(ctx context.Context, actor authz.Actor, ref string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := person(&tx.Query, actor, authz.Delete, ref)
		if err != nil {
			return err
		}
		if u.ID == actor.UserID {
			return berth.Errorf(berth.Conflict, "nobody can delete themselves: ask another owner or user-admin of the site")
		}
		if err := keepOwner(&tx.Query, u); err != nil {
			return err
		}
		owned, err := tx.OwnedWorkspaces(u.ID)
		if err != nil {
			return err
		}
		if len(owned) > 0 {
			return berth.Errorf(berth.Conflict, "%s still owns %s: delete what is not needed with berth delete %s/NAME, or suspend %s instead",
				u.Username, listed(owned), u.Username, u.Username)
		}
		if err := tx.ForgetPerson(u.ID); err != nil {
			return err
		}
		changes := berth.Changes{}
		changes.Set("username", u.Username, "")
		changes.Set("email", u.Email, "")
		u.DeletedAt, u.Roles = tx.Now, []berth.Role{}
		if err := tx.UpdateUser(u); err != nil {
			return err
		}
		if err := tx.SetPasswordHash(u.ID, ""); err != nil {
			return err
		}
		if err := s.opt.Teller.UserDeleted(tx, u, actor.UserID); err != nil {
			return err
		}
		return recordUser(tx, actor.UserID, "delete", u, changes)
	})
}

// listed names workspaces in a sentence, not more than a few.
func listed(owned []berth.Workspace) string {
	const most = 10
	var words []string
	for i, w := range owned {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(owned)-most))
			break
		}
		words = append(words, w.Name)
	}
	if len(owned) == 1 {
		return "the workspace " + words[0]
	}
	return "the workspaces " + strings.Join(words, ", ")
}

// dormantAfter is how long somebody may be away before they are dormant.
const dormantAfter = 90 * 24 * time.Hour

// MarkDormant marks those as dormant who were not there for long, and tells how
// many. They are active again as soon as they sign in.
func (s *Service) MarkDormant(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		n = 0
		before := tx.Now.Add(-dormantAfter)
		away, err := tx.Unseen(before, 100)
		if err != nil {
			return err
		}
		system, err := tx.UserNamed(berth.PrebuildsUsername)
		if err != nil {
			return err
		}
		for _, u := range away {
			why := fmt.Sprintf("not seen for %d days", int(dormantAfter.Hours()/24))
			if u.SeenAt.IsZero() {
				why = fmt.Sprintf("never seen in the %d days since they were made", int(dormantAfter.Hours()/24))
			}
			changes := berth.Changes{}
			changes.Set("status", string(u.Status), string(berth.UserDormant))
			u.Status = berth.UserDormant
			if err := tx.UpdateUser(u); err != nil {
				return err
			}
			if err := tx.InsertAudit(store.Audit{Class: berth.AuditAutomatic, ActorID: system.ID, Action: "edit", Kind: "user", TargetID: string(u.ID),
				TargetName: u.Username, Changes: changes, Reason: why}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
