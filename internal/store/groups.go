package store

import (
	"cmp"
	"database/sql"

	"github.com/berthdev/berth"
)

const groupColumns = `g.id, g.organization_id, g.name, g.display_name, g.quota_allowance, g.source, g.created_at, g.updated_at`

func groupInto(g *berth.Group, allowance *sql.NullInt64) []any {
	return []any{&g.ID, &g.OrganizationID, &g.Name, &g.DisplayName, allowance, &g.Source, at(&g.CreatedAt), at(&g.UpdatedAt)}
}

func scanGroup(s scanner) (g berth.Group, err error) {
	var allowance sql.NullInt64
	err = s.Scan(groupInto(&g, &allowance)...)
	g.Allowance = allowanceOf(allowance)
	return g, err
}

// allowanceOf is the allowance that allowance stored.
func allowanceOf(n sql.NullInt64) berth.Allowance {
	return berth.Allowance{Amount: int(n.Int64), Unlimited: !n.Valid}
}

// allowance is what is stored of one: NULL for an unlimited one.
func allowance(a berth.Allowance) any {
	if a.Unlimited {
		return nil
	}
	return a.Amount
}

// InsertGroup stores a new group.
func (tx *Tx) InsertGroup(g berth.Group) error {
	_, err := tx.exec(`INSERT INTO groups (id, organization_id, name, display_name, quota_allowance, source, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
		g.ID, g.OrganizationID, g.Name, clean(g.DisplayName, maxWord), allowance(g.Allowance), string(cmp.Or(g.Source, berth.SourceUser)), stamp(tx.Now))
	return err
}

// UpdateGroup stores the names and the allowance of a group.
func (tx *Tx) UpdateGroup(g berth.Group) error {
	return tx.must("group", `UPDATE groups SET name = $2, display_name = $3, quota_allowance = $4, updated_at = $5 WHERE id = $1`,
		g.ID, g.Name, clean(g.DisplayName, maxWord), allowance(g.Allowance), stamp(tx.Now))
}

// DeleteGroup removes a group, its memberships and what was shared with it.
func (tx *Tx) DeleteGroup(id berth.GroupID) error {
	members, err := all(&tx.Query, single[berth.UserID], `SELECT m.user_id FROM group_members m WHERE m.group_id = $1`, id)
	if err != nil {
		return err
	}
	for _, u := range members {
		tx.Wake(UserTopic(u))
	}
	if _, err := tx.exec(`DELETE FROM group_members WHERE group_id = $1`, id); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM grants WHERE grantee_kind = 'group' AND grantee_id = $1`, string(id)); err != nil {
		return err
	}
	return tx.must("group", `DELETE FROM groups WHERE id = $1`, id)
}

// GroupRef is a group of an organization by id, or by name without regard to
// case.
func (q *Query) GroupRef(o berth.OrganizationID, ref string) (berth.Group, error) {
	const from = `SELECT ` + groupColumns + ` FROM groups g WHERE g.organization_id = $1 AND `
	if berth.IsID(ref) {
		return one(q, "group", scanGroup, from+`g.id = $2`, o, ref)
	}
	return one(q, "group", scanGroup, from+`lower(g.name) = $2`, o, lowered(ref))
}

// GroupRow is a group and how many are in it.
type GroupRow struct {
	berth.Group
	Members int
}

// groupRow has the members of the organization for Everyone, who has no rows of
// its own.
const groupRow = `SELECT ` + groupColumns + `, CASE WHEN g.id = g.organization_id
	THEN (SELECT COUNT(*) FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = g.organization_id AND u.deleted_at IS NULL)
	ELSE (SELECT COUNT(*) FROM group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = g.id AND u.deleted_at IS NULL) END
	FROM groups g WHERE g.organization_id = $1 AND `

func scanGroupRow(s scanner) (r GroupRow, err error) {
	var allowance sql.NullInt64
	err = s.Scan(append(groupInto(&r.Group, &allowance), &r.Members)...)
	r.Allowance = allowanceOf(allowance)
	return r, err
}

// GroupPage is one page of the groups of an organization by name, Everyone too.
// after is the last name of the page before.
func (q *Query) GroupPage(o berth.OrganizationID, after string, n int) ([]GroupRow, error) {
	return all(q, scanGroupRow, groupRow+`lower(g.name) > $2 ORDER BY lower(g.name) LIMIT $3`, o, lowered(after), n)
}

// GroupRow is a group with how many are in it.
func (q *Query) GroupRow(g berth.Group) (GroupRow, error) {
	return one(q, "group", scanGroupRow, groupRow+`g.id = $2`, g.OrganizationID, g.ID)
}

// GroupPlace is a group that a user is in, and who put them there.
type GroupPlace struct {
	berth.Group
	PutBy berth.Source
}

// GroupPlaces is the groups of an organization that a user was put into, by
// name; Everyone is not among them.
func (q *Query) GroupPlaces(o berth.OrganizationID, u berth.UserID) ([]GroupPlace, error) {
	return all(q, func(s scanner) (p GroupPlace, err error) {
		var allowance sql.NullInt64
		err = s.Scan(append(groupInto(&p.Group, &allowance), &p.PutBy)...)
		p.Allowance = allowanceOf(allowance)
		return p, err
	}, `SELECT `+groupColumns+`, m.source FROM groups g JOIN group_members m ON m.group_id = g.id
		WHERE g.organization_id = $1 AND m.user_id = $2 ORDER BY lower(g.name)`, o, u)
}

// GroupsOf is the groups that a user was put into, Everyone not among them.
func (q *Query) GroupsOf(u berth.UserID) ([]berth.Group, error) {
	return all(q, scanGroup, `SELECT `+groupColumns+` FROM groups g JOIN group_members m ON m.group_id = g.id WHERE m.user_id = $1 ORDER BY g.id`, u)
}

// GroupMember is somebody in a group, and who put them there.
type GroupMember struct {
	User  berth.User
	PutBy berth.Source
}

// GroupMembers is one page of who was put into a group, by username. after is
// the last username of the page before. For Everyone ask Members.
func (q *Query) GroupMembers(id berth.GroupID, after string, n int) ([]GroupMember, error) {
	return all(q, func(s scanner) (m GroupMember, err error) {
		err = s.Scan(append(userInto(&m.User), &m.PutBy)...)
		return m, err
	}, `SELECT `+userColumns+`, m.source FROM users u JOIN group_members m ON m.user_id = u.id
		WHERE m.group_id = $1 AND u.deleted_at IS NULL AND lower(u.username) > $2 ORDER BY lower(u.username) LIMIT $3`, id, lowered(after), n)
}

// InGroup tells whether a user was put into a group.
func (q *Query) InGroup(g berth.GroupID, u berth.UserID) (bool, error) {
	n, err := one(q, "group", single[int], `SELECT COUNT(*) FROM group_members m WHERE m.group_id = $1 AND m.user_id = $2`, g, u)
	return n > 0, err
}

// AddToGroup puts a user into a group; they may be in it already.
func (tx *Tx) AddToGroup(g berth.GroupID, u berth.UserID, source berth.Source) error {
	tx.Wake(UserTopic(u))
	_, err := tx.exec(`INSERT INTO group_members (group_id, user_id, source, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (group_id, user_id) DO NOTHING`,
		g, u, string(source), stamp(tx.Now))
	return err
}

// RemoveFromGroup takes a user out of a group.
func (tx *Tx) RemoveFromGroup(g berth.GroupID, u berth.UserID) error {
	tx.Wake(UserTopic(u))
	return tx.must("member of the group", `DELETE FROM group_members WHERE group_id = $1 AND user_id = $2`, g, u)
}
