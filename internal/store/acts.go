package store

import "github.com/berthdev/berth"

// ActRow is an act with the number of the build that it made; 0 if it made none.
type ActRow struct {
	berth.Act
	Build int
}

// ActPage is one page of what Berth did with a workspace by itself, the newest
// first.
func (q *Query) ActPage(id berth.WorkspaceID, p Page) ([]ActRow, string, error) {
	var w where
	equal(&w, "a.workspace_id", id)
	end := p.bound(&w, "a.at", "a.id", true)
	rows, err := all(q, func(s scanner) (a ActRow, err error) {
		return a, s.Scan(&a.ID, &a.WorkspaceID, at(&a.At), &a.Did, &a.Rule, &a.Why, fromJSON(&a.Facts), text(&a.BuildID), &a.Build)
	}, `SELECT a.id, a.workspace_id, a.at, a.did, a.rule, a.why, a.facts_json, a.build_id, COALESCE(b.number, 0)
		FROM acts a LEFT JOIN builds b ON b.id = a.build_id`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(a ActRow) Cursor { return Cursor{At: a.At, ID: string(a.ID)} })
	return rows, next, nil
}
