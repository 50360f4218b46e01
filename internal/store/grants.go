package store

import "github.com/berthdev/berth"

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

// PutGrant shares a thing, or changes how it is shared with somebody.
func (tx *Tx) PutGrant(t GrantTarget, g berth.Grant, by berth.UserID) error {
	_, err := tx.exec(`INSERT INTO grants (target_kind, target_id, grantee_kind, grantee_id, role, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (target_kind, target_id, grantee_kind, grantee_id) DO UPDATE SET role = EXCLUDED.role`,
		t.Kind, t.ID, string(g.To.Kind), g.To.ID, string(g.Role), by, stamp(tx.Now))
	return err
}

// DeleteGrant ends the share of a thing with somebody.
func (tx *Tx) DeleteGrant(t GrantTarget, to berth.Grantee) error {
	return tx.must("share", `DELETE FROM grants WHERE target_kind = $1 AND target_id = $2 AND grantee_kind = $3 AND grantee_id = $4`,
		t.Kind, t.ID, string(to.Kind), to.ID)
}

// DeleteGrants ends all shares of a thing.
func (tx *Tx) DeleteGrants(t GrantTarget) error {
	_, err := tx.exec(`DELETE FROM grants WHERE target_kind = $1 AND target_id = $2`, t.Kind, t.ID)
	return err
}
