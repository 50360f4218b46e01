package signin

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/claims"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/store"
)

// apply brings a user to what the provider says of them: name, address, roles,
// organizations, groups. What it does not say stays.
func (s *Service) apply(tx *store.Tx, p *Provider, u berth.User, who claims.Person) error {
	u, err := s.describe(tx, u, who)
	if err != nil {
		return err
	}
	if who.Roles != nil {
		if _, err := accounts.SetRolesIn(tx, "", u, who.Roles); errors.Is(err, berth.Conflict) {
			// The last owner stays one, whatever the provider says.
			s.opt.Log.Warn("roles of an identity provider are not taken", "provider", p.ID, "user", u.Username, "error", err)
		} else if err != nil {
			return err
		}
	}
	source := berth.Source(p.ID)
	if who.Organizations != nil {
		wanted, err := s.wanted(tx, p, who.Organizations)
		if err != nil {
			return err
		}
		if err := organizations.Sync(tx, u, source, wanted); err != nil {
			return err
		}
	}
	if who.Groups == nil {
		return nil
	}
	byID := map[berth.OrganizationID][]string{}
	for ref, names := range who.Groups {
		o, err := tx.OrganizationRef(ref)
		if errors.Is(err, berth.NotFound) {
			s.opt.Log.Warn("groups are mapped to an organization that is not there", "provider", p.ID, "organization", ref)
			continue
		}
		if err != nil {
			return err
		}
		byID[o.ID] = append(byID[o.ID], names...)
	}
	memberships, err := tx.MembershipsOf(u.ID)
	if err != nil {
		return err
	}
	for _, m := range memberships { // those without groups too: there they are taken out
		if err := organizations.SyncGroups(tx, u, m.OrganizationID, source, byID[m.OrganizationID], p.Groups.Create); err != nil {
			return err
		}
	}
	return nil
}

// describe takes over the name, and an e-mail address that the provider stands
// for and that is nobody else's here: one that it does not, somebody could use to
// be in the way of who it belongs to.
func (s *Service) describe(tx *store.Tx, u berth.User, who claims.Person) (berth.User, error) {
	changes := berth.Changes{}
	if who.Name != "" {
		changes.Set("name", u.Name, who.Name)
		u.Name = who.Name
	}
	if who.EmailVerified && who.Email != u.Email {
		other, err := tx.UserWithEmail(who.Email)
		switch {
		case errors.Is(err, berth.NotFound), err == nil && other.ID == u.ID:
			changes.Set("email", u.Email, who.Email)
			u.Email = who.Email
		case err != nil:
			return u, err
		}
	}
	if len(changes) == 0 {
		return u, nil
	}
	if err := tx.UpdateUser(u); err != nil {
		return u, err
	}
	return u, tx.InsertAudit(store.Audit{Class: berth.AuditAutomatic, Action: "edit", Kind: "user", TargetID: string(u.ID), TargetName: u.Username,
		Changes: changes, Reason: "the identity provider says so"})
}

// wanted are memberships by id. Those of organizations that are not there are
// left out.
func (s *Service) wanted(tx *store.Tx, p *Provider, list []claims.Membership) (wanted []berth.Membership, err error) {
	for _, m := range list {
		o, err := tx.OrganizationRef(m.Organization)
		if errors.Is(err, berth.NotFound) {
			s.opt.Log.Warn("people are mapped to an organization that is not there", "provider", p.ID, "organization", m.Organization)
			continue
		}
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, berth.Membership{OrganizationID: o.ID, Roles: m.Roles})
	}
	return wanted, nil
}

// convert makes a user sign in by a provider from now on, and no more by
// password: that, and the logins made with it, are gone.
func convert(tx *store.Tx, p *Provider, id berth.UserID) (berth.User, error) {
	u, err := tx.User(id)
	if err != nil {
		return u, err
	}
	if !u.MaySignIn() || u.SignIn != berth.SignInPassword && u.SignIn != berth.SignIn(p.ID) {
		return u, errAttempt
	}
	if u.SignIn == berth.SignIn(p.ID) {
		return u, nil
	}
	changes := berth.Changes{}
	changes.Set("sign_in", string(u.SignIn), p.ID)
	changes.Secret("password")
	u.SignIn, u.MustChangePassword = berth.SignIn(p.ID), false
	if err := tx.UpdateUser(u); err != nil {
		return u, err
	}
	if err := tx.SetPasswordHash(u.ID, ""); err != nil {
		return u, err
	}
	if _, err := tx.EndSignIns(u.ID, berth.SignInPassword); err != nil {
		return u, err
	}
	return u, tx.InsertAudit(store.Audit{ActorID: u.ID, Action: "edit", Kind: "user", TargetID: string(u.ID), TargetName: u.Username, Changes: changes})
}
