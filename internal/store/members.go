package store

import (
	"cmp"
	"strconv"

	"github.com/berthdev/berth"
)

const memberColumns = `m.organization_id, m.user_id, m.roles_json, m.source, m.created_at`

func memberInto(m *berth.Membership) []any {
	return []any{&m.OrganizationID, &m.UserID, fromJSON(&m.Roles), &m.Source, at(&m.CreatedAt)}
}

func scanMember(s scanner) (m berth.Membership, err error) {
	err = s.Scan(memberInto(&m)...)
	return m, err
}

// PutMember makes a user a member of an organization, or changes their roles
// there.
func (tx *Tx) PutMember(m berth.Membership) error {
	tx.Wake(UserTopic(m.UserID))
	roles := m.Roles
	if roles == nil {
		roles = []berth.Role{}
	}
	_, err := tx.exec(`INSERT INTO organization_members (organization_id, user_id, roles_json, source, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (organization_id, user_id) DO UPDATE SET roles_json = EXCLUDED.roles_json, source = EXCLUDED.source`,
		m.OrganizationID, m.UserID, asJSON(roles), string(cmp.Or(m.Source, berth.SourceUser)), stamp(tx.Now))
	return err
}

// AddMember makes a user a member of an organization; they may be one already,
// and then nothing changes.
func (tx *Tx) AddMember(o berth.OrganizationID, u berth.UserID) error {
	tx.Wake(UserTopic(u))
	_, err := tx.exec(`INSERT INTO organization_members (organization_id, user_id, roles_json, source, created_at) VALUES ($1, $2, '[]', 'user', $3)
		ON CONFLICT (organization_id, user_id) DO NOTHING`, o, u, stamp(tx.Now))
	return err
}

// RemoveMember ends a membership, those in the organization's groups, and what
// was shared there with the user.
func (tx *Tx) RemoveMember(o berth.OrganizationID, u berth.UserID) error {
	tx.Wake(UserTopic(u))
	if _, err := tx.exec(`DELETE FROM group_members WHERE user_id = $1 AND group_id IN (SELECT id FROM groups WHERE organization_id = $2)`, u, o); err != nil {
		return err
	}
	if err := tx.endGrants(o, u); err != nil {
		return err
	}
	return tx.must("member", `DELETE FROM organization_members WHERE organization_id = $1 AND user_id = $2`, o, u)
}

// Member is the membership of a user in an organization.
func (q *Query) Member(o berth.OrganizationID, u berth.UserID) (berth.Membership, error) {
	return one(q, "member", scanMember, `SELECT `+memberColumns+` FROM organization_members m WHERE m.organization_id = $1 AND m.user_id = $2`, o, u)
}

// MembershipsOf is what organizations a user belongs to.
func (q *Query) MembershipsOf(u berth.UserID) ([]berth.Membership, error) {
	return all(q, scanMember, `SELECT `+memberColumns+` FROM organization_members m WHERE m.user_id = $1 ORDER BY m.organization_id`, u)
}

// MemberRow is a membership and whose it is.
type MemberRow struct {
	berth.Membership
	User berth.User
}

// MemberFilter says which members a list shows.
type MemberFilter struct {
	Organization berth.OrganizationID
	Words        []string   // each is a part of the username or the full name
	Role         berth.Role // empty: any
}

// Members is one page of the members of an organization, by username, who are
// not deleted; system users too. after is the last username of the page before.
func (q *Query) Members(f MemberFilter, after string, n int) ([]MemberRow, error) {
	var w where
	w.add("m.organization_id = ?", f.Organization)
	w.add("u.deleted_at IS NULL")
	for _, word := range f.Words {
		like := "%" + escapeLike(word) + "%"
		w.add(`(lower(u.username) LIKE ? ESCAPE '\' OR lower(u.name) LIKE ? ESCAPE '\')`, like, like)
	}
	if f.Role != "" {
		w.add(`m.roles_json LIKE ? ESCAPE '\'`, `%"`+escapeLike(string(f.Role))+`"%`)
	}
	if after != "" {
		w.add("lower(u.username) > ?", lowered(after))
	}
	end := " ORDER BY lower(u.username) LIMIT " + strconv.Itoa(n)
	return all(q, func(s scanner) (r MemberRow, err error) {
		err = s.Scan(append(memberInto(&r.Membership), userInto(&r.User)...)...)
		return r, err
	}, `SELECT `+memberColumns+`, `+userColumns+` FROM organization_members m JOIN users u ON u.id = m.user_id`+w.String()+end, w.args...)
}

// WorkspacesIn is the living workspaces of a user in an organization by name,
// at most n.
func (q *Query) WorkspacesIn(o berth.OrganizationID, u berth.UserID, n int) ([]string, error) {
	return all(q, single[string], `SELECT w.name FROM workspaces w
		WHERE w.owner_id = $1 AND w.organization_id = $2 AND w.deleted_at IS NULL ORDER BY lower(w.name) LIMIT $3`, u, o, n)
}
