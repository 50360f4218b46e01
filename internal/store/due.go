package store

import (
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// Due is a workspace whose rules are to be asked.
type Due struct {
	ID   berth.WorkspaceID
	Look time.Time // since when
}

// Due is at most limit workspaces whose rules are to be asked at now, the
// longest due first, behind one.
func (q *Query) Due(now time.Time, after Due, limit int) ([]Due, error) {
	return all(q, func(s scanner) (d Due, err error) {
		return d, s.Scan(&d.ID, at(&d.Look))
	}, `SELECT w.id, w.next_look FROM workspaces w
		WHERE w.next_look IS NOT NULL AND w.next_look <= $1 AND w.deleted_at IS NULL AND NOT w.is_prebuild
		AND (w.next_look, w.id) > ($2, $3) ORDER BY w.next_look, w.id LIMIT $4`, stamp(now), after.Look.UnixMicro(), after.ID, limit)
}

// Look is when the rules of a workspace are asked again.
type Look struct {
	Due
	Next time.Time // zero: when something changes
}

// looksBatch is how many workspaces one statement of Looked takes.
const looksBatch = 500

// Looked notes when to look again at workspaces for whom the rules want nothing,
// and tells for how many. Those of which something changed since they were read
// stay due. It guards itself.
func (tx *Tx) Looked(looks []Look) (n int64, err error) {
	for len(looks) > 0 {
		batch := looks[:min(len(looks), looksBatch)]
		looks = looks[len(batch):]
		var w where
		values := make([]string, len(batch))
		for i, l := range batch {
			values[i] = "(CAST(" + w.arg(l.ID) + " AS TEXT), CAST(" + w.arg(stamp(l.Look)) + " AS BIGINT), CAST(" + w.arg(stamp(l.Next)) + " AS BIGINT))"
		}
		done, err := tx.exec(`UPDATE workspaces SET next_look = look.column3 FROM (VALUES `+strings.Join(values, ", ")+`) AS look
			WHERE workspaces.id = look.column1 AND workspaces.next_look = look.column2 AND `+ruled, w.args...)
		if n += done; err != nil {
			return n, err
		}
	}
	return n, nil
}

// Life is a workspace with the builds that the rules of its life look at.
type Life struct {
	Workspace berth.Workspace
	Build     berth.Build  // the newest
	Run       *berth.Build // the newest start that may have left something running; nil after a stop that succeeded
}

// Lives is workspaces by id, deleted ones too, in any order.
func (q *Query) Lives(ids []berth.WorkspaceID) ([]Life, error) {
	var w where
	in(&w, `w.id`, ids)
	lives, err := all(q, func(s scanner) (l Life, err error) {
		l.Build, err = scanBuild(extended{s, workspaceInto(&l.Workspace)})
		return l, err
	}, `SELECT `+buildColumns+`, `+workspaceColumns+` FROM workspaces w JOIN builds b ON b.id = w.build_id`+w.String(), w.args...)
	if err != nil {
		return nil, err
	}
	var unclear []berth.WorkspaceID
	for i, l := range lives {
		switch ended := l.Build.Status() == berth.BuildSucceeded; {
		case ended && l.Build.Transition == berth.Start:
			lives[i].Run = &lives[i].Build
		case ended && l.Build.Transition == berth.Stop:
		default:
			unclear = append(unclear, l.Workspace.ID)
		}
	}
	if len(unclear) == 0 {
		return lives, nil
	}
	runs, err := q.runs(unclear)
	if err != nil {
		return nil, err
	}
	for i, l := range lives {
		if run, ok := runs[l.Workspace.ID]; ok {
			lives[i].Run = &run
		}
	}
	return lives, nil
}

// runs finds Life.Run. Of what was never judged, nothing can be left.
func (q *Query) runs(ids []berth.WorkspaceID) (map[berth.WorkspaceID]berth.Build, error) {
	var w where
	in(&w, `w.id`, ids)
	found, err := all(q, scanBuild, `SELECT `+buildColumns+` FROM workspaces w JOIN builds b ON b.id = (
			SELECT r.id FROM builds r WHERE r.workspace_id = w.id AND r.completed_at IS NOT NULL
			AND (r.transition = 'start' AND (r.judged_at IS NOT NULL OR r.error = '' AND r.canceled_at IS NULL)
				OR r.transition = 'stop' AND r.error = '' AND r.canceled_at IS NULL)
			ORDER BY r.number DESC LIMIT 1)`+w.String()+` AND b.transition = 'start'`, w.args...)
	runs := map[berth.WorkspaceID]berth.Build{}
	for _, b := range found {
		runs[b.WorkspaceID] = b
	}
	return runs, err
}

// UsersOf, TemplatesOf and OrganizationsOf are those of lives, by id.
func (q *Query) UsersOf(lives []Life) (map[berth.UserID]berth.User, error) {
	return ofLives(q, lives, scanUser, `SELECT `+userColumns+` FROM users u`, `u.id`,
		func(l Life) berth.UserID { return l.Workspace.OwnerID }, func(u berth.User) berth.UserID { return u.ID })
}

func (q *Query) TemplatesOf(lives []Life) (map[berth.TemplateID]berth.Template, error) {
	return ofLives(q, lives, scanTemplate, `SELECT `+templateColumns+` FROM templates t`, `t.id`,
		func(l Life) berth.TemplateID { return l.Workspace.TemplateID }, func(t berth.Template) berth.TemplateID { return t.ID })
}

func (q *Query) OrganizationsOf(lives []Life) (map[berth.OrganizationID]berth.Organization, error) {
	return ofLives(q, lives, scanOrganization, `SELECT `+organizationColumns+` FROM organizations o`, `o.id`,
		func(l Life) berth.OrganizationID { return l.Workspace.OrganizationID }, func(o berth.Organization) berth.OrganizationID { return o.ID })
}

// ofLives reads, each once, the things that lives refer to.
func ofLives[ID ~string, T any](q *Query, lives []Life, scan func(scanner) (T, error), from, column string, of func(Life) ID, id func(T) ID) (map[ID]T, error) {
	known := map[ID]T{}
	var ids []ID
	for _, l := range lives {
		if _, ok := known[of(l)]; !ok {
			var empty T
			known[of(l)] = empty
			ids = append(ids, of(l))
		}
	}
	var w where
	in(&w, column, ids)
	found, err := all(q, scan, from+w.String(), w.args...)
	for _, t := range found {
		known[id(t)] = t
	}
	return known, err
}

// ActivityOf is the newest evidence of each kind of workspaces.
func (q *Query) ActivityOf(ids []berth.WorkspaceID) (map[berth.WorkspaceID][]berth.Evidence, error) {
	var w where
	in(&w, `workspace_id`, ids)
	seen, err := all(q, func(s scanner) (g Sighting, err error) {
		return g, s.Scan(&g.Workspace, &g.Kind, &g.Detail, at(&g.Since), at(&g.At))
	}, `SELECT workspace_id, kind, detail, since, at FROM activity`+w.String(), w.args...)
	of := map[berth.WorkspaceID][]berth.Evidence{}
	for _, g := range seen {
		of[g.Workspace] = append(of[g.Workspace], g.Evidence)
	}
	return of, err
}

// HoldsOf is the holds of workspaces that last at now, of each the longest
// first.
func (q *Query) HoldsOf(ids []berth.WorkspaceID, now time.Time) (map[berth.WorkspaceID][]berth.Hold, error) {
	var w where
	in(&w, `h.workspace_id`, ids)
	w.add(`h.until > ?`, stamp(now))
	holds, err := all(q, scanHold, holdRow+w.String()+` ORDER BY h.until DESC, h.id`, w.args...)
	of := map[berth.WorkspaceID][]berth.Hold{}
	for _, h := range holds {
		of[h.WorkspaceID] = append(of[h.WorkspaceID], h)
	}
	return of, err
}

// Waiting counts the builds of a class that wait for a runner of a provider.
func (q *Query) Waiting(provider berth.ProviderID, c berth.Class) (int, error) {
	return one(q, "build", single[int], `SELECT count(*) FROM builds
		WHERE provider_id = $1 AND started_at IS NULL AND completed_at IS NULL AND class = $2`, provider, int(c))
}
