package authz

import "slices"

// Set is a named set of rights: a role, or what a share carries.
type Set struct {
	Name   string
	Of     SetOf
	About  string // one sentence
	Rights []Right
}

// SetOf says where a set is given.
type SetOf string

const (
	OfSite           SetOf = "site"
	OfAnOrganization SetOf = "organization"
	OfAShare         SetOf = "share" // of a workspace or a template
)

// Right is some actions on things of a kind.
type Right struct {
	Kind    Kind
	Actions []Action
	Whose   string // which things of the kind
}

// abouts are the sets in the order in which people are shown them.
var abouts = []struct {
	who   who
	name  string
	about string
}{
	{site, "owner", "May do everything on the site, sessions in others' workspaces included. What is personal (SSH keys, secrets, sign-ins elsewhere) stays its owner's."},
	{site, "user-admin", "Makes, changes, suspends and deletes users who have no roles; manages members and groups everywhere. Gives no roles."},
	{site, "template-admin", "Manages all templates, reads all workspaces to help with their builds and state, and enters none."},
	{site, "auditor", "Reads the audit, users, organizations and templates of the whole site, and changes nothing."},
	{site, "member", "What every user has, besides their roles."},
	{organization, "owner", "Manages one organization: settings, members and their roles there, groups, templates and workspaces, which it neither enters nor makes for others."},
	{organization, "user-admin", "Adds and removes members of one organization who have no roles there, and manages its groups. Gives no roles."},
	{organization, "template-admin", "Manages the templates of one organization, reads its workspaces to help with their builds and state, and enters none."},
	{organization, "auditor", "Reads the audit, templates and quotas of one organization, and changes nothing."},
	{organization, "member", "What every member of an organization has there, besides their roles."},
	{grantee, "use", "Of a template: make workspaces from it. Of a workspace: enter, start and stop it."},
	{grantee, "admin", "Of a template: manage it. Of a workspace: also change it, and share it with others to use. Its owner alone deletes and governs it."},
}

// Sets lists the roles of the site and of organizations and what shares carry,
// each with its rights, which are read from the policy itself.
func Sets() []Set {
	of := map[who]SetOf{site: OfSite, organization: OfAnOrganization, grantee: OfAShare}
	all := make([]Set, len(abouts))
	for i, a := range abouts {
		all[i] = Set{Name: a.name, Of: of[a.who], About: a.about, Rights: rightsOf(a.who, a.name)}
	}
	return all
}

// rightsOf collects what the rules of a set come to, by kind and by whose.
func rightsOf(w who, name string) (all []Right) {
	for _, k := range table {
		for _, r := range policy {
			if r.who != w || name != string(r.role)+string(r.grant) || !slices.Contains(r.kinds, k.kind) {
				continue
			}
			whose := r.whose(k.kind)
			i := slices.IndexFunc(all, func(x Right) bool { return x.Kind == k.kind && x.Whose == whose })
			if i < 0 {
				all = append(all, Right{Kind: k.kind, Whose: whose})
				i = len(all) - 1
			}
			for _, a := range k.actions {
				if slices.Contains(r.actions, a) && !slices.Contains(all[i].Actions, a) {
					all[i].Actions = append(all[i].Actions, a)
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(r Right) bool { return len(r.Actions) == 0 })
}

// whose says in words which things of a kind a rule is about.
func (r rule) whose(k Kind) string {
	switch {
	case r.reach == own:
		return "their own"
	case r.reach == ownHere:
		return "their own, in organizations that they belong to"
	case r.who == grantee:
		return "what is shared with them, in organizations that they belong to"
	case k.privileged() && !r.privileged:
		return words[r.who] + ", of people without roles"
	default:
		return words[r.who]
	}
}

var words = map[who]string{site: "all", organization: "of the organization"}
