package store

import (
	"strings"

	"github.com/berthdev/berth"
)

const organizationColumns = `o.id, o.name, o.display_name, o.is_default, o.connect_starts, o.idle_counts, o.created_at`

func scanOrganization(s scanner) (o berth.Organization, err error) {
	err = s.Scan(&o.ID, &o.Name, &o.DisplayName, &o.Default, &o.ConnectStarts, &o.IdleCounts, at(&o.CreatedAt))
	return o, err
}

// InsertOrganization stores a new organization.
func (tx *Tx) InsertOrganization(o berth.Organization) error {
	_, err := tx.exec(`INSERT INTO organizations (id, name, display_name, is_default, connect_starts, idle_counts, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		o.ID, o.Name, o.DisplayName, o.Default, o.ConnectStarts, o.IdleCounts, stamp(o.CreatedAt))
	return err
}

// UpdateOrganization stores the settings of an organization.
func (tx *Tx) UpdateOrganization(o berth.Organization) error {
	return tx.must("organization", `UPDATE organizations SET connect_starts = $2, idle_counts = $3 WHERE id = $1`, o.ID, o.ConnectStarts, o.IdleCounts)
}

// AddMember makes a user a member of an organization; they may be one already.
func (tx *Tx) AddMember(o berth.OrganizationID, u berth.UserID) error {
	_, err := tx.exec(`INSERT INTO organization_members (organization_id, user_id, roles_json, created_at) VALUES ($1, $2, '[]', $3)
		ON CONFLICT (organization_id, user_id) DO NOTHING`, o, u, stamp(tx.Now))
	return err
}

// OrganizationRef is an organization by id or by name without regard to case;
// "" and "default" are the default one.
func (q *Query) OrganizationRef(ref string) (berth.Organization, error) {
	const from = `SELECT ` + organizationColumns + ` FROM organizations o WHERE `
	switch {
	case ref == "" || strings.EqualFold(ref, "default"):
		return one(q, "default organization", scanOrganization, from+`o.is_default`)
	case berth.IsID(ref):
		return one(q, "organization", scanOrganization, from+`o.id = $1`, ref)
	default:
		return one(q, "organization", scanOrganization, from+`lower(o.name) = $1`, lowered(ref))
	}
}

// Organizations is every organization, oldest first.
func (q *Query) Organizations() ([]berth.Organization, error) {
	return all(q, scanOrganization, `SELECT `+organizationColumns+` FROM organizations o ORDER BY o.created_at, o.id`)
}

// OrganizationsOf is the organizations that a user is a member of.
func (q *Query) OrganizationsOf(u berth.UserID) ([]berth.OrganizationID, error) {
	return all(q, single[berth.OrganizationID], `SELECT organization_id FROM organization_members WHERE user_id = $1 ORDER BY organization_id`, u)
}
