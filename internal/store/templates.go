package store

import (
	"github.com/berthdev/berth"
)

const templateColumns = `t.id, t.organization_id, t.name, t.display_name, t.description, t.icon, t.active_version_id,
	t.max_share, t.max_workspaces, t.max_workspaces_each, t.created_by, t.created_at, t.updated_at, t.deleted_at, ` + policyColumns

func templateInto(t *berth.Template) []any {
	return append([]any{&t.ID, &t.OrganizationID, &t.Name, &t.DisplayName, &t.Description, &t.Icon, &t.ActiveVersionID,
		&t.MaxShare, &t.Limits.Workspaces, &t.Limits.WorkspacesPerUser, &t.CreatedBy, at(&t.CreatedAt), at(&t.UpdatedAt), at(&t.DeletedAt)}, policyInto(&t.Policy)...)
}

func scanTemplate(s scanner) (t berth.Template, err error) {
	err = s.Scan(templateInto(&t)...)
	return t, err
}

// InsertTemplate stores a new template.
func (tx *Tx) InsertTemplate(t berth.Template) error {
	_, err := tx.exec(`INSERT INTO templates (id, organization_id, name, display_name, description, icon, active_version_id,
		created_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		t.ID, t.OrganizationID, t.Name, clean(t.DisplayName, maxWord), clean(t.Description, maxError), clean(t.Icon, maxLine), t.ActiveVersionID,
		t.CreatedBy, stamp(t.CreatedAt), stamp(t.UpdatedAt))
	return err
}

// Template is a template by id, deleted ones too.
func (q *Query) Template(id berth.TemplateID) (berth.Template, error) {
	return one(q, "template", scanTemplate, `SELECT `+templateColumns+` FROM templates t WHERE t.id = $1`, id)
}

// TemplateRef is a living template of an organization, by id or by name without
// regard to case.
func (q *Query) TemplateRef(o berth.OrganizationID, ref string) (berth.Template, error) {
	const from = `SELECT ` + templateColumns + ` FROM templates t WHERE t.deleted_at IS NULL AND t.organization_id = $1 AND `
	if berth.IsID(ref) {
		return one(q, "template", scanTemplate, from+`t.id = $2`, o, ref)
	}
	return one(q, "template", scanTemplate, from+`lower(t.name) = $2`, o, lowered(ref))
}

// TemplateRow is a template with what its list shows beside it.
type TemplateRow struct {
	berth.Template
	Organization  string // name
	ActiveVersion string // name; empty if none
	CreatedByName string
	Workspaces    int  // living ones
	Private       bool // not shared with all of the organization
}

const templateRow = `SELECT ` + templateColumns + `, o.name, v.name, u.username,
	(SELECT count(*) FROM workspaces w WHERE w.template_id = t.id AND w.deleted_at IS NULL),
	NOT EXISTS (SELECT 1 FROM grants x WHERE x.target_kind = 'template' AND x.target_id = t.id AND x.grantee_kind = 'group' AND x.grantee_id = t.organization_id)
	FROM templates t
	JOIN organizations o ON o.id = t.organization_id
	JOIN users u ON u.id = t.created_by
	LEFT JOIN versions v ON v.id = t.active_version_id`

func scanTemplateRow(s scanner) (r TemplateRow, err error) {
	err = s.Scan(append(templateInto(&r.Template), &r.Organization, text(&r.ActiveVersion), &r.CreatedByName, &r.Workspaces, &r.Private)...)
	return r, err
}

// TemplateRow is the row of one template, deleted ones too.
func (q *Query) TemplateRow(id berth.TemplateID) (TemplateRow, error) {
	return one(q, "template", scanTemplateRow, templateRow+` WHERE t.id = $1`, id)
}

// TemplatePage is one page of the visible living templates, of one organization
// or, with "", of all, oldest first, and the mark of the next.
func (q *Query) TemplatePage(v berth.Visible, organization berth.OrganizationID, p Page) ([]TemplateRow, string, error) {
	var w where
	w.add(`t.deleted_at IS NULL`)
	w.visible(columns{kind: "template", id: "t.id", organization: "t.organization_id"}, v)
	equal(&w, `t.organization_id`, organization)
	end := p.bound(&w, "t.created_at", "t.id", false)
	rows, err := all(q, scanTemplateRow, templateRow+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(r TemplateRow) Cursor { return Cursor{r.CreatedAt, string(r.ID)} })
	return rows, next, nil
}

// DescribeTemplate stores a template's name, how it is shown, how far its apps may
// be shared, and how many workspaces it may have.
func (tx *Tx) DescribeTemplate(t berth.Template) error {
	return tx.must("template", `UPDATE templates SET display_name = $2, description = $3, icon = $4, updated_at = $5, max_share = $6,
		name = $7, max_workspaces = $8, max_workspaces_each = $9 WHERE id = $1 AND deleted_at IS NULL`, t.ID,
		clean(t.DisplayName, maxWord), clean(t.Description, maxError), clean(t.Icon, maxLine), stamp(tx.Now), string(t.MaxShare),
		t.Name, t.Limits.Workspaces, t.Limits.WorkspacesPerUser)
}

// SetActiveVersion makes a version of the template the active one.
func (tx *Tx) SetActiveVersion(t berth.TemplateID, v berth.VersionID) error {
	return tx.must("template", `UPDATE templates SET active_version_id = $2, activated_at = $3, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL`,
		t, v, stamp(tx.Now))
}

// DeleteTemplate marks a template as deleted; its name is free then. It is
// not_found while it has living workspaces: ask WorkspacesOf first.
func (tx *Tx) DeleteTemplate(id berth.TemplateID) error {
	if err := tx.DeleteGrants(TemplateGrants(id)); err != nil {
		return err
	}
	return tx.must("template", `UPDATE templates SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM workspaces w WHERE w.template_id = $1 AND w.deleted_at IS NULL)`, id, stamp(tx.Now))
}

// WorkspaceCountFrom is how many living workspaces a template has: of an owner, or
// with "" of everybody.
func (q *Query) WorkspaceCountFrom(t berth.TemplateID, owner berth.UserID) (int, error) {
	return one(q, "template", single[int], `SELECT count(*) FROM workspaces WHERE template_id = $1 AND deleted_at IS NULL
		AND ($2 = '' OR owner_id = $2)`, t, owner)
}

// WorkspacesOf is the living workspaces of a template as owner/name, at most
// limit of them, oldest first.
func (q *Query) WorkspacesOf(t berth.TemplateID, limit int) ([]string, error) {
	return all(q, single[string], `SELECT u.username || '/' || w.name FROM workspaces w JOIN users u ON u.id = w.owner_id
		WHERE w.template_id = $1 AND w.deleted_at IS NULL ORDER BY w.created_at, w.id LIMIT $2`, t, limit)
}
