package store

import "github.com/berthdev/berth"

// BuildRow is a build with the names that are shown beside it.
type BuildRow struct {
	berth.Build
	OwnerID   berth.UserID // of the workspace; empty for an import
	Owner     string       // username; empty for an import
	Workspace string       // name; empty for an import
	Template  string
	Version   string
	Provider  string
	Initiator string // username
}

const buildRow = `SELECT ` + buildColumns + `, w.owner_id, u.username, w.name, t.name, v.name, p.name, i.username
	FROM builds b
	JOIN templates t ON t.id = b.template_id
	JOIN versions v ON v.id = b.version_id
	JOIN providers p ON p.id = b.provider_id
	JOIN users i ON i.id = b.initiator_id
	LEFT JOIN workspaces w ON w.id = COALESCE(b.workspace_id, b.looks_at)
	LEFT JOIN users u ON u.id = w.owner_id`

func scanBuildRow(s scanner) (r BuildRow, err error) {
	r.Build, err = scanBuild(extended{s, []any{text(&r.OwnerID), text(&r.Owner), text(&r.Workspace),
		&r.Template, &r.Version, &r.Provider, &r.Initiator}})
	return r, err
}

// BuildRow is the row of one build.
func (q *Query) BuildRow(id berth.BuildID) (BuildRow, error) {
	return one(q, "build", scanBuildRow, buildRow+` WHERE b.id = $1`, id)
}

// BuildRowNumber is the row of a workspace's build of a number.
func (q *Query) BuildRowNumber(w berth.WorkspaceID, number int) (BuildRow, error) {
	return one(q, "build", scanBuildRow, buildRow+` WHERE b.workspace_id = $1 AND b.number = $2`, w, number)
}

// BuildPage is one page of builds with their names, newest first, and the mark
// of the next. The page takes the place of the filter's Before and Limit.
func (q *Query) BuildPage(f BuildFilter, p Page) ([]BuildRow, string, error) {
	p.Limit = min(limit(p.Limit), 499) // Builds gives 500 at most, one of them to know of a next page
	f.Before, f.Limit = p.After, p.Limit+1
	found, err := q.Builds(f)
	if err != nil || len(found) == 0 {
		return nil, "", err
	}
	ids := make([]berth.BuildID, len(found))
	for i, b := range found {
		ids[i] = b.ID
	}
	var w where
	in(&w, `b.id`, ids)
	rows, err := all(q, scanBuildRow, buildRow+w.String()+` ORDER BY b.created_at DESC, b.id DESC`, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(r BuildRow) Cursor { return Cursor{r.CreatedAt, string(r.ID)} })
	return rows, next, nil
}
