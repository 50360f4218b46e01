package store

import (
	"strings"

	"github.com/berthdev/berth"
)

// WorkspaceRow is a workspace with what is shown beside it.
type WorkspaceRow struct {
	berth.Workspace
	Owner         berth.User
	Organization  string // name
	Provider      string // name
	Template      string // name
	ActiveVersion berth.VersionID
	Build         BuildRow // the newest

	OrganizationConnectStarts bool // as its organization says for all
	OrganizationIdleCounts    bool

	Shared bool // with somebody, and that counts
}

// workspaceVisible is what lists of workspaces and of their builds look at.
var workspaceVisible = columns{kind: "workspace", id: "w.id", organization: "w.organization_id", owner: "w.owner_id"}

// WorkspaceFilter chooses workspaces among the visible ones; other zero fields
// choose all.
type WorkspaceFilter struct {
	Visible      berth.Visible
	Owner        string // username
	Template     string // name
	Organization string // name
	Provider     string // name
	Status       []berth.Status
	Outdated     *bool
	Words        []string // parts of the name, each must be there
	Dormant      *bool
	Favorite     *bool // of the user Viewer
	Viewer       berth.UserID

	Shared          *bool          // with anybody
	SharedWith      *berth.Visible // by its Grantees, Roles and In
	NotOwner        berth.UserID
	SharedWithUser  string // username
	SharedWithGroup string // name
}

const workspaceRow = `SELECT ` + buildColumns + `, v.name, i.username, ` +
	workspaceColumns + `, ` + userColumns + `, o.name, o.connect_starts, o.idle_counts, p.name, t.name, t.active_version_id,
	o.sharing AND EXISTS (SELECT 1 FROM grants x WHERE x.target_kind = 'workspace' AND x.target_id = w.id)
	FROM workspaces w
	JOIN users u ON u.id = w.owner_id
	JOIN organizations o ON o.id = w.organization_id
	JOIN providers p ON p.id = w.provider_id
	JOIN templates t ON t.id = w.template_id
	JOIN builds b ON b.id = w.build_id
	JOIN versions v ON v.id = b.version_id
	JOIN users i ON i.id = b.initiator_id`

func scanWorkspaceRow(s scanner) (r WorkspaceRow, err error) {
	b := &r.Build
	more := append([]any{&b.Version, &b.Initiator}, workspaceInto(&r.Workspace)...)
	more = append(more, userInto(&r.Owner)...)
	more = append(more, &r.Organization, &r.OrganizationConnectStarts, &r.OrganizationIdleCounts, &r.Provider, &r.Template, &r.ActiveVersion, &r.Shared)
	b.Build, err = scanBuild(extended{s, more})
	b.Owner, b.OwnerID, b.Workspace, b.Template, b.Provider = r.Owner.Username, r.OwnerID, r.Name, r.Template, r.Provider
	return r, err
}

// WorkspaceRow is the row of one workspace, deleted ones too.
func (q *Query) WorkspaceRow(id berth.WorkspaceID) (WorkspaceRow, error) {
	return one(q, "workspace", scanWorkspaceRow, workspaceRow+` WHERE w.id = $1`, id)
}

// WorkspacePage is one page of living workspaces, newest first, and the mark of
// the next.
func (q *Query) WorkspacePage(f WorkspaceFilter, p Page) ([]WorkspaceRow, string, error) {
	var w where
	w.add(`w.deleted_at IS NULL`)
	w.visible(workspaceVisible, f.Visible)
	named(&w, `u.username`, f.Owner)
	named(&w, `t.name`, f.Template)
	named(&w, `o.name`, f.Organization)
	named(&w, `p.name`, f.Provider)
	if f.Outdated != nil {
		cond := `t.active_version_id <> '' AND b.version_id <> t.active_version_id`
		if !*f.Outdated {
			cond = `(t.active_version_id = '' OR b.version_id = t.active_version_id)`
		}
		w.add(cond)
	}
	for _, word := range f.Words {
		w.add(`lower(w.name) LIKE ? ESCAPE '\'`, "%"+escapeLike(word)+"%")
	}
	if len(f.Status) > 0 {
		w.add(anyStatus(f.Status))
	}
	if f.Dormant != nil {
		w.add(map[bool]string{true: `w.dormant_at IS NOT NULL`, false: `w.dormant_at IS NULL`}[*f.Dormant])
	}
	if f.Favorite != nil {
		const marked = `w.id IN (SELECT x.workspace_id FROM favorites x WHERE x.user_id = ?)`
		w.add(map[bool]string{true: marked, false: `NOT ` + marked}[*f.Favorite], f.Viewer)
	}
	f.shares(&w)
	end := p.bound(&w, "w.created_at", "w.id", true)
	rows, err := all(q, scanWorkspaceRow, workspaceRow+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(r WorkspaceRow) Cursor { return Cursor{r.CreatedAt, string(r.ID)} })
	return rows, next, nil
}

// shares adds what the filter says about who workspaces are shared with.
func (f WorkspaceFilter) shares(w *where) {
	const any = `o.sharing AND EXISTS (SELECT 1 FROM grants x WHERE x.target_kind = 'workspace' AND x.target_id = w.id)`
	if f.Shared != nil {
		w.add(map[bool]string{true: `(` + any + `)`, false: `NOT (` + any + `)`}[*f.Shared])
	}
	if f.SharedWith != nil {
		w.visible(workspaceVisible, *f.SharedWith)
	}
	if f.NotOwner != "" {
		w.add(`w.owner_id <> ?`, f.NotOwner)
	}
	if f.SharedWithUser != "" {
		w.add(`o.sharing AND w.id IN (SELECT x.target_id FROM grants x JOIN users y ON y.id = x.grantee_id AND y.deleted_at IS NULL
			WHERE x.target_kind = 'workspace' AND x.grantee_kind = 'user' AND lower(y.username) = ?)`, lowered(f.SharedWithUser))
	}
	if f.SharedWithGroup != "" {
		w.add(`o.sharing AND w.id IN (SELECT x.target_id FROM grants x JOIN groups y ON y.id = x.grantee_id
			WHERE x.target_kind = 'workspace' AND x.grantee_kind = 'group' AND lower(y.name) = ?)`, lowered(f.SharedWithGroup))
	}
}

// named adds that a column is a name, without regard to case.
func named(w *where, column, name string) {
	if name != "" {
		w.add(`lower(`+column+`) = ?`, lowered(name))
	}
}

// statuses is berth.WorkspaceStatus as conditions on the newest build, b; a test
// holds the two together.
var statuses = map[berth.Status]string{
	berth.StatusPending:   buildStatus[berth.BuildPending],
	berth.StatusCanceling: buildStatus[berth.BuildCanceling],
	berth.StatusCanceled:  buildStatus[berth.BuildCanceled],
	berth.StatusFailed:    buildStatus[berth.BuildFailed],
	berth.StatusStarting:  buildStatus[berth.BuildRunning] + ` AND b.transition = 'start'`,
	berth.StatusStopping:  buildStatus[berth.BuildRunning] + ` AND b.transition = 'stop'`,
	berth.StatusDeleting:  buildStatus[berth.BuildRunning] + ` AND b.transition = 'delete'`,
	berth.StatusRunning:   buildStatus[berth.BuildSucceeded] + ` AND b.transition = 'start'`,
	berth.StatusStopped:   buildStatus[berth.BuildSucceeded] + ` AND b.transition = 'stop'`,
	berth.StatusDeleted:   buildStatus[berth.BuildSucceeded] + ` AND b.transition = 'delete'`,
}

func anyStatus(want []berth.Status) string {
	var conds []string
	for _, s := range want {
		if cond, ok := statuses[s]; ok {
			conds = append(conds, "("+cond+")")
		}
	}
	if len(conds) == 0 {
		return "FALSE"
	}
	return "(" + strings.Join(conds, " OR ") + ")"
}
