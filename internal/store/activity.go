package store

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// activityBatch is how many rows of evidence one statement takes.
const activityBatch = 500

// Sighting is evidence of the use of one workspace.
type Sighting struct {
	Workspace berth.WorkspaceID
	berth.Evidence
}

// NoteActivity writes evidence down: with what is there of the same workspace
// and kind, which another server may have written, it makes one as
// berth.Evidence.Merge does. Each workspace's last use follows. Every workspace
// and kind may be there once. It guards itself.
func (tx *Tx) NoteActivity(seen []Sighting) error {
	// In one order, so that servers that write at once do not wait for each other
	// in a circle.
	seen = slices.Clone(seen)
	slices.SortFunc(seen, func(a, b Sighting) int {
		return strings.Compare(string(a.Workspace)+string(a.Kind), string(b.Workspace)+string(b.Kind))
	})
	for batch := range slices.Chunk(seen, activityBatch) {
		if err := tx.noteActivity(batch); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) noteActivity(batch []Sighting) error {
	var w, ids where
	gap := w.arg(berth.SpellGap.Microseconds())
	values := make([]string, len(batch))
	var workspaces []berth.WorkspaceID
	for i, s := range batch {
		values[i] = "(" + w.arg(s.Workspace) + ", " + w.arg(string(s.Kind)) + ", " + w.arg(clean(s.Detail, maxWord)) + ", " +
			w.arg(stamp(s.Since)) + ", " + w.arg(stamp(s.At)) + ")"
		if i == 0 || s.Workspace != batch[i-1].Workspace {
			workspaces = append(workspaces, s.Workspace)
		}
	}
	_, err := tx.exec(`INSERT INTO activity (workspace_id, kind, detail, since, at) VALUES `+strings.Join(values, ", ")+`
		ON CONFLICT (workspace_id, kind) DO UPDATE SET
			detail = CASE WHEN EXCLUDED.at >= activity.at THEN EXCLUDED.detail ELSE activity.detail END,
			since = CASE
				WHEN EXCLUDED.at >= activity.at AND EXCLUDED.since - activity.at > `+gap+` THEN EXCLUDED.since
				WHEN EXCLUDED.at < activity.at AND activity.since - EXCLUDED.at > `+gap+` THEN activity.since
				WHEN EXCLUDED.since < activity.since THEN EXCLUDED.since
				ELSE activity.since END,
			at = CASE WHEN EXCLUDED.at >= activity.at THEN EXCLUDED.at ELSE activity.at END`, w.args...)
	if err != nil {
		return err
	}
	ids.add(`(a.kind <> 'connection' OR o.idle_counts)`)
	in(&ids, `a.workspace_id`, workspaces)
	_, err = tx.exec(`UPDATE workspaces SET last_used_at = used.at FROM (
			SELECT a.workspace_id, max(a.at) AS at FROM activity a
			JOIN workspaces w ON w.id = a.workspace_id
			JOIN organizations o ON o.id = w.organization_id`+ids.String()+`
			GROUP BY a.workspace_id) AS used
		WHERE used.workspace_id = workspaces.id AND deleted_at IS NULL AND (last_used_at IS NULL OR last_used_at < used.at)`, ids.args...)
	return err
}

// Activity is the newest evidence of each kind of a workspace.
func (q *Query) Activity(ws berth.WorkspaceID) ([]berth.Evidence, error) {
	return all(q, scanEvidence, `SELECT kind, detail, since, at FROM activity WHERE workspace_id = $1 ORDER BY at DESC, kind`, ws)
}

func scanEvidence(s scanner) (e berth.Evidence, err error) {
	err = s.Scan(&e.Kind, &e.Detail, at(&e.Since), at(&e.At))
	return e, err
}
