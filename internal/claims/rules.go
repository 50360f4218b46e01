package claims

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Rules say what a provider's claims mean. Names of claims may be paths with
// dots into nested ones.
type Rules struct {
	UsernameClaim       string             `json:"username_claim"` // preferred_username
	EmailClaim          string             `json:"email_claim"`    // email
	NameClaim           string             `json:"name_claim"`     // name
	IgnoreEmailVerified bool               `json:"ignore_email_verified"`
	EmailDomains        []string           `json:"email_domains"` // none: all
	Groups              *GroupRules        `json:"groups"`        // nil: groups are kept by hand
	Roles               *RoleRules         `json:"roles"`
	Organizations       *OrganizationRules `json:"organizations"`
}

// GroupRules say which groups somebody is in.
type GroupRules struct {
	Claim        string            `json:"claim"`        // groups
	Organization string            `json:"organization"` // whose groups those without a mapping are; the default one
	Filter       string            `json:"filter"`       // regular expression; with parentheses, what is in the first is the name
	Mapping      map[string]string `json:"mapping"`      // value there: GROUP or ORGANIZATION/GROUP here
	Create       bool              `json:"create"`       // groups that are not there
	Allowed      []string          `json:"allowed"`      // values of which one is needed to get in; none: nobody is kept out

	filter *regexp.Regexp
}

// RoleRules say which roles of the site somebody has.
type RoleRules struct {
	Claim   string                  `json:"claim"` // roles
	Mapping map[string][]berth.Role `json:"mapping"`
}

// OrganizationRules say which organizations somebody is in.
type OrganizationRules struct {
	Claim   string              `json:"claim"`   // organizations
	Mapping map[string][]string `json:"mapping"` // value there: ORGANIZATION or ORGANIZATION:ROLE here
	Default *bool               `json:"default"` // everybody is in the default one besides; true unless said

	ruled map[string]bool // organizations whose roles the mapping gives
}

// Complete fills in defaults and checks. Errors name the field.
func (r *Rules) Complete() error {
	r.UsernameClaim = cmp.Or(r.UsernameClaim, "preferred_username")
	r.EmailClaim = cmp.Or(r.EmailClaim, "email")
	r.NameClaim = cmp.Or(r.NameClaim, "name")
	for i, d := range r.EmailDomains {
		d = asciiLower(strings.TrimPrefix(d, "@"))
		if d == "" || strings.ContainsAny(d, "@* ") || !ascii(d) {
			return berth.InvalidField("email_domains", "%q is not a domain: give one such as example.com, without patterns", d)
		}
		r.EmailDomains[i] = d
	}
	if err := r.Groups.complete(); err != nil {
		return err
	}
	if err := r.Roles.complete(); err != nil {
		return err
	}
	return r.Organizations.complete()
}

func (g *GroupRules) complete() (err error) {
	if g == nil {
		return nil
	}
	g.Claim, g.Organization = cmp.Or(g.Claim, "groups"), cmp.Or(g.Organization, "default")
	if g.filter, err = regexp.Compile(g.Filter); err != nil {
		return berth.InvalidField("groups.filter", "it is not a regular expression: %v", err)
	}
	for value, to := range g.Mapping {
		if _, _, err := g.target(to); err != nil {
			return berth.InvalidField("groups.mapping", "%q: %q: say GROUP or ORGANIZATION/GROUP", value, to)
		}
	}
	return berth.ValidateName("groups.organization", g.Organization)
}

// target is the organization and the group of a mapping.
func (g *GroupRules) target(to string) (organization, group string, err error) {
	organization, group = g.Organization, to
	if o, rest, ok := strings.Cut(to, "/"); ok {
		organization, group = o, rest
	}
	if err := berth.ValidateName("organization", organization); err != nil {
		return "", "", err
	}
	return organization, group, berth.ValidateName("group", group)
}

func (r *RoleRules) complete() error {
	if r == nil {
		return nil
	}
	r.Claim = cmp.Or(r.Claim, "roles")
	if len(r.Mapping) == 0 {
		return berth.InvalidField("roles.mapping", "it is needed: which values there are which roles here")
	}
	for value, roles := range r.Mapping {
		for _, role := range roles {
			if !slices.Contains(berth.SiteRoles, role) {
				return berth.InvalidField("roles.mapping", "%q: %q is not a role: use %s", value, role, words(berth.SiteRoles))
			}
		}
	}
	return nil
}

func (r *OrganizationRules) complete() error {
	if r == nil {
		return nil
	}
	r.Claim = cmp.Or(r.Claim, "organizations")
	if r.Default == nil {
		yes := true
		r.Default = &yes
	}
	if len(r.Mapping) == 0 {
		return berth.InvalidField("organizations.mapping", "it is needed: which values there are which organizations here")
	}
	r.ruled = map[string]bool{}
	for value, list := range r.Mapping {
		for _, to := range list {
			o, role, err := membership(to)
			r.ruled[o] = r.ruled[o] || role != ""
			if err != nil {
				return berth.InvalidField("organizations.mapping", "%q: %q: say ORGANIZATION or ORGANIZATION:ROLE, with one of the roles %s",
					value, to, words(berth.OrganizationRoles))
			}
		}
	}
	return nil
}

// membership reads ORGANIZATION or ORGANIZATION:ROLE.
func membership(to string) (organization string, role berth.Role, err error) {
	organization, text, with := strings.Cut(to, ":")
	if err := berth.ValidateName("organization", organization); err != nil {
		return "", "", err
	}
	role = berth.Role(text)
	if with && !slices.Contains(berth.OrganizationRoles, role) {
		return "", "", berth.InvalidField("role", "%q is not a role", text)
	}
	return organization, role, nil
}

func words(roles []berth.Role) string {
	texts := make([]string, len(roles))
	for i, r := range roles {
		texts[i] = string(r)
	}
	return strings.Join(texts, ", ")
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// asciiLower leaves letters alone that only look like ASCII ones, or become
// ones in lower case.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
