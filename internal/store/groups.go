package store

import (
	"cmp"
	"database/sql"

	"github.com/berthdev/berth"
)

const groupColumns = `g.id, g.organization_id, g.name, g.display_name, g.quota_allowance, g.source, g.created_at, g.updated_at`

func scanGroup(s scanner) (g berth.Group, err error) {
	var allowance sql.NullInt64
	err = s.Scan(&g.ID, &g.OrganizationID, &g.Name, &g.DisplayName, &allowance, &g.Source, at(&g.CreatedAt), at(&g.UpdatedAt))
	g.Allowance = berth.Allowance{Amount: int(allowance.Int64), Unlimited: !allowance.Valid}
	return g, err
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
	members, err := tx.GroupMembers(id)
	if err != nil {
		return err
	}
	for _, u := range members {
		tx.Wake(UserTopic(u.ID))
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

// Groups is every group of an organization by name, Everyone too.
func (q *Query) Groups(o berth.OrganizationID) ([]berth.Group, error) {
	return all(q, scanGroup, `SELECT `+groupColumns+` FROM groups g WHERE g.organization_id = $1 ORDER BY lower(g.name)`, o)
}

// GroupsOf is the groups that a user was put into, Everyone not among them.
func (q *Query) GroupsOf(u berth.UserID) ([]berth.Group, error) {
	return all(q, scanGroup, `SELECT `+groupColumns+` FROM groups g JOIN group_members m ON m.group_id = g.id WHERE m.user_id = $1 ORDER BY g.id`, u)
}

// GroupMembers is who was put into a group, by username.
func (q *Query) GroupMembers(id berth.GroupID) ([]berth.User, error) {
	return all(q, scanUser, `SELECT `+userColumns+` FROM users u JOIN group_members m ON m.user_id = u.id
		WHERE m.group_id = $1 AND u.deleted_at IS NULL ORDER BY lower(u.username)`, id)
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
