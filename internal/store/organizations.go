package store

import (
	"strings"

	"github.com/berthdev/berth"
)

const organizationColumns = `o.id, o.name, o.display_name, o.description, o.is_default, o.connect_starts, o.idle_counts, o.sharing,
	o.autostart_days, o.auto_off, o.auto_off_by_user, o.max_workspaces, o.max_running, o.max_workspaces_per_user, o.max_running_per_user,
	o.created_at, o.updated_at, o.deleted_at, o.autostart_used_within`

func scanOrganization(s scanner) (o berth.Organization, err error) {
	l := &o.Limits
	err = s.Scan(&o.ID, &o.Name, &o.DisplayName, &o.Description, &o.Default, &o.ConnectStarts, &o.IdleCounts, &o.Sharing,
		&o.AutostartDays, lasts(&o.AutoOff), &o.AutoOffByUser, &l.Workspaces, &l.Running, &l.WorkspacesPerUser, &l.RunningPerUser,
		at(&o.CreatedAt), at(&o.UpdatedAt), at(&o.DeletedAt), lasts(&o.AutostartUsedWithin))
	return o, err
}

// InsertOrganization stores a new organization and its group Everyone, who may
// spend without a limit. It may use the built-in workspace provider.
func (tx *Tx) InsertOrganization(o berth.Organization) error {
	l := o.Limits
	_, err := tx.exec(`INSERT INTO organizations (id, name, display_name, description, is_default, connect_starts, idle_counts, sharing,
		autostart_days, auto_off, auto_off_by_user, max_workspaces, max_running, max_workspaces_per_user, max_running_per_user, created_at, updated_at, autostart_used_within)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17)`,
		o.ID, o.Name, clean(o.DisplayName, maxWord), clean(o.Description, maxText), o.Default, o.ConnectStarts, o.IdleCounts, o.Sharing,
		int(o.AutostartDays), span(o.AutoOff), o.AutoOffByUser, l.Workspaces, l.Running, l.WorkspacesPerUser, l.RunningPerUser, stamp(o.CreatedAt),
		span(o.AutostartUsedWithin))
	if err != nil {
		return err
	}
	if _, err := tx.exec(`INSERT INTO organization_providers (organization_id, provider_id) SELECT $1, p.id FROM providers p WHERE p.name = $2`,
		o.ID, berth.BuiltInProvider); err != nil {
		return err
	}
	return tx.InsertGroup(berth.Group{ID: berth.EveryoneOf(o.ID), OrganizationID: o.ID, Name: berth.EveryoneGroup,
		Allowance: berth.Allowance{Unlimited: true}, Source: berth.SourceUser})
}

// UpdateOrganization stores all of an organization but which is the default one.
// Where nobody may share, those who came in by a share leave.
func (tx *Tx) UpdateOrganization(o berth.Organization) error {
	l := o.Limits
	if !o.Sharing {
		if err := tx.wakeShared(o.ID); err != nil {
			return err
		}
	}
	return tx.must("organization", `UPDATE organizations SET name = $2, display_name = $3, description = $4, connect_starts = $5, idle_counts = $6,
		sharing = $7, autostart_days = $8, auto_off = $9, auto_off_by_user = $10, max_workspaces = $11, max_running = $12,
		max_workspaces_per_user = $13, max_running_per_user = $14, deleted_at = $15, updated_at = $16,
		autostart_used_within = $17 WHERE id = $1`,
		o.ID, o.Name, clean(o.DisplayName, maxWord), clean(o.Description, maxText), o.ConnectStarts, o.IdleCounts,
		o.Sharing, int(o.AutostartDays), span(o.AutoOff), o.AutoOffByUser, l.Workspaces, l.Running,
		l.WorkspacesPerUser, l.RunningPerUser, stamp(o.DeletedAt), stamp(tx.Now), span(o.AutostartUsedWithin))
}

// OrganizationRef is a living organization by id or by name without regard to
// case; "" and "default" are the default one.
func (q *Query) OrganizationRef(ref string) (berth.Organization, error) {
	const from = `SELECT ` + organizationColumns + ` FROM organizations o WHERE o.deleted_at IS NULL AND `
	switch {
	case ref == "" || strings.EqualFold(ref, "default"):
		return one(q, "default organization", scanOrganization, from+`o.is_default`)
	case berth.IsID(ref):
		return one(q, "organization", scanOrganization, from+`o.id = $1`, ref)
	default:
		return one(q, "organization", scanOrganization, from+`lower(o.name) = $1`, lowered(ref))
	}
}

// Organization is an organization by id, deleted ones too.
func (q *Query) Organization(id berth.OrganizationID) (berth.Organization, error) {
	return one(q, "organization", scanOrganization, `SELECT `+organizationColumns+` FROM organizations o WHERE o.id = $1`, id)
}

// OrganizationPage is one page of the living organizations that somebody may
// see, oldest first, and the mark of the next.
func (q *Query) OrganizationPage(v berth.Visible, p Page) ([]berth.Organization, string, error) {
	var w where
	w.add("o.deleted_at IS NULL")
	w.visible(columns{kind: "organization", id: "o.id", organization: "o.id"}, v)
	end := p.bound(&w, "o.created_at", "o.id", false)
	rows, err := all(q, scanOrganization, `SELECT `+organizationColumns+` FROM organizations o`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(o berth.Organization) Cursor { return Cursor{o.CreatedAt, string(o.ID)} })
	return rows, next, nil
}

// LeftIn is what is still in an organization: its living workspaces as
// owner/name and its living templates, at most limit of each, oldest first.
func (q *Query) LeftIn(o berth.OrganizationID, limit int) (workspaces, templates []string, err error) {
	workspaces, err = all(q, single[string], `SELECT u.username || '/' || w.name FROM workspaces w JOIN users u ON u.id = w.owner_id
		WHERE w.organization_id = $1 AND w.deleted_at IS NULL ORDER BY w.created_at, w.id LIMIT $2`, o, limit)
	if err != nil {
		return nil, nil, err
	}
	templates, err = all(q, single[string], `SELECT t.name FROM templates t
		WHERE t.organization_id = $1 AND t.deleted_at IS NULL ORDER BY t.created_at, t.id LIMIT $2`, o, limit)
	return workspaces, templates, err
}

// DeleteOrganization marks an organization as deleted, whose name is free then,
// and removes its members, groups and allowed providers. It must be empty: ask
// LeftIn first, in the same transaction.
func (tx *Tx) DeleteOrganization(o berth.Organization) error {
	members, err := all(&tx.Query, single[berth.UserID], `SELECT m.user_id FROM organization_members m WHERE m.organization_id = $1`, o.ID)
	if err != nil {
		return err
	}
	for _, u := range members {
		tx.Wake(UserTopic(u))
	}
	if _, err := tx.exec(`DELETE FROM grants WHERE grantee_kind = 'group' AND grantee_id IN (SELECT g.id FROM groups g WHERE g.organization_id = $1)`, o.ID); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM group_members WHERE group_id IN (SELECT g.id FROM groups g WHERE g.organization_id = $1)`, o.ID); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM groups WHERE organization_id = $1`, o.ID); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM organization_members WHERE organization_id = $1`, o.ID); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM organization_providers WHERE organization_id = $1`, o.ID); err != nil {
		return err
	}
	o.DeletedAt = tx.Now
	return tx.UpdateOrganization(o)
}
