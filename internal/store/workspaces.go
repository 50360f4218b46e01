package store

import (
	"cmp"
	"math"
	"time"

	"github.com/berthdev/berth"
)

const workspaceColumns = `w.id, w.organization_id, w.provider_id, w.owner_id, w.template_id, w.name, w.persistent_json, w.connect_starts, w.daily_cost,
	w.created_at, w.updated_at, w.last_used_at, w.deleted_at, ` + lifecycleColumns

func workspaceInto(w *berth.Workspace) []any {
	return append([]any{&w.ID, &w.OrganizationID, &w.ProviderID, &w.OwnerID, &w.TemplateID, &w.Name, fromJSON(&w.Persistent), &w.ConnectStarts, &w.DailyCost,
		at(&w.CreatedAt), at(&w.UpdatedAt), at(&w.LastUsedAt), at(&w.DeletedAt)}, lifecycleInto(&w.Lifecycle)...)
}

func scanWorkspace(s scanner) (w berth.Workspace, err error) {
	err = s.Scan(workspaceInto(&w)...)
	return w, err
}

// InsertWorkspace stores a new workspace, which has no build yet. agentKey is
// sealed.
func (tx *Tx) InsertWorkspace(w berth.Workspace, agentKey []byte) error {
	_, err := tx.exec(`INSERT INTO workspaces (id, organization_id, provider_id, owner_id, template_id, name, build_id, build_number,
		persistent_json, connect_starts, agent_key, created_at, updated_at, autostart, ttl, auto_off, automatic_updates, is_prebuild)
		VALUES ($1, $2, $3, $4, $5, $6, '', 0, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		w.ID, w.OrganizationID, w.ProviderID, w.OwnerID, w.TemplateID, w.Name,
		asJSON(w.Persistent), w.ConnectStarts, agentKey, stamp(w.CreatedAt), stamp(w.UpdatedAt),
		orNull(w.Autostart), spanOrNull(w.TTL), spanIfAny(w.AutoOff), string(cmp.Or(w.AutomaticUpdates, berth.UpdatesNever)), w.Prebuild)
	return err
}

// Workspace is a workspace by id, deleted ones too.
func (q *Query) Workspace(id berth.WorkspaceID) (berth.Workspace, error) {
	return one(q, "workspace", scanWorkspace, `SELECT `+workspaceColumns+` FROM workspaces w WHERE w.id = $1`, id)
}

// WorkspaceNamed is an owner's living workspace by name, without regard to case.
func (q *Query) WorkspaceNamed(owner berth.UserID, name string) (berth.Workspace, error) {
	return one(q, "workspace", scanWorkspace, `SELECT `+workspaceColumns+` FROM workspaces w
		WHERE w.owner_id = $1 AND lower(w.name) = $2 AND w.deleted_at IS NULL`, owner, lowered(name))
}

// OwnedWorkspaces is a user's living workspaces, oldest first.
func (q *Query) OwnedWorkspaces(owner berth.UserID) ([]berth.Workspace, error) {
	return all(q, scanWorkspace, `SELECT `+workspaceColumns+` FROM workspaces w WHERE w.owner_id = $1 AND w.deleted_at IS NULL ORDER BY w.created_at, w.id`, owner)
}

// AgentKey is the sealed key from which a workspace's agent tokens are derived.
func (q *Query) AgentKey(id berth.WorkspaceID) ([]byte, error) {
	return one(q, "workspace", single[[]byte], `SELECT agent_key FROM workspaces WHERE id = $1`, id)
}

// AgentKeyBefore is the sealed key before the last rotation; empty once a start
// has used the new one.
func (q *Query) AgentKeyBefore(id berth.WorkspaceID) ([]byte, error) {
	return one(q, "workspace", single[[]byte], `SELECT agent_key_before FROM workspaces WHERE id = $1`, id)
}

// RotateAgentKey makes key the workspace's and keeps the one before. While an
// earlier rotation waits for its start, ok is false and nothing changes.
func (tx *Tx) RotateAgentKey(id berth.WorkspaceID, key []byte) (ok bool, err error) {
	n, err := tx.exec(`UPDATE workspaces SET agent_key_before = agent_key, agent_key = $2, updated_at = $3 WHERE id = $1 AND agent_key_before IS NULL`,
		id, key, stamp(tx.Now))
	return n > 0, err
}

// ForgetAgentKey forgets the key before the last rotation.
func (tx *Tx) ForgetAgentKey(id berth.WorkspaceID) error {
	_, err := tx.exec(`UPDATE workspaces SET agent_key_before = NULL WHERE id = $1 AND agent_key_before IS NOT NULL`, id)
	return err
}

// RenameWorkspace changes the name.
func (tx *Tx) RenameWorkspace(id berth.WorkspaceID, name string) error {
	return tx.must("workspace", `UPDATE workspaces SET name = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL`, id, name, stamp(tx.Now))
}

// SetConnectStarts stores whether a connection starts the workspace.
func (tx *Tx) SetConnectStarts(id berth.WorkspaceID, on bool) error {
	return tx.must("workspace", `UPDATE workspaces SET connect_starts = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL`, id, on, stamp(tx.Now))
}

// SetPersistent stores which addresses in the workspace's state no build but a
// delete may destroy.
func (tx *Tx) SetPersistent(id berth.WorkspaceID, addresses []string) error {
	if addresses == nil {
		addresses = []string{}
	}
	return tx.must("workspace", `UPDATE workspaces SET persistent_json = $2, updated_at = $3 WHERE id = $1`, id, asJSON(addresses), stamp(tx.Now))
}

// DeleteWorkspace marks a workspace as deleted: the row stays, its name is free,
// its shares end and nobody has marked it.
func (tx *Tx) DeleteWorkspace(id berth.WorkspaceID) error {
	if err := tx.DeleteGrants(WorkspaceGrants(id)); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM favorites WHERE workspace_id = $1`, id); err != nil {
		return err
	}
	return tx.must("workspace", `UPDATE workspaces SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL`, id, stamp(tx.Now))
}

// UseWorkspace records that somebody used the workspace, at most once a minute.
// It guards itself.
func (tx *Tx) UseWorkspace(id berth.WorkspaceID) error {
	_, err := tx.exec(`UPDATE workspaces SET last_used_at = $2 WHERE id = $1 AND deleted_at IS NULL
		AND (last_used_at IS NULL OR last_used_at <= $3)`, id, stamp(tx.Now), stamp(tx.Now.Add(-time.Minute)))
	return err
}

// StartedBefore tells whether a start of the workspace succeeded before the
// build of that number.
func (q *Query) StartedBefore(id berth.WorkspaceID, number int) (bool, error) {
	return one(q, "build", single[bool], `SELECT EXISTS (
		SELECT 1 FROM builds b WHERE b.workspace_id = $1 AND b.number < $2 AND b.transition = 'start'
		AND b.completed_at IS NOT NULL AND b.error = '' AND b.canceled_at IS NULL)`, id, number)
}

// LastEffect is the newest build of a workspace before a number (0: of all) that
// was allowed to change things: what is there was made by it. Builds that were
// refused, or canceled before that, changed nothing. Without one it is the newest
// build of all; not_found without any.
func (q *Query) LastEffect(id berth.WorkspaceID, before int) (berth.Build, error) {
	if before == 0 {
		before = math.MaxInt
	}
	return one(q, "build", scanBuild, `SELECT `+buildColumns+` FROM builds b WHERE b.id = COALESCE(
		(SELECT e.id FROM builds e WHERE e.workspace_id = $1 AND e.number < $2 AND e.judged_at IS NOT NULL ORDER BY e.number DESC LIMIT 1),
		(SELECT e.id FROM builds e WHERE e.workspace_id = $1 AND e.number < $2 ORDER BY e.number DESC LIMIT 1))`, id, before)
}

// LastAsked is the newest start that a user asked for of a workspace of their own
// from a template, deleted ones too; not_found without one.
func (q *Query) LastAsked(u berth.UserID, t berth.TemplateID) (berth.Build, error) {
	return one(q, "build", scanBuild, `SELECT `+buildColumns+` FROM builds b WHERE b.id = (
		SELECT e.id FROM builds e JOIN workspaces w ON w.id = e.workspace_id
		WHERE e.initiator_id = $1 AND e.template_id = $2 AND e.transition = 'start' AND w.owner_id = $1 ORDER BY e.created_at DESC LIMIT 1)`, u, t)
}
