package sharing

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// maxShares bounds how many users and groups one thing is shared with: all of
// them are looked at wherever somebody else than its owner comes.
const maxShares = 100

// Share is what is shared with whom, by name: a user, or a group of the thing's
// organization.
type Share struct {
	User, Group string
	Role        berth.GrantRole
}

// Thing is what is shared.
type Thing struct {
	Kind         string // workspace or template
	ID           string
	Name         string // as the audit has it
	Organization berth.OrganizationID
	Owner        berth.UserID // of a workspace: nothing is shared with them
	// Manages tells that the actor may give and take the role admin, and take
	// any role.
	Manages bool
	// Shares tells that they may give and take the role use.
	Shares bool
}

func (t Thing) target() store.GrantTarget { return store.GrantTarget{Kind: t.Kind, ID: t.ID} }

// Row is one share with the names that are shown of it.
type Row = store.GrantRow

// List is who a thing is shared with.
func List(q *store.Query, t Thing) ([]Row, error) { return q.GrantRows(t.target()) }

// Put shares a thing with all of them, or changes how; others stay as they are.
func Put(tx *store.Tx, actor authz.Actor, t Thing, wanted []Share) error {
	if len(wanted) == 0 {
		return berth.InvalidField("grants", "say whom to share with: a user or a group")
	}
	have, err := tx.Grants(t.target())
	if err != nil {
		return err
	}
	roles := map[berth.Grantee]berth.GrantRole{}
	for _, g := range have {
		roles[g.To] = g.Role
	}
	for _, s := range wanted {
		if s.Role != berth.GrantUse && s.Role != berth.GrantAdmin {
			return berth.InvalidField("role", "%q is not a role of a share: use, or admin", s.Role)
		}
		to, name, err := grantee(&tx.Query, t, s)
		if err != nil {
			return err
		}
		old := roles[to]
		if old == s.Role {
			continue
		}
		if !t.Manages && (old == berth.GrantAdmin || s.Role == berth.GrantAdmin) {
			return berth.Errorf(berth.Forbidden, "you may share this %s with the role use; the role admin is for its owner to give", t.Kind)
		}
		roles[to] = s.Role
		if len(roles) > maxShares {
			return berth.Errorf(berth.Limit, "the %s is shared with %d users and groups already: make a group of them", t.Kind, maxShares)
		}
		if err := tx.PutGrant(t.target(), berth.Grant{To: to, Role: s.Role}, actor.UserID); err != nil {
			return err
		}
		if err := audit(tx, actor, t, "share", to, name, old, s.Role); err != nil {
			return err
		}
	}
	return nil
}

// Remove ends shares. Who is not shared with is not_found. Everybody may end
// what is shared with themselves.
func Remove(tx *store.Tx, actor authz.Actor, t Thing, users, groups []string) error {
	if len(users)+len(groups) == 0 {
		return berth.InvalidField("user", "say whose share to end: a user or a group")
	}
	rows, err := tx.GrantRows(t.target())
	if err != nil {
		return err
	}
	for _, w := range wantedOf(actor, users, groups) {
		r, found := named(rows, w)
		if !found {
			return berth.Errorf(berth.NotFound, "this %s is not shared with %s", t.Kind, w)
		}
		if err := t.mayEnd(actor, r.Grant); err != nil {
			return err
		}
		if err := tx.DeleteGrant(t.target(), r.To); errors.Is(err, berth.NotFound) {
			continue // named twice
		} else if err != nil {
			return err
		}
		if err := audit(tx, actor, t, "unshare", r.To, r.Name, r.Role, ""); err != nil {
			return err
		}
	}
	return nil
}

// mayEnd tells whether the actor may end a share.
func (t Thing) mayEnd(actor authz.Actor, g berth.Grant) error {
	leaves := g.To == (berth.Grantee{Kind: berth.GranteeUser, ID: string(actor.UserID)}) &&
		authz.Can(actor, authz.Share, authz.OfWorkspace(actor.UserID, t.Organization))
	switch {
	case t.Manages, t.Shares && g.Role == berth.GrantUse, leaves:
		return nil
	case t.Shares:
		return berth.Errorf(berth.Forbidden, "you may end shares of the role use; those of the role admin are for the owner of the %s to end", t.Kind)
	default:
		return berth.Errorf(berth.Forbidden, "you may end only what is shared with you: ask the owner of the %s", t.Kind)
	}
}

func audit(tx *store.Tx, actor authz.Actor, t Thing, action string, to berth.Grantee, name string, old, now berth.GrantRole) error {
	changes := berth.Changes{}
	changes.Set("role", word(old), word(now))
	if t.Kind == "workspace" {
		tx.Wake(store.WorkspaceTopic(berth.WorkspaceID(t.ID)))
	}
	return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: action, Kind: t.Kind, OrganizationID: t.Organization, TargetID: t.ID, TargetName: t.Name,
		Changes: changes, Detail: map[string]any{string(to.Kind): name}})
}

// word is a role in the record, where there is one.
func word(r berth.GrantRole) any {
	if r == "" {
		return nil
	}
	return string(r)
}
