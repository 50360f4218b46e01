package sharing

import (
	"errors"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// grantee is whom a share is for, and their name: a member or a group of the
// thing's organization. Who is elsewhere is not told from who is not at all.
func grantee(q *store.Query, t Thing, s Share) (berth.Grantee, string, error) {
	switch {
	case s.User != "" && s.Group != "" || s.User == "" && s.Group == "":
		return berth.Grantee{}, "", berth.InvalidField("grants", "each share is for a user or for a group: name one of them")
	case s.Group != "":
		g, err := q.GroupRef(t.Organization, s.Group)
		if errors.Is(err, berth.NotFound) {
			return berth.Grantee{}, "", berth.InvalidField("group", "there is no group %s in the organization of this %s", s.Group, t.Kind)
		}
		return berth.Grantee{Kind: berth.GranteeGroup, ID: string(g.ID)}, g.Name, err
	}
	u, err := q.UserNamed(s.User)
	if err == nil {
		_, err = q.Member(t.Organization, u.ID)
	}
	switch {
	case errors.Is(err, berth.NotFound), err == nil && u.System:
		return berth.Grantee{}, "", berth.InvalidField("user", "%s is not a member of the organization of this %s, and it is shared within that", s.User, t.Kind)
	case err == nil && u.ID == t.Owner:
		return berth.Grantee{}, "", berth.InvalidField("user", "%s owns this %s", u.Username, t.Kind)
	}
	return berth.Grantee{Kind: berth.GranteeUser, ID: string(u.ID)}, u.Username, err
}

// who names somebody in a request.
type who struct {
	kind berth.GranteeKind
	name string
}

func (w who) String() string { return "the " + string(w.kind) + " " + w.name }

// wantedOf is who is named in a request; the user "me" is the actor.
func wantedOf(actor authz.Actor, users, groups []string) (all []who) {
	for _, u := range users {
		if authz.Me(u) {
			u = actor.Username
		}
		all = append(all, who{berth.GranteeUser, u})
	}
	for _, g := range groups {
		all = append(all, who{berth.GranteeGroup, g})
	}
	return all
}

// named is the share of somebody by name, without regard to case.
func named(rows []store.GrantRow, w who) (store.GrantRow, bool) {
	for _, r := range rows {
		if r.To.Kind == w.kind && (strings.EqualFold(r.Name, w.name) || r.To.ID == w.name) {
			return r, true
		}
	}
	return store.GrantRow{}, false
}
