package berth

import (
	"net/mail"
	"slices"
	"strings"
	"time"
)

// User is a person, or a system user, who owns workspaces.
type User struct {
	ID       UserID
	Username string
	Email    string
	Name     string // full name, may be empty
	Status   UserStatus
	Roles    []Role // site-wide; every user is a member besides
	System   bool   // cannot sign in
	Dotfiles string // URI of their dotfiles repository; may be empty
	// QuietHours is the daily schedule at which what stops by force or for a new
	// version stops, see ParseQuietHours; empty: as the server says.
	QuietHours string
	SignIn     SignIn
	// MustChangePassword: with what they sign in by now they can do nothing but
	// change it.
	MustChangePassword bool
	SeenAt             time.Time // of their newest request, to some minutes; zero if never
	SuspendedAt        time.Time // zero if they are not
	CreatedAt          time.Time
	UpdatedAt          time.Time
	DeletedAt          time.Time // zero while they live; the row stays, its names are free
}

// SignIn says how a user signs in: one of the words below, or the id of an
// identity provider.
type SignIn string

const (
	SignInPassword SignIn = "password"
	SignInNone     SignIn = "none" // by tokens alone, which others make for them
)

// MaySignIn tells whether a user may sign in and use tokens.
func (u User) MaySignIn() bool {
	return !u.System && u.Status != UserSuspended && u.DeletedAt.IsZero()
}

type UserStatus string

const (
	UserActive    UserStatus = "active"
	UserDormant   UserStatus = "dormant"
	UserSuspended UserStatus = "suspended"
)

// Role names a set of rights; the sets are one table in internal/authz.
type Role string

const (
	RoleOwner         Role = "owner"
	RoleTemplateAdmin Role = "template-admin"
	RoleUserAdmin     Role = "user-admin"
	RoleAuditor       Role = "auditor"
	RoleMember        Role = "member"
)

// SiteRoles and OrganizationRoles are the roles that are given; everybody is a
// member besides.
var (
	SiteRoles         = []Role{RoleOwner, RoleUserAdmin, RoleTemplateAdmin, RoleAuditor}
	OrganizationRoles = []Role{RoleOwner, RoleUserAdmin, RoleTemplateAdmin, RoleAuditor}
)

// ValidateRoles checks that roles are among those that are known to be given.
func ValidateRoles(field string, roles, known []Role) error {
	for _, r := range roles {
		if !slices.Contains(known, r) {
			words := make([]string, len(known))
			for i, k := range known {
				words[i] = string(k)
			}
			return InvalidField(field, "%q is not a role that is given: use %s; everybody is a member besides", r, strings.Join(words, ", "))
		}
	}
	return nil
}

// SortRoles is roles in the order of known, each once, without those that known
// does not have; never nil.
func SortRoles(roles, known []Role) []Role {
	sorted := []Role{}
	for _, r := range known {
		if slices.Contains(roles, r) {
			sorted = append(sorted, r)
		}
	}
	return sorted
}

// PrebuildsUsername is the system user that owns unclaimed prebuilds.
const PrebuildsUsername = "prebuilds"

// ValidateEmail checks that s is one plain address.
func ValidateEmail(field, s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return InvalidField(field, "%q is not an e-mail address", s)
	}
	return nil
}

// MinPasswordLength and MaxPasswordLength bound passwords, in bytes. The upper
// bound keeps hashing from being used to exhaust the server.
const (
	MinPasswordLength = 8
	MaxPasswordLength = 256
)

// ValidatePassword checks the length of a new password.
func ValidatePassword(field, s string) error {
	if len(s) < MinPasswordLength || len(s) > MaxPasswordLength {
		return InvalidField(field, "a password has between %d and %d characters", MinPasswordLength, MaxPasswordLength)
	}
	return nil
}

// MaxURILength bounds the URIs that people prefer, in bytes.
const MaxURILength = 1024

// ValidateDotfiles checks the URI of a dotfiles repository: one that git can
// clone and that is no option of git and no command.
func ValidateDotfiles(field, s string) error {
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
	scheme, rest, isURL := strings.Cut(s, "://")
	host, path, isSCP := strings.Cut(s, ":")
	switch {
	case s == "":
		return nil
	case len(s) > MaxURILength || !plain || strings.HasPrefix(s, "-"):
	case isURL:
		if slices.Contains([]string{"https", "http", "ssh", "git", "file"}, scheme) && rest != "" && !strings.HasPrefix(rest, "-") {
			return nil
		}
	case isSCP && host != "" && path != "" && !strings.HasPrefix(path, ":"):
		return nil
	case strings.HasPrefix(s, "/"):
		return nil
	}
	return InvalidField(field, "%q is not an address of a repository: give one such as https://github.com/ana/dotfiles or git@github.com:ana/dotfiles.git", s)
}

// Token lets a program act as a user. Only a hash of its secret is kept.
type Token struct {
	ID          TokenID
	UserID      UserID
	Kind        TokenKind
	Name        string
	Hash        []byte   // SHA-256 of the whole token text
	Scopes      []string // what it may do at most; see internal/authz
	SignIn      SignIn   // of a login: how it was made
	WorkspaceID WorkspaceID
	CreatedAt   time.Time
	ExpiresAt   time.Time
	LastUsedAt  time.Time // zero if never
}

// TokenUse is that a token was used from somewhere.
type TokenUse struct {
	TokenID   TokenID
	UserID    UserID
	Address   string
	UserAgent string
	FirstAt   time.Time
	LastAt    time.Time
}

type TokenKind string

const (
	TokenLogin     TokenKind = "login"     // a browser or command line signed in by password
	TokenAPI       TokenKind = "api"       // made by `berth tokens create`
	TokenWorkspace TokenKind = "workspace" // made at a workspace's start, gone at its stop
)
