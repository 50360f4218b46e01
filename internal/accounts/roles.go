package accounts

import (
	"context"
	"slices"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

var errLastOwner = berth.Errorf(berth.Conflict,
	"this is the last owner of the site who can sign in: make somebody else an owner first, with berth users edit NAME --role owner")

// keepOwner refuses to take away the last owner of the site who can sign in.
func keepOwner(q *store.Query, u berth.User) error {
	if !slices.Contains(u.Roles, berth.RoleOwner) {
		return nil
	}
	n, err := q.OtherOwners(u.ID)
	if err == nil && n == 0 {
		return errLastOwner
	}
	return err
}

// SetRoles gives a user these roles of the site and no others.
func (s *Service) SetRoles(ctx context.Context, actor authz.Actor, ref string, roles []berth.Role) (u berth.User, err error) {
	if err := openly(actor, authz.Assign, authz.KindRole, roleRule); err != nil {
		return u, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if u, err = person(&tx.Query, actor, authz.Update, ref); err != nil {
			return err
		}
		u, err = SetRolesIn(tx, actor.UserID, u, roles)
		return err
	})
	return u, err
}

// SetRolesIn is SetRoles in a transaction that its caller decides about: it
// checks no right. The last owner stays one, which is a conflict.
func SetRolesIn(tx *store.Tx, by berth.UserID, u berth.User, roles []berth.Role) (berth.User, error) {
	if err := berth.ValidateRoles("roles", roles, berth.SiteRoles); err != nil {
		return u, err
	}
	sorted := []berth.Role{}
	for _, r := range berth.SiteRoles {
		if slices.Contains(roles, r) {
			sorted = append(sorted, r)
		}
	}
	changes := berth.Changes{}
	changes.Set("roles", named(u.Roles), named(sorted))
	if len(changes) == 0 {
		return u, nil
	}
	if !slices.Contains(sorted, berth.RoleOwner) {
		if err := keepOwner(&tx.Query, u); err != nil {
			return u, err
		}
	}
	u.Roles = sorted
	if err := tx.UpdateUser(u); err != nil {
		return u, err
	}
	return u, recordUser(tx, by, "edit", u, changes)
}

// named are roles in the order in which all are listed.
func named(roles []berth.Role) []string {
	names := []string{}
	for _, r := range berth.SiteRoles {
		if slices.Contains(roles, r) {
			names = append(names, string(r))
		}
	}
	return names
}

// recordUser records what was done to a user.
func recordUser(tx *store.Tx, by berth.UserID, action string, u berth.User, changes berth.Changes) error {
	return tx.InsertAudit(store.Audit{ActorID: by, Action: action, Kind: "user", TargetID: string(u.ID), TargetName: u.Username, Changes: changes})
}
