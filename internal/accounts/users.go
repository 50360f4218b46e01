package accounts

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// person is a living user by username, id or "me", whom the actor may do the
// action to. System users are nobody to people.
func person(q *store.Query, actor authz.Actor, action authz.Action, ref string) (berth.User, error) {
	noun := "the user " + ref
	if authz.Me(ref) {
		ref = string(actor.UserID)
	}
	u, err := q.UserRef(ref)
	if errors.Is(err, berth.NotFound) || err == nil && u.System {
		return u, authz.Missing(actor, action, authz.KindUser, noun)
	}
	if err != nil {
		return u, err
	}
	who, err := WhoIs(q, u)
	if err != nil {
		return u, err
	}
	on := authz.OfPerson(who)
	if authz.Can(actor, action, on) {
		return u, nil
	}
	if on.Privileged && authz.Can(actor, action, authz.OfUser(u.ID)) {
		return u, berth.Errorf(berth.Forbidden, "%s has roles, of the site or of an organization: only an owner of the site may do that to them", u.Username)
	}
	return u, authz.Check(actor, action, on, noun)
}

// Person is that for other use cases about people.
func Person(q *store.Query, actor authz.Actor, action authz.Action, ref string) (berth.User, error) {
	return person(q, actor, action, ref)
}

// roleRule is what those are told who want to give or take roles of the site.
const roleRule = "roles of the site are given and taken by its owners: ask one"

// openly is authz.Check of all things of a kind where there is nothing to hide:
// that they can be done is no secret.
func openly(actor authz.Actor, action authz.Action, kind authz.Kind, rule string) error {
	if authz.Can(actor, action, authz.All(kind)) {
		return nil
	}
	if err := authz.Barred(actor, action, kind); err != nil {
		return err
	}
	return berth.Errorf(berth.Forbidden, "%s", rule)
}

// other is person for what nobody does to themselves.
func other(q *store.Query, actor authz.Actor, ref, what string) (berth.User, error) {
	u, err := person(q, actor, authz.Update, ref)
	if err == nil && u.ID == actor.UserID {
		return u, berth.Errorf(berth.Conflict, "nobody can %s: ask another owner or user-admin of the site", what)
	}
	return u, err
}

// ListUsers says which users are wanted; zero fields choose all.
type ListUsers struct {
	Query string // status:active role:owner sign-in:password, and parts of names
	After string
	Limit int
}

// Users is one page of the users whom the actor may see, oldest first, and the
// mark of the next.
func (s *Service) Users(ctx context.Context, actor authz.Actor, in ListUsers) (users []berth.User, next string, err error) {
	if err := authz.Barred(actor, authz.Read, authz.KindUser); err != nil {
		return nil, "", err
	}
	f, err := userFilter(in.Query)
	if err != nil {
		return nil, "", err
	}
	page, err := store.NewPage(in.After, in.Limit)
	if err != nil {
		return nil, "", err
	}
	f.Visible = authz.See(actor, authz.Read, authz.KindUser)
	err = s.db.Read(ctx, func(q *store.Query) error {
		users, next, err = q.UserPage(f, page)
		return err
	})
	return users, next, err
}

// userFilter reads a query of the list of users.
func userFilter(query string) (f store.UserFilter, err error) {
	err = berth.Filters{
		"name":    func(word string) error { f.Words = append(f.Words, word); return nil },
		"status":  berth.FilterWords(&f.Status, "status", berth.UserActive, berth.UserDormant, berth.UserSuspended),
		"role":    berth.FilterWords(&f.Roles, "role", berth.SiteRoles...),
		"sign-in": berth.FilterText(&f.SignIn),
	}.Read(query)
	return f, err
}

// UserView is a user with the organizations that they belong to.
type UserView struct {
	berth.User
	Organizations []UserOrganization
}

// UserOrganization is a membership by name.
type UserOrganization struct {
	Name  string
	Roles []berth.Role
}

// User shows a user by username, id or "me".
func (s *Service) User(ctx context.Context, actor authz.Actor, ref string) (v UserView, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if v.User, err = person(q, actor, authz.Read, ref); err != nil {
			return err
		}
		v, err = viewUser(q, v.User)
		return err
	})
	return v, err
}

func viewUser(q *store.Query, u berth.User) (UserView, error) {
	v := UserView{User: u}
	all, err := q.MembershipsOf(u.ID)
	if err != nil {
		return v, err
	}
	for _, m := range all {
		o, err := q.Organization(m.OrganizationID)
		if err != nil {
			return v, err
		}
		v.Organizations = append(v.Organizations, UserOrganization{o.Name, m.Roles})
	}
	slices.SortFunc(v.Organizations, func(a, b UserOrganization) int { return strings.Compare(a.Name, b.Name) })
	return v, nil
}

// CreateUser says whom to make.
type CreateUser struct {
	Username, Email, Name string
	Password              string // empty: one is made, and has to be changed at the first sign-in
	SignIn                berth.SignIn
	Roles                 []berth.Role
	Organizations         []string // names or ids; nil: the default one
}

// CreateUser makes a user. The second result is the password that was made for
// them, if one was: it is shown once.
func (s *Service) CreateUser(ctx context.Context, actor authz.Actor, in CreateUser) (v UserView, password string, err error) {
	if err := openly(actor, authz.Create, authz.KindUser, "users are made by owners and user-admins of the site: ask one"); err != nil {
		return v, "", err
	}
	if len(in.Roles) > 0 {
		if err := openly(actor, authz.Assign, authz.KindRole, roleRule); err != nil {
			return v, "", err
		}
	}
	if err := s.validateSignIn(in.SignIn); err != nil {
		return v, "", err
	}
	n := NewUser{Username: in.Username, Email: in.Email, Name: in.Name, Password: in.Password, SignIn: in.SignIn, Roles: in.Roles, By: actor.UserID}
	if cmp.Or(in.SignIn, berth.SignInPassword) == berth.SignInPassword && in.Password == "" {
		password = generatePassword(s.opt.MinPasswordLength)
		n.Password, n.MustChange = password, true
	}
	if n, err = s.prepare(ctx, n); err != nil {
		return v, "", err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if n.Organizations, err = joined(&tx.Query, actor, in.Organizations); err != nil {
			return err
		}
		u, err := s.NewUserIn(tx, n)
		if err != nil {
			return err
		}
		v, err = viewUser(&tx.Query, u)
		return err
	})
	return v, password, err
}

// joined are the organizations that a new user joins.
func joined(q *store.Query, actor authz.Actor, refs []string) ([]berth.OrganizationID, error) {
	if refs == nil {
		return nil, nil
	}
	ids := []berth.OrganizationID{}
	for _, ref := range refs {
		noun := "the organization " + ref
		o, err := q.OrganizationRef(ref)
		if errors.Is(err, berth.NotFound) {
			return nil, authz.Missing(actor, authz.Create, authz.KindMember, noun)
		}
		if err != nil {
			return nil, err
		}
		if err := authz.Check(actor, authz.Create, authz.In(authz.KindMember, o.ID), "members of "+noun); err != nil {
			return nil, err
		}
		if !slices.Contains(ids, o.ID) {
			ids = append(ids, o.ID)
		}
	}
	return ids, nil
}

// validateSignIn checks a way to sign in that somebody chose for a user.
func (s *Service) validateSignIn(how berth.SignIn) error {
	switch {
	case how == "", how == berth.SignInPassword, how == berth.SignInNone:
		return nil
	case s.opt.SignIns != nil && s.opt.SignIns(how):
		return nil
	}
	return berth.InvalidField("sign_in", "%q is no way to sign in here: use password, none, or the id of an identity provider of --sign-in", string(how))
}

// EditUser is what to change of a user; what is nil stays.
type EditUser struct {
	Username, Email, Name *string
	Roles                 *[]berth.Role
}

// EditUser changes a user. People may change their own username and full name;
// the e-mail address, by which others know them, is changed by who may change
// everybody's, and roles by owners of the site.
func (s *Service) EditUser(ctx context.Context, actor authz.Actor, ref string, e EditUser) (v UserView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := person(&tx.Query, actor, authz.Update, ref)
		if err != nil {
			return err
		}
		changes := berth.Changes{}
		if err := e.apply(actor, &u, changes); err != nil {
			return err
		}
		if len(changes) > 0 {
			if err := tx.UpdateUser(u); err != nil {
				return err
			}
			if err := recordUser(tx, actor.UserID, "edit", u, changes); err != nil {
				return err
			}
		}
		if e.Roles != nil {
			if err := openly(actor, authz.Assign, authz.KindRole, roleRule); err != nil {
				return err
			}
			if u, err = SetRolesIn(tx, actor.UserID, u, *e.Roles); err != nil {
				return err
			}
		}
		v, err = viewUser(&tx.Query, u)
		return err
	})
	return v, err
}

func (e EditUser) apply(actor authz.Actor, u *berth.User, changes berth.Changes) error {
	if e.Username != nil {
		if err := ValidateUsername("username", *e.Username); err != nil {
			return err
		}
		changes.Set("username", u.Username, *e.Username)
		u.Username = *e.Username
	}
	if e.Email != nil && *e.Email != u.Email {
		if !authz.Can(actor, authz.Update, authz.All(authz.KindUser)) {
			return berth.Errorf(berth.Forbidden, "your e-mail address is changed by a user-admin of the site: ask one")
		}
		if err := berth.ValidateEmail("email", *e.Email); err != nil {
			return err
		}
		changes.Set("email", u.Email, *e.Email)
		u.Email = *e.Email
	}
	if e.Name != nil {
		if err := validateFullName(*e.Name); err != nil {
			return err
		}
		changes.Set("name", u.Name, *e.Name)
		u.Name = *e.Name
	}
	return nil
}
