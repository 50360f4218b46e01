package workspaces

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/store"
)

// standing is what the owner of a workspace is in its organization. The zero
// standing is that of somebody who left it.
type standing struct {
	member bool
	roles  []berth.Role
	groups []string // names, Everyone too
}

func standingOf(q *store.Query, o berth.OrganizationID, u berth.UserID) (s standing, err error) {
	m, err := q.Member(o, u)
	if errors.Is(err, berth.NotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	places, err := q.GroupPlaces(o, u)
	s = standing{member: true, roles: m.Roles, groups: []string{berth.EveryoneGroup}}
	for _, p := range places {
		s.groups = append(s.groups, p.Name)
	}
	slices.SortFunc(s.groups, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return s, err
}

// organizationRoles are the roles of organizations in the words of the plugin,
// which templates compare with.
var organizationRoles = map[berth.Role]string{
	berth.RoleOwner:         "organization-admin",
	berth.RoleUserAdmin:     "organization-user-admin",
	berth.RoleTemplateAdmin: "organization-template-admin",
	berth.RoleAuditor:       "organization-auditor",
}

// rolesFor is the owner's roles as the plugin has them: those of the site, which have
// no organization, and those of the workspace's organization. What the owner is
// in others is not told.
func (s standing) rolesFor(u berth.User, organization berth.OrganizationID) []forms.Role {
	all := []forms.Role{{Name: string(berth.RoleMember)}}
	for _, r := range u.Roles {
		if r != berth.RoleMember {
			all = append(all, forms.Role{Name: string(r)})
		}
	}
	if s.member {
		all = append(all, forms.Role{Name: "organization-member", Organization: string(organization)})
	}
	for _, r := range s.roles {
		if name, ok := organizationRoles[r]; ok {
			all = append(all, forms.Role{Name: name, Organization: string(organization)})
		}
	}
	return all
}

// jsonList is a list as JSON, [] for an empty one.
func jsonList[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "[]" // texts can always be encoded
	}
	return string(b)
}
