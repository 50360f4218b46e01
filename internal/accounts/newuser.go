package accounts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// NewUser is what it takes to make a user.
type NewUser struct {
	Username, Email, Name string

	Password   string       // of who signs in by password; checked and hashed before the transaction
	SignIn     berth.SignIn // empty: by password
	MustChange bool         // the password, before anything else
	Roles      []berth.Role
	Status     berth.UserStatus // empty: dormant, until they sign in

	// Organizations are those that they join. nil: the default one; empty: none.
	Organizations []berth.OrganizationID

	By     berth.UserID   // who makes them; empty: they themselves
	Detail map[string]any // of the record

	hash string
}

// reserved are the usernames that mean something else in paths and queries.
var reserved = []string{"me", "first", "all", "none", "system", berth.PrebuildsUsername}

// ValidateUsername checks a username, and that it means nothing else.
func ValidateUsername(field, name string) error {
	if err := berth.ValidateName(field, name); err != nil {
		return err
	}
	if slices.Contains(reserved, strings.ToLower(name)) {
		return berth.InvalidField(field, "%q has a meaning of its own: choose another username", name)
	}
	return nil
}

// maxFullName bounds full names, in bytes.
const maxFullName = 128

func validateFullName(name string) error {
	if len(name) > maxFullName {
		return berth.InvalidField("name", "the full name is too long: at most %d characters", maxFullName)
	}
	return nil
}

func (in NewUser) validate() error {
	if err := ValidateUsername("username", in.Username); err != nil {
		return err
	}
	if err := berth.ValidateEmail("email", in.Email); err != nil {
		return err
	}
	if err := validateFullName(in.Name); err != nil {
		return err
	}
	return berth.ValidateRoles("roles", in.Roles, berth.SiteRoles)
}

// prepare checks all that a transaction need not be held for, and hashes the
// password.
func (s *Service) prepare(ctx context.Context, in NewUser) (NewUser, error) {
	in.SignIn = cmp.Or(in.SignIn, berth.SignInPassword)
	if err := in.validate(); err != nil {
		return in, err
	}
	if in.SignIn != berth.SignInPassword {
		if in.Password != "" {
			return in, berth.InvalidField("password", "who signs in by %s has no password: leave it out", in.SignIn)
		}
		return in, nil
	}
	if err := s.checkPassword("password", in.Password, in.Username, in.Email, in.Name); err != nil {
		return in, err
	}
	hash, err := s.hashes.hash(ctx, in.Password)
	in.hash = hash
	return in, err
}

// NewUserIn makes a user in a transaction that its caller decides about: it
// checks the input but no right, and takes no password (Service.CreateUser
// does). Roles are given as they are.
func NewUserIn(tx *store.Tx, in NewUser) (berth.User, error) {
	if err := in.validate(); err != nil {
		return berth.User{}, err
	}
	u := berth.User{
		ID: berth.NewID[berth.User](), Username: in.Username, Email: in.Email, Name: in.Name, Roles: in.Roles,
		Status: cmp.Or(in.Status, berth.UserDormant), SignIn: cmp.Or(in.SignIn, berth.SignInPassword),
		MustChangePassword: in.MustChange && in.hash != "", CreatedAt: tx.Now, UpdatedAt: tx.Now,
	}
	if u.Roles == nil {
		u.Roles = []berth.Role{}
	}
	if err := tx.InsertUser(u, in.hash); err != nil {
		return berth.User{}, err
	}
	if in.Organizations == nil {
		o, err := tx.OrganizationRef("")
		if err != nil {
			return berth.User{}, err
		}
		in.Organizations = []berth.OrganizationID{o.ID}
	}
	for _, o := range in.Organizations {
		if err := tx.AddMember(o, u.ID); err != nil {
			return berth.User{}, err
		}
	}
	changes := berth.Changes{}
	changes.Set("username", "", u.Username)
	changes.Set("email", "", u.Email)
	changes.Set("name", "", u.Name)
	changes.Set("sign_in", "", string(u.SignIn))
	if len(u.Roles) > 0 {
		changes.Set("roles", nil, u.Roles)
	}
	if in.hash != "" {
		changes.Secret("password")
	}
	return u, tx.InsertAudit(store.Audit{ActorID: cmp.Or(in.By, u.ID), Action: "create", Kind: "user", TargetID: string(u.ID), TargetName: u.Username,
		Changes: changes, Detail: in.Detail})
}
