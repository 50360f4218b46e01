package store

import "github.com/berthdev/berth"

// letIn is who may sign in.
const letIn = `NOT u.is_system AND u.status <> 'suspended' AND u.deleted_at IS NULL`

// WithSiteRole is who has a role of the site and may sign in.
func (q *Query) WithSiteRole(r berth.Role) ([]berth.UserID, error) {
	return all(q, single[berth.UserID], `SELECT u.id FROM users u WHERE u.roles_json LIKE $1 AND `+letIn+` ORDER BY u.created_at, u.id`, roleMark(r))
}

// WithRole is who has a role in an organization and may sign in.
func (q *Query) WithRole(o berth.OrganizationID, r berth.Role) ([]berth.UserID, error) {
	return all(q, single[berth.UserID], `SELECT u.id FROM organization_members m JOIN users u ON u.id = m.user_id
		WHERE m.organization_id = $1 AND m.roles_json LIKE $2 AND `+letIn+` ORDER BY u.created_at, u.id`, o, roleMark(r))
}

// OwnersOf is who owns living workspaces of a template.
func (q *Query) OwnersOf(t berth.TemplateID) ([]berth.UserID, error) {
	return all(q, single[berth.UserID], `SELECT DISTINCT w.owner_id FROM workspaces w WHERE w.template_id = $1 AND w.deleted_at IS NULL ORDER BY w.owner_id`, t)
}

// WhoWants is who asked to be told of a kind and may sign in.
func (q *Query) WhoWants(kind string) ([]berth.UserID, error) {
	return all(q, single[berth.UserID], `SELECT DISTINCT s.user_id FROM notice_switches s JOIN users u ON u.id = s.user_id
		WHERE s.kind = $1 AND s.wanted AND `+letIn+` ORDER BY s.user_id`, kind)
}
