package store

import (
	"time"

	"github.com/berthdev/berth"
)

// GrantTarget is what a grant is of.
type GrantTarget struct {
	Kind string // workspace or template
	ID   string
}

// WorkspaceGrants and TemplateGrants name the grants of one thing.
func WorkspaceGrants(id berth.WorkspaceID) GrantTarget { return GrantTarget{"workspace", string(id)} }
func TemplateGrants(id berth.TemplateID) GrantTarget   { return GrantTarget{"template", string(id)} }

func scanGrant(s scanner) (g berth.Grant, err error) {
	err = s.Scan(&g.To.Kind, &g.To.ID, &g.Role)
	return g, err
}

// Grants is who a thing is shared with.
func (q *Query) Grants(t GrantTarget) ([]berth.Grant, error) {
	return all(q, scanGrant, `SELECT grantee_kind, grantee_id, role FROM grants WHERE target_kind = $1 AND target_id = $2
		ORDER BY grantee_kind, grantee_id`, t.Kind, t.ID)
}

// WorkspaceShares is who a workspace is shared with, as far as that counts: none
// while its organization lets nobody share.
func (q *Query) WorkspaceShares(id berth.WorkspaceID) ([]berth.Grant, error) {
	return all(q, scanGrant, `SELECT g.grantee_kind, g.grantee_id, g.role FROM grants g
		JOIN workspaces w ON w.id = g.target_id
		JOIN organizations o ON o.id = w.organization_id
		WHERE g.target_kind = 'workspace' AND g.target_id = $1 AND o.sharing ORDER BY g.grantee_kind, g.grantee_id`, id)
}

// GrantRow is a grant with the names that are shown of it.
type GrantRow struct {
	berth.Grant
	Name      string // of the user or the group
	By        string // username of who made it
	CreatedAt time.Time
}

// GrantRows is who a thing is shared with, users first, by name. What is shared
// with users who were deleted is left out.
func (q *Query) GrantRows(t GrantTarget) ([]GrantRow, error) {
	return all(q, func(s scanner) (r GrantRow, err error) {
		err = s.Scan(&r.To.Kind, &r.To.ID, &r.Role, &r.Name, text(&r.By), at(&r.CreatedAt))
		return r, err
	}, `SELECT g.grantee_kind, g.grantee_id, g.role, COALESCE(u.username, p.name), b.username, g.created_at FROM grants g
		LEFT JOIN users u ON g.grantee_kind = 'user' AND u.id = g.grantee_id AND u.deleted_at IS NULL
		LEFT JOIN groups p ON g.grantee_kind = 'group' AND p.id = g.grantee_id
		LEFT JOIN users b ON b.id = g.created_by
		WHERE g.target_kind = $1 AND g.target_id = $2 AND COALESCE(u.username, p.name) IS NOT NULL
		ORDER BY g.grantee_kind DESC, lower(COALESCE(u.username, p.name)), g.grantee_id`, t.Kind, t.ID)
}

// PutGrant shares a thing, or changes how it is shared with somebody.
func (tx *Tx) PutGrant(t GrantTarget, g berth.Grant, by berth.UserID) error {
	tx.Wake(AccessTopic(t.ID))
	_, err := tx.exec(`INSERT INTO grants (target_kind, target_id, grantee_kind, grantee_id, role, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (target_kind, target_id, grantee_kind, grantee_id) DO UPDATE SET role = EXCLUDED.role`,
		t.Kind, t.ID, string(g.To.Kind), g.To.ID, string(g.Role), by, stamp(tx.Now))
	return err
}

// DeleteGrant ends the share of a thing with somebody.
func (tx *Tx) DeleteGrant(t GrantTarget, to berth.Grantee) error {
	tx.Wake(AccessTopic(t.ID))
	return tx.must("share", `DELETE FROM grants WHERE target_kind = $1 AND target_id = $2 AND grantee_kind = $3 AND grantee_id = $4`,
		t.Kind, t.ID, string(to.Kind), to.ID)
}

// DeleteGrants ends all shares of a thing.
func (tx *Tx) DeleteGrants(t GrantTarget) error {
	tx.Wake(AccessTopic(t.ID))
	_, err := tx.exec(`DELETE FROM grants WHERE target_kind = $1 AND target_id = $2`, t.Kind, t.ID)
	return err
}

// endGrants ends what is shared with a user in an organization: somebody who
// comes back into it does not find the old shares.
func (tx *Tx) endGrants(o berth.OrganizationID, u berth.UserID) error {
	_, err := tx.exec(`DELETE FROM grants WHERE grantee_kind = 'user' AND grantee_id = $1 AND (
		target_kind = 'workspace' AND target_id IN (SELECT w.id FROM workspaces w WHERE w.organization_id = $2) OR
		target_kind = 'template' AND target_id IN (SELECT t.id FROM templates t WHERE t.organization_id = $2))`, string(u), o)
	return err
}

// wakeShared wakes who is in the shared workspaces of an organization.
func (tx *Tx) wakeShared(o berth.OrganizationID) error {
	ids, err := all(&tx.Query, single[string], `SELECT DISTINCT g.target_id FROM grants g JOIN workspaces w ON w.id = g.target_id
		WHERE g.target_kind = 'workspace' AND w.organization_id = $1 AND w.deleted_at IS NULL`, o)
	for _, id := range ids {
		tx.Wake(AccessTopic(id))
	}
	return err
}
