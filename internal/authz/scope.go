package authz

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Scope is how much of its user's rights a token carries: one of the words
// below, or KIND:ACTION, of which one may be *. Several add up; none carries
// nothing, and an unknown one adds nothing.
type Scope string

const (
	ScopeAll     Scope = "all"     // everything
	ScopeRead    Scope = "read"    // read everything but what is the person's own alone
	ScopeConnect Scope = "connect" // enter workspaces and their apps
	// ScopeWorkspace is that of a workspace's own login: no accounts, no
	// templates to change, no state.
	ScopeWorkspace Scope = "workspace"
	// ScopePassword is that of a login whose password has to be changed first.
	ScopePassword Scope = "password"
)

// TokenScopes are the named ones that people may give to their tokens.
var TokenScopes = []Scope{ScopeAll, ScopeRead, ScopeConnect}

// named is what tokens of a named scope may do at most. ScopeAll is not listed:
// it narrows nothing.
var named = map[Scope]map[Kind][]Action{
	ScopeRead: readable(),
	ScopeConnect: {
		KindUser: {Read}, KindOrganization: {Read}, KindTemplate: {Read}, KindProvider: {Read},
		KindWorkspace: {Read, Connect},
	},
	ScopeWorkspace: {
		KindUser:         {Read},
		KindSSHKey:       {Read},
		KindExternal:     {Read, Use}, // git in the workspace asks for tokens; it does not sign in or out
		KindOrganization: {Read},
		KindProvider:     {Read, Use},
		KindTemplate:     {Read, Use},
		KindQuota:        {Read},
		KindWorkspace:    {Create, Read, Update, Start, Stop, Connect},
	},
	ScopePassword: {KindUser: {Read}, KindPassword: {Update}},
}

func readable() map[Kind][]Action {
	all := map[Kind][]Action{}
	for _, k := range Kinds {
		if k.has(Read) && !slices.Contains(personal, k) {
			all[k] = []Action{Read}
		}
	}
	return all
}

// covers tells whether one scope lets an action through.
func (s Scope) covers(action Action, kind Kind) bool {
	if s == ScopeAll {
		return true
	}
	if k, a, ok := strings.Cut(string(s), ":"); ok {
		return (k == "*" || Kind(k) == kind) && (a == "*" || Action(a) == action)
	}
	return slices.Contains(named[s][kind], action)
}

// covered tells whether any of the actor's scopes lets an action through.
func (a Actor) covered(action Action, kind Kind) bool {
	if a.Shared != "" && kind == KindWorkspace && action == Create {
		return false // none of them would be the shared one
	}
	return slices.ContainsFunc(a.Scopes, func(s Scope) bool { return s.covers(action, kind) })
}

// Covers tells whether the actor's own scopes allow all that others allow: who
// acts with a narrow token makes no wider one.
func (a Actor) Covers(scopes []Scope) bool {
	if slices.Contains(a.Scopes, ScopeAll) {
		return true
	}
	for _, s := range scopes {
		for _, k := range Kinds {
			for _, action := range k.Actions() {
				if s.covers(action, k) && !a.covered(action, k) {
					return false
				}
			}
		}
	}
	return true
}

// ParseScopes checks the scopes that somebody gives to a token.
func ParseScopes(field string, texts []string) ([]Scope, error) {
	var scopes []Scope
	for _, t := range texts {
		s := Scope(t)
		k, a, fine := strings.Cut(t, ":")
		switch {
		case slices.Contains(TokenScopes, s):
		case fine && (k == "*" || slices.Contains(Kinds, Kind(k))) && (a == "*" || k == "*" && slices.Contains(Actions, Action(a)) || Kind(k).has(Action(a))):
		default:
			return nil, berth.InvalidField(field, "%q is not a scope: use all, read, connect, or a kind and an action such as workspace:start", t)
		}
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes, nil
}

// ScopesOf is the scopes of a token of a user.
func ScopesOf(t berth.Token, u berth.User) []Scope {
	switch {
	case t.Kind == berth.TokenWorkspace:
		return []Scope{ScopeWorkspace}
	case t.Kind == berth.TokenLogin && u.MustChangePassword && t.SignIn == berth.SignInPassword:
		return []Scope{ScopePassword}
	}
	scopes := make([]Scope, len(t.Scopes))
	for i, s := range t.Scopes {
		scopes[i] = Scope(s)
	}
	return scopes
}
