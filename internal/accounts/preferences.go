package accounts

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Preferences are what people decide of themselves. nil fields stay as they are.
type Preferences struct {
	Dotfiles *string // URI; empty: none
}

// SetPreferences changes the actor's own preferences.
func (s *Service) SetPreferences(ctx context.Context, actor authz.Actor, p Preferences) (u berth.User, err error) {
	if err := authz.Check(actor, authz.Update, authz.OfUser(actor.UserID), "your user"); err != nil {
		return u, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if u, err = tx.User(actor.UserID); err != nil {
			return err
		}
		changes := berth.Changes{}
		if p.Dotfiles != nil {
			if err := berth.ValidateDotfiles("dotfiles", *p.Dotfiles); err != nil {
				return err
			}
			changes.Set("dotfiles", u.Dotfiles, *p.Dotfiles)
			u.Dotfiles = *p.Dotfiles
		}
		if err := tx.UpdateUser(u); err != nil {
			return err
		}
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "edit", Kind: "user", TargetID: string(u.ID), TargetName: u.Username,
			Changes: changes})
	})
	return u, err
}
