package store

import (
	"encoding/json"
	"time"

	"github.com/berthdev/berth"
)

// PolicyChange is an edit of settings that reach workspaces, as it can be taken
// back. What they were and became is the JSON of whoever has them.
type PolicyChange struct {
	ID             string
	Kind           string // of the target: organization, template, workspace or user
	TargetID       string
	OrganizationID berth.OrganizationID
	MadeBy         berth.UserID
	At             time.Time
	Before, After  json.RawMessage
	Effects        berth.Effects
	Reached        []berth.WorkspaceID // that it stops, puts to sleep or deletes
	UndoneAt       time.Time           // zero: it holds
}

// reach is what effects_json holds.
type reach struct {
	berth.Effects
	Reached []berth.WorkspaceID `json:"reached,omitempty"`
}

// keptChanges is how many edits of one target are kept: each names all that it
// reaches, and they are taken back from the newest on.
const keptChanges = 50

// InsertPolicyChange records an edit. It fills in the id and the time. The oldest
// ones of its target are forgotten.
func (tx *Tx) InsertPolicyChange(c PolicyChange) error {
	_, err := tx.exec(`INSERT INTO policy_changes (id, target_kind, target_id, organization_id, made_by, at, before_json, after_json, effects_json)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, string(berth.NewID[PolicyChange]()), c.Kind, c.TargetID, c.OrganizationID, c.MadeBy,
		stamp(tx.Now), asJSON(c.Before), asJSON(c.After), asJSON(reach{c.Effects, c.Reached}))
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM policy_changes WHERE target_kind = $1 AND target_id = $2 AND id NOT IN (
		SELECT p.id FROM policy_changes p WHERE p.target_kind = $1 AND p.target_id = $2 ORDER BY p.at DESC, p.id DESC LIMIT $3)`, c.Kind, c.TargetID, keptChanges)
	return err
}

// LastPolicyChange is the newest edit of a target that was not taken back.
func (q *Query) LastPolicyChange(kind, target string) (PolicyChange, error) {
	return one(q, "change", func(s scanner) (c PolicyChange, err error) {
		var r reach
		err = s.Scan(&c.ID, &c.Kind, &c.TargetID, &c.OrganizationID, &c.MadeBy, at(&c.At), fromJSON(&c.Before), fromJSON(&c.After),
			fromJSON(&r), at(&c.UndoneAt))
		c.Effects, c.Reached = r.Effects, r.Reached
		return c, err
	}, `SELECT p.id, p.target_kind, p.target_id, p.organization_id, p.made_by, p.at, p.before_json, p.after_json, p.effects_json, p.undone_at
		FROM policy_changes p WHERE p.target_kind = $1 AND p.target_id = $2 AND p.undone_at IS NULL ORDER BY p.at DESC, p.id DESC LIMIT 1`, kind, target)
}

// UndonePolicyChange notes that an edit was taken back.
func (tx *Tx) UndonePolicyChange(id string) error {
	return tx.must("change", `UPDATE policy_changes SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL`, id, stamp(tx.Now))
}

// ActedOn is a workspace that was stopped, put to sleep or deleted by itself.
type ActedOn struct {
	ID   berth.WorkspaceID
	Name string // owner/name
}

// ActedOnSince is the workspaces of an organization, or of one template of it,
// that were stopped, put to sleep or deleted by themselves since a time. Another
// date of a deletion is none of these.
func (q *Query) ActedOnSince(o berth.OrganizationID, t berth.TemplateID, since time.Time) ([]ActedOn, error) {
	return all(q, func(s scanner) (a ActedOn, err error) { return a, s.Scan(&a.ID, &a.Name) },
		`SELECT w.id, u.username || '/' || w.name FROM workspaces w JOIN users u ON u.id = w.owner_id
		WHERE w.organization_id = $1 AND ($2 = '' OR w.template_id = $2) AND EXISTS (SELECT 1 FROM acts x
			WHERE x.workspace_id = w.id AND x.at >= $3 AND x.did IN ('stop', 'dormant', 'delete')
			AND NOT (x.did = 'dormant' AND x.rule = 'deletion')) ORDER BY w.id`, o, string(t), stamp(since))
}

// Ruled is the living workspaces of an organization, or of one template of it,
// that live by rules: all but prebuilds.
func (q *Query) Ruled(o berth.OrganizationID, t berth.TemplateID) ([]berth.WorkspaceID, error) {
	if t != "" {
		return all(q, single[berth.WorkspaceID], `SELECT w.id FROM workspaces w WHERE w.template_id = $1 AND w.deleted_at IS NULL AND NOT w.is_prebuild ORDER BY w.id`, t)
	}
	return all(q, single[berth.WorkspaceID], `SELECT w.id FROM workspaces w WHERE w.organization_id = $1 AND w.deleted_at IS NULL AND NOT w.is_prebuild ORDER BY w.id`, o)
}
