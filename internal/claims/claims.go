package claims

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/berthdev/berth"
)

// Bounds of what a provider may say.
const (
	maxSubject = 255 // as OpenID Connect has it
	maxValues  = 2000
	maxValue   = 512
	maxName    = 128
)

// Person is what claims say of somebody. nil Groups, Roles and Organizations
// are not for the provider to say, or it did not: they stay as they are.
type Person struct {
	Subject       string
	Username      string // valid; whether it is free is another question
	Email         string
	EmailVerified bool // the provider says so, or is not asked
	Name          string
	Groups        map[string][]string // by organization, sorted; none: of none
	Roles         []berth.Role
	Organizations []Membership
	Skipped       []string // groups there that have no name here
}

// Membership is that somebody is in an organization.
type Membership struct {
	Organization string       // name, or "default"
	Roles        []berth.Role // nil: the rules give none there, people do
}

// Read says who somebody is, or why they may not come in. The rules are
// complete.
func (r *Rules) Read(claims map[string]any) (p Person, err error) {
	p.Subject, _ = claims["sub"].(string)
	if p.Subject == "" || len(p.Subject) > maxSubject || !utf8.ValidString(p.Subject) || strings.ContainsFunc(p.Subject, unicode.IsControl) {
		return p, refused("the identity provider does not say who you are (claim sub): ask an administrator")
	}
	if err := r.email(&p, claims); err != nil {
		return p, err
	}
	p.Username = r.username(claims, p.Email)
	p.Name = fullName(text(claims, r.NameClaim))
	if err := r.groups(&p, claims); err != nil {
		return p, err
	}
	if r.Roles != nil {
		values, known, err := values(claims, r.Roles.Claim)
		if err != nil {
			return p, err
		}
		if known {
			p.Roles = r.Roles.read(values)
		}
	}
	if r.Organizations != nil {
		values, known, err := values(claims, r.Organizations.Claim)
		if err != nil {
			return p, err
		}
		if known {
			p.Organizations = r.Organizations.read(values)
		}
	}
	return p, nil
}

func (r *Rules) email(p *Person, claims map[string]any) error {
	p.Email = strings.TrimSpace(text(claims, r.EmailClaim))
	if p.Email == "" {
		return refused("the identity provider does not tell your e-mail address (claim %s): add one to your account there, or ask an administrator whether the scopes are right", r.EmailClaim)
	}
	if err := berth.ValidateEmail("email", p.Email); err != nil || strings.ContainsFunc(p.Email, unicode.IsControl) {
		return refused("the identity provider tells an e-mail address that is none: correct it in your account there")
	}
	verified, said := lookup(claims, "email_verified")
	p.EmailVerified = r.IgnoreEmailVerified || verified == true || verified == "true"
	if said && !p.EmailVerified {
		return refused("the identity provider has not verified your e-mail address %s: verify it there, and sign in again", p.Email)
	}
	if domain := asciiLower(p.Email[strings.LastIndexByte(p.Email, '@')+1:]); len(r.EmailDomains) > 0 && !slices.Contains(r.EmailDomains, domain) {
		return refused("e-mail addresses of %s may not sign in here: use another account, or ask an administrator", domain)
	}
	return nil
}

// username is a valid one that is like what the provider says, or else like the
// e-mail address.
func (r *Rules) username(claims map[string]any, email string) string {
	for _, from := range []string{text(claims, r.UsernameClaim), email} {
		local, _, _ := strings.Cut(from, "@")
		if name := Username(local); name != "" {
			return name
		}
	}
	return "user"
}

// Username makes a valid username of a text; empty when nothing is left.
func Username(s string) string {
	var b strings.Builder
	gap := false
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteByte(c)
			gap = false
			continue
		}
		gap = true
	}
	name := b.String()
	if len(name) > berth.MaxNameLength {
		name = strings.TrimRight(name[:berth.MaxNameLength], "-")
	}
	return name
}

func fullName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.In(r, unicode.Cf) {
			return -1
		}
		return r
	}, s)
	for len(s) > maxName {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimSpace(s)
}

func (r *Rules) groups(p *Person, claims map[string]any) error {
	if r.Groups == nil {
		return nil
	}
	values, known, err := values(claims, r.Groups.Claim)
	if err != nil {
		return err
	}
	if len(r.Groups.Allowed) > 0 {
		if !known {
			return refused("the identity provider does not tell your groups, because there are too many: an administrator has to narrow them down there")
		}
		if !slices.ContainsFunc(values, func(v string) bool { return slices.Contains(r.Groups.Allowed, v) }) {
			return refused("you are in none of the groups that may sign in here: ask an administrator to be put into one at the identity provider")
		}
	}
	if known {
		p.Groups, p.Skipped = r.Groups.read(values)
	}
	return nil
}

// read sorts values into the groups here.
func (g *GroupRules) read(values []string) (groups map[string][]string, skipped []string) {
	groups = map[string][]string{}
	add := func(organization, name string) {
		same := func(n string) bool { return strings.EqualFold(n, name) }
		if !slices.ContainsFunc(groups[organization], same) {
			groups[organization] = append(groups[organization], name)
		}
	}
	for _, v := range values {
		if to, ok := g.Mapping[v]; ok {
			if o, name, err := g.target(to); err == nil {
				add(o, name)
			}
			continue
		}
		found := g.filter.FindStringSubmatch(v)
		if found == nil {
			continue
		}
		name := v
		if len(found) > 1 {
			name = found[1]
		}
		if berth.ValidateName("group", name) != nil || strings.EqualFold(name, berth.EveryoneGroup) || strings.EqualFold(name, berth.PrebuildsGroup) {
			skipped = append(skipped, v)
			continue
		}
		add(g.Organization, name)
	}
	for _, list := range groups {
		slices.Sort(list)
	}
	return groups, skipped
}

func (r *RoleRules) read(values []string) []berth.Role {
	roles := []berth.Role{}
	for _, v := range values {
		roles = append(roles, r.Mapping[v]...)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

func (r *OrganizationRules) read(values []string) []Membership {
	all := map[string][]berth.Role{}
	join := func(o string) {
		if _, in := all[o]; !in && r.ruled[o] {
			all[o] = []berth.Role{}
		} else if !in {
			all[o] = nil
		}
	}
	if *r.Default {
		join(berth.DefaultOrganization)
	}
	for _, v := range values {
		for _, to := range r.Mapping[v] {
			o, role, err := membership(to)
			if err != nil {
				continue // Complete refused it
			}
			if join(o); role != "" && !slices.Contains(all[o], role) {
				all[o] = append(all[o], role)
			}
		}
	}
	list := []Membership{}
	for o, roles := range all {
		slices.Sort(roles)
		list = append(list, Membership{o, roles})
	}
	slices.SortFunc(list, func(a, b Membership) int { return strings.Compare(a.Organization, b.Organization) })
	return list
}

func refused(format string, args ...any) error { return berth.Errorf(berth.Forbidden, format, args...) }
