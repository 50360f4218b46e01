package organizations

import (
	"context"
	"errors"
	"slices"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// ListMembers says which members are wanted.
type ListMembers struct {
	Query string // a part of the username or full name; role:owner,auditor
	After string
	Limit int
}

// Members is one page of the members of an organization by username, and where
// the next page begins.
func (s *Service) Members(ctx context.Context, actor authz.Actor, ref string, in ListMembers) (rows []Member, next string, err error) {
	f, err := memberFilter(in.Query)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		o, err := within(q, actor, authz.Read, authz.KindMember, ref, "members")
		if err != nil {
			return err
		}
		f.Organization = o.ID
		rows, next, err = byName(in.Limit, func(n int) ([]Member, error) { return q.Members(f, in.After, n) },
			func(r Member) string { return r.User.Username })
		return err
	})
	return rows, next, err
}

func memberFilter(query string) (f store.MemberFilter, err error) {
	err = berth.Filters{
		"name": func(v string) error { f.Words = append(f.Words, v); return nil },
		"role": func(v string) error {
			f.Role = berth.Role(v)
			return berth.ValidateRoles("q", []berth.Role{f.Role}, berth.OrganizationRoles)
		},
	}.Read(query)
	return f, err
}

// Member is one member of an organization by username or id.
func (s *Service) Member(ctx context.Context, actor authz.Actor, ref, user string) (r Member, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		_, r, err = findMember(q, actor, authz.Read, ref, user)
		return err
	})
	return r, err
}

// findMember is a member, if the actor may do the action to the membership. A
// user who is no member is answered like nobody.
func findMember(q *store.Query, actor authz.Actor, action authz.Action, ref, user string) (o berth.Organization, r Member, err error) {
	if o, err = within(q, actor, action, authz.KindMember, ref, "members"); err != nil {
		return o, r, err
	}
	noun := "the member " + user
	r.User, err = q.UserRef(self(actor, user))
	if err == nil {
		r.Membership, err = q.Member(o.ID, r.User.ID)
	}
	if errors.Is(err, berth.NotFound) {
		return o, r, authz.Missing(actor, action, authz.KindMember, noun)
	}
	if err != nil {
		return o, r, err
	}
	if authz.Can(actor, action, authz.OfMember(r.Membership)) {
		return o, r, nil
	}
	return o, r, berth.Errorf(berth.Forbidden, "%s has roles in %s: only an owner of it or of the site may do that to them", r.User.Username, o.Name)
}

// self is a reference to a user in which "me" means the actor.
func self(actor authz.Actor, user string) string {
	if authz.Me(user) {
		return string(actor.UserID)
	}
	return user
}

// AddMember makes a user a member of an organization. They may be one already:
// then their roles change, if roles are given, and otherwise nothing does.
//
// Who may add members adds everybody whose username they know: they cannot look
// through the site's users.
func (s *Service) AddMember(ctx context.Context, actor authz.Actor, ref, user string, roles []berth.Role) (r Member, err error) {
	if err := berth.ValidateRoles("roles", roles, berth.OrganizationRoles); err != nil {
		return r, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		o, err := within(&tx.Query, actor, authz.Create, authz.KindMember, ref, "members")
		if err != nil {
			return err
		}
		if r.User, err = person(&tx.Query, actor, user); err != nil {
			return err
		}
		old, err := tx.Member(o.ID, r.User.ID)
		if err == nil {
			if roles != nil {
				old, err = setRoles(tx, actor, r.User, old, roles)
			}
			r.Membership = old
			return err
		}
		if !errors.Is(err, berth.NotFound) {
			return err
		}
		if len(roles) > 0 {
			if err := mayAssign(actor, o); err != nil {
				return err
			}
		}
		r.Membership = berth.Membership{OrganizationID: o.ID, UserID: r.User.ID, Roles: berth.SortRoles(roles, berth.OrganizationRoles),
			Source: berth.SourceUser, CreatedAt: tx.Now}
		if err := tx.PutMember(r.Membership); err != nil {
			return err
		}
		row := audited(actor, "add", "member", o.ID, string(r.User.ID), r.User.Username)
		row.Changes = berth.Changes{}
		row.Changes.Set("roles", []berth.Role{}, r.Roles)
		return tx.InsertAudit(row)
	})
	return r, err
}

// person is somebody whom people may put into organizations and groups: no
// system user.
func person(q *store.Query, actor authz.Actor, ref string) (berth.User, error) {
	u, err := q.UserRef(self(actor, ref))
	if errors.Is(err, berth.NotFound) || err == nil && u.System {
		return u, authz.Hidden("the user " + ref)
	}
	return u, err
}

// EditRoles gives roles to a member and takes others: what it does not name
// stays, so that of two edits at one moment none is lost.
func (s *Service) EditRoles(ctx context.Context, actor authz.Actor, ref, user string, add, remove []berth.Role) (r Member, err error) {
	if err := errors.Join(berth.ValidateRoles("add", add, berth.OrganizationRoles), berth.ValidateRoles("remove", remove, berth.OrganizationRoles)); err != nil {
		return r, err
	}
	for _, role := range add {
		if slices.Contains(remove, role) {
			return r, berth.InvalidField("remove", "%s is to be added and removed at once: name it in one of them", role)
		}
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if _, r, err = findMember(&tx.Query, actor, authz.Read, ref, user); err != nil {
			return err
		}
		roles := slices.DeleteFunc(slices.Concat(r.Roles, add), func(role berth.Role) bool { return slices.Contains(remove, role) })
		r.Membership, err = setRoles(tx, actor, r.User, r.Membership, roles)
		return err
	})
	return r, err
}

// setRoles changes the roles of a member.
func setRoles(tx *store.Tx, actor authz.Actor, u berth.User, m berth.Membership, roles []berth.Role) (berth.Membership, error) {
	o, err := tx.Organization(m.OrganizationID)
	if err != nil {
		return m, err
	}
	if err := mayAssign(actor, o); err != nil {
		return m, err
	}
	if u.System {
		return m, berth.Errorf(berth.Conflict, "%s is no person: it has no roles", u.Username)
	}
	changes := berth.Changes{}
	roles = berth.SortRoles(roles, berth.OrganizationRoles)
	changes.Set("roles", m.Roles, roles)
	if len(changes) == 0 {
		return m, nil
	}
	m.Roles = roles
	if err := tx.PutMember(m); err != nil {
		return m, err
	}
	row := audited(actor, "edit", "member", o.ID, string(u.ID), u.Username)
	row.Changes = changes
	return m, tx.InsertAudit(row)
}

// mayAssign tells whether the actor gives and takes roles in an organization that
// they see. That there are roles is no secret, so the answer is forbidden.
func mayAssign(actor authz.Actor, o berth.Organization) error {
	if err := authz.Barred(actor, authz.Assign, authz.KindRole); err != nil {
		return err
	}
	if !authz.Can(actor, authz.Assign, authz.In(authz.KindRole, o.ID)) {
		return berth.Errorf(berth.Forbidden, "the roles of %s are given by its owners: ask one of them", o.Name)
	}
	return nil
}

// maxLeft bounds how many workspaces the answer to a removal names.
const maxLeft = 100

// RemoveMember ends a membership, with the user's places in the organization's
// groups and what was shared with them there. Their workspaces stay: they may
// enter, stop and delete them, and no more. It gives their names.
func (s *Service) RemoveMember(ctx context.Context, actor authz.Actor, ref, user string) (left []string, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		o, r, err := findMember(&tx.Query, actor, authz.Delete, ref, user)
		if err != nil {
			return err
		}
		if r.User.System {
			return berth.Errorf(berth.Conflict, "%s is no person: Berth itself made it a member, for its pools", r.User.Username)
		}
		if left, err = tx.WorkspacesIn(o.ID, r.User.ID, maxLeft); err != nil {
			return err
		}
		if err := tx.RemoveMember(o.ID, r.User.ID); err != nil {
			return err
		}
		row := audited(actor, "remove", "member", o.ID, string(r.User.ID), r.User.Username)
		row.Changes = berth.Changes{}
		row.Changes.Set("roles", r.Roles, []berth.Role{})
		return tx.InsertAudit(row)
	})
	return left, err
}
