package organizations

import (
	"errors"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Sync brings the memberships of a user to what the identity provider source
// says: those of wanted are there, and others that it kept are ended. A
// membership that it names becomes its own, also one that was made by hand; one
// that was made by hand and that it does not name stays. Roles of nil leave the
// roles as they are: people give them. What is wanted of an organization that is
// not there is skipped.
func Sync(tx *store.Tx, u berth.User, source berth.Source, wanted []berth.Membership) error {
	have, err := tx.MembershipsOf(u.ID)
	if err != nil {
		return err
	}
	named := map[berth.OrganizationID]bool{}
	for _, w := range merged(wanted) {
		o, err := tx.Organization(w.OrganizationID)
		if errors.Is(err, berth.NotFound) || err == nil && !o.DeletedAt.IsZero() {
			continue
		}
		if err != nil {
			return err
		}
		named[o.ID] = true
		var old *berth.Membership
		if i := slices.IndexFunc(have, func(m berth.Membership) bool { return m.OrganizationID == o.ID }); i >= 0 {
			old = &have[i]
		}
		if err := keep(tx, u, source, old, w); err != nil {
			return err
		}
	}
	for _, m := range have {
		if m.Source != source || named[m.OrganizationID] {
			continue
		}
		if err := tx.RemoveMember(m.OrganizationID, u.ID); err != nil {
			return err
		}
		changes := berth.Changes{}
		changes.Set("roles", m.Roles, []berth.Role{})
		if err := tx.InsertAudit(synced(source, "remove", "member", m.OrganizationID, string(u.ID), u.Username, changes)); err != nil {
			return err
		}
	}
	return nil
}

// keep makes one membership what the identity provider says; old is what there
// is of it, nil for nothing.
func keep(tx *store.Tx, u berth.User, source berth.Source, old *berth.Membership, w berth.Membership) error {
	m := berth.Membership{OrganizationID: w.OrganizationID, UserID: u.ID, Roles: w.Roles, Source: source}
	action, changes := "add", berth.Changes{}
	before := berth.Membership{Roles: []berth.Role{}}
	if old != nil {
		action, before = "edit", *old
		if w.Roles == nil {
			m.Roles = old.Roles
		}
	}
	if m.Roles == nil {
		m.Roles = []berth.Role{}
	}
	changes.Set("roles", before.Roles, m.Roles)
	changes.Set("source", before.Source, m.Source)
	if len(changes) == 0 {
		return nil
	}
	if err := tx.PutMember(m); err != nil {
		return err
	}
	return tx.InsertAudit(synced(source, action, "member", m.OrganizationID, string(u.ID), u.Username, changes))
}

// merged joins what is wanted of one organization twice, and leaves out roles
// that organizations do not have.
func merged(wanted []berth.Membership) (all []berth.Membership) {
	for _, w := range wanted {
		i := slices.IndexFunc(all, func(m berth.Membership) bool { return m.OrganizationID == w.OrganizationID })
		if i < 0 {
			i = len(all)
			all = append(all, berth.Membership{OrganizationID: w.OrganizationID})
		}
		if w.Roles != nil {
			all[i].Roles = berth.SortRoles(append(all[i].Roles, w.Roles...), berth.OrganizationRoles)
		}
	}
	return all
}

// SyncGroups brings the groups of a user in an organization to those that the
// identity provider source names: it puts them into groups, and takes them out
// of others that it had put them into. With create, groups that are not there
// are made; else, and where the name is none that a group can have, they are
// skipped. Nothing happens to who is no member of the organization.
func SyncGroups(tx *store.Tx, u berth.User, o berth.OrganizationID, source berth.Source, names []string, create bool) error {
	if _, err := tx.Member(o, u.ID); err != nil {
		if errors.Is(err, berth.NotFound) {
			return nil
		}
		return err
	}
	places, err := tx.GroupPlaces(o, u.ID)
	if err != nil {
		return err
	}
	named := map[berth.GroupID]bool{}
	for _, name := range names {
		g, err := groupFor(tx, o, source, name, create)
		if err != nil {
			return err
		}
		if g.ID == "" || named[g.ID] {
			continue
		}
		named[g.ID] = true
		if slices.ContainsFunc(places, func(p store.GroupPlace) bool { return p.ID == g.ID }) {
			continue
		}
		if err := tx.AddToGroup(g.ID, u.ID, source); err != nil {
			return err
		}
		if err := tx.InsertAudit(memberOf(synced(source, "add", "group", o, string(g.ID), g.Name, nil), u)); err != nil {
			return err
		}
	}
	for _, p := range places {
		if p.PutBy != source || named[p.ID] {
			continue
		}
		if err := tx.RemoveFromGroup(p.ID, u.ID); err != nil {
			return err
		}
		if err := tx.InsertAudit(memberOf(synced(source, "remove", "group", o, string(p.ID), p.Name, nil), u)); err != nil {
			return err
		}
	}
	return nil
}

// groupFor is the group of a name, made if it may be; the zero Group when there
// is none.
func groupFor(tx *store.Tx, o berth.OrganizationID, source berth.Source, name string, create bool) (berth.Group, error) {
	name = strings.TrimSpace(name)
	if validateGroupName(name) != nil || berth.IsID(name) {
		return berth.Group{}, nil
	}
	g, err := tx.GroupRef(o, name)
	if !errors.Is(err, berth.NotFound) {
		return g, err
	}
	if !create {
		return berth.Group{}, nil
	}
	g = berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: o, Name: name, Source: source}
	if err := tx.InsertGroup(g); err != nil {
		return g, err
	}
	return g, tx.InsertAudit(synced(source, "create", "group", o, string(g.ID), g.Name, nil))
}

// synced is a row of the record about what an identity provider said.
func synced(source berth.Source, action, kind string, o berth.OrganizationID, id, name string, changes berth.Changes) store.Audit {
	return store.Audit{Class: berth.AuditAutomatic, Action: action, Kind: kind, OrganizationID: o, TargetID: id, TargetName: name, Changes: changes,
		Reason: "the identity provider " + string(source) + " said so when it was last asked about the user"}
}

// memberOf adds to a row about a group whom it is about.
func memberOf(a store.Audit, u berth.User) store.Audit {
	a.Detail = map[string]any{"user": u.Username, "user_id": u.ID}
	return a
}
