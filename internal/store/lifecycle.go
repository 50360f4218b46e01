package store

import (
	"cmp"
	"time"

	"github.com/berthdev/berth"
)

// lifecycleColumns is what workspaces keep for the rules of their lives.
const lifecycleColumns = `w.autostart, w.ttl, w.auto_off, w.automatic_updates, w.extended_until, w.dormant_at, w.deleting_at,
	w.noticed_at, w.unknown_since, w.reminded_for, w.start_takes, w.next_look, w.is_prebuild`

func lifecycleInto(l *berth.Lifecycle) []any {
	return []any{text(&l.Autostart), lasts(&l.TTL), mayLast(&l.AutoOff), &l.AutomaticUpdates, at(&l.ExtendedUntil), at(&l.DormantAt), at(&l.DeletingAt),
		at(&l.NoticedAt), at(&l.UnknownSince), at(&l.RemindedFor), lasts(&l.StartTakes), at(&l.NextLook), &l.Prebuild}
}

// SetLifecycle stores all that is kept of a living workspace for the rules of
// its life but NextLook: they are asked at once. A prebuild has none of it: it is
// not_found.
func (tx *Tx) SetLifecycle(id berth.WorkspaceID, l berth.Lifecycle) error {
	if err := tx.storeLifecycle(id, l); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE workspaces SET updated_at = $2 WHERE id = $1 AND NOT is_prebuild`, id, stamp(tx.Now)); err != nil {
		return err
	}
	return tx.LookAgain(id)
}

// SettleLifecycle is SetLifecycle by the rules themselves: they are asked again
// when l says, and nobody changed the workspace: what was due by its schedule
// before a change is left out.
func (tx *Tx) SettleLifecycle(id berth.WorkspaceID, l berth.Lifecycle) error {
	if err := tx.storeLifecycle(id, l); err != nil {
		return err
	}
	return tx.must("workspace", `UPDATE workspaces SET next_look = $2 WHERE id = $1 AND deleted_at IS NULL AND NOT is_prebuild`, id, stamp(l.NextLook))
}

func (tx *Tx) storeLifecycle(id berth.WorkspaceID, l berth.Lifecycle) error {
	tx.Wake(WorkspaceTopic(id))
	return tx.must("workspace", `UPDATE workspaces SET autostart = $2, ttl = $3, auto_off = $4, automatic_updates = $5, extended_until = $6,
		dormant_at = $7, deleting_at = $8, noticed_at = $9, unknown_since = $10, reminded_for = $11, start_takes = $12
		WHERE id = $1 AND deleted_at IS NULL AND NOT is_prebuild`,
		id, orNull(l.Autostart), spanOrNull(l.TTL), spanIfAny(l.AutoOff), string(cmp.Or(l.AutomaticUpdates, berth.UpdatesNever)), stamp(l.ExtendedUntil),
		stamp(l.DormantAt), stamp(l.DeletingAt), stamp(l.NoticedAt), stamp(l.UnknownSince), stamp(l.RemindedFor), span(l.StartTakes))
}

// again has the rules asked at once. It changes next_look always, also where it
// is due already: who read the facts before that, and writes down when to look
// next, finds that they are not what they were.
const again = `next_look = CASE WHEN next_look <= $1 THEN next_look - 1 ELSE $1 END`

// ruled is which workspaces the rules are asked for; no prebuild is.
const ruled = `deleted_at IS NULL AND NOT is_prebuild`

// LookAgain has the rules of a workspace asked at once.
func (tx *Tx) LookAgain(id berth.WorkspaceID) error {
	_, err := tx.exec(`UPDATE workspaces SET `+again+` WHERE id = $2 AND `+ruled, stamp(tx.Now), id)
	tx.Wake(LifecycleTopic)
	return err
}

// LookAgainOwned is LookAgain for all workspaces of a user.
func (tx *Tx) LookAgainOwned(owner berth.UserID) error {
	_, err := tx.exec(`UPDATE workspaces SET `+again+` WHERE owner_id = $2 AND `+ruled, stamp(tx.Now), owner)
	tx.Wake(LifecycleTopic)
	return err
}

// LookAgainTemplate is LookAgain for all workspaces of a template.
func (tx *Tx) LookAgainTemplate(t berth.TemplateID) error {
	_, err := tx.exec(`UPDATE workspaces SET `+again+` WHERE template_id = $2 AND `+ruled, stamp(tx.Now), t)
	tx.Wake(LifecycleTopic)
	return err
}

// LookAgainOrganization is LookAgain for all workspaces of an organization.
func (tx *Tx) LookAgainOrganization(o berth.OrganizationID) error {
	_, err := tx.exec(`UPDATE workspaces SET `+again+` WHERE organization_id = $2 AND `+ruled, stamp(tx.Now), o)
	tx.Wake(LifecycleTopic)
	return err
}

// StartTookMore adds to how long starts of a workspace take.
func (tx *Tx) StartTookMore(id berth.WorkspaceID, more time.Duration) error {
	_, err := tx.exec(`UPDATE workspaces SET start_takes = start_takes + $2 WHERE id = $1 AND NOT is_prebuild`, id, span(more))
	return err
}

// SetBuildPolicy stores by what a start that ended is to be stopped.
func (tx *Tx) SetBuildPolicy(id berth.BuildID, p berth.Policy) error {
	return tx.must("build", `UPDATE builds SET policy_json = $2 WHERE id = $1`, id, asJSON(p))
}

// InsertAct records what Berth did with a workspace by itself. It fills in the
// id and the time.
func (tx *Tx) InsertAct(a berth.Act) error {
	if a.ID == "" {
		a.ID = berth.NewID[berth.Act]()
	}
	if a.Facts == nil {
		a.Facts = map[string]any{}
	}
	_, err := tx.exec(`INSERT INTO acts (id, workspace_id, at, did, rule, why, facts_json, build_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.ID, a.WorkspaceID, stamp(tx.Now), a.Did, a.Rule, clean(a.Why, maxError), asJSON(a.Facts), orNull(a.BuildID))
	return err
}

// Acts is what Berth did with a workspace by itself, the newest first.
func (q *Query) Acts(id berth.WorkspaceID, limit int) ([]berth.Act, error) {
	return all(q, func(s scanner) (a berth.Act, err error) {
		return a, s.Scan(&a.ID, &a.WorkspaceID, at(&a.At), &a.Did, &a.Rule, &a.Why, fromJSON(&a.Facts), text(&a.BuildID))
	}, `SELECT id, workspace_id, at, did, rule, why, facts_json, build_id FROM acts WHERE workspace_id = $1 ORDER BY at DESC, id DESC LIMIT $2`, id, limit)
}

// PruneActs removes at most limit acts from before a time and tells how many.
func (tx *Tx) PruneActs(before time.Time, limit int) (int64, error) {
	return tx.exec(`DELETE FROM acts WHERE id IN (SELECT id FROM acts WHERE at < $1 ORDER BY at LIMIT $2)`, stamp(before), limit)
}
