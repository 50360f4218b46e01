package berth

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// SSHKey is the public half of the key pair that a person's workspaces act with.
type SSHKey struct {
	UserID    UserID
	Public    string // as in authorized_keys, without a line end
	CreatedAt time.Time
}

// Secret is a value that a person has in all their workspaces. The value itself
// is not part of it.
type Secret struct {
	ID          SecretID
	UserID      UserID
	Name        string
	Description string
	Env         string // variable that holds it; may be empty
	File        string // file that holds it: ~/… or /…; may be empty
	Disabled    bool   // kept, but given to no workspace
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// MaxSecretSize and MaxSecrets bound the secrets of one person. A value that
// becomes a variable must stay below what a kernel takes for one.
const (
	MaxSecretSize = 64 << 10
	MaxSecrets    = 100
)

var (
	secretName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// Validate checks all but the value.
func (s Secret) Validate() error {
	switch {
	case !secretName.MatchString(s.Name):
		return InvalidField("name", "%q is not a name for a secret: use letters, digits, dots, hyphens and underscores, at most 64", s.Name)
	case len(s.Description) > 500:
		return InvalidField("description", "the description is too long: at most 500 bytes")
	case s.Env == "" && s.File == "":
		return InvalidField("env", "say where the secret goes: a variable, a file, or both")
	}
	if err := validateSecretEnv(s.Env); err != nil {
		return err
	}
	return validateSecretFile(s.File)
}

// reserved are variables that would break a workspace, or let a secret decide
// what runs in it.
var reserved = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "TERM", "TMPDIR",
	"GIT_SSH_COMMAND", "GIT_ASKPASS", "SSH_AUTH_SOCK"}

func validateSecretEnv(name string) error {
	upper := strings.ToUpper(name)
	switch {
	case name == "":
	case !envName.MatchString(name):
		return InvalidField("env", "%q is not the name of a variable: use letters, digits and underscores, not a digit first", name)
	case slices.Contains(reserved, upper):
		return InvalidField("env", "%s belongs to the workspace, which would not work with another value: choose another variable", name)
	case strings.HasPrefix(upper, "LD_"), strings.HasPrefix(upper, "DYLD_"):
		return InvalidField("env", "%s tells the loader what to run in every program: choose another variable", name)
	case strings.HasPrefix(upper, "CODER_"), strings.HasPrefix(upper, "BERTH_"), upper == "CODER", upper == "BERTH":
		return InvalidField("env", "variables that begin with CODER or BERTH belong to Berth: choose another one than %s", name)
	}
	return nil
}

func validateSecretFile(name string) error {
	if name == "" {
		return nil
	}
	inner, home := strings.CutPrefix(name, "~/")
	switch {
	case len(name) > 1024 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return InvalidField("file", "the path is too long or has control characters in it")
	case !home && !strings.HasPrefix(name, "/"):
		return InvalidField("file", "%q: give a path that begins with ~/ or /", name)
	case slices.Contains(strings.Split(name, "/"), ".."):
		return InvalidField("file", "%q: leave .. out of the path", name)
	case strings.HasSuffix(name, "/"), home && path.Clean("/"+inner) == "/", path.Clean(name) == "/":
		return InvalidField("file", "%q is a directory: name a file", name)
	}
	return nil
}

// ExternalLogin is a person's sign-in at another service, such as a git host.
// Its tokens are not part of it.
type ExternalLogin struct {
	UserID    UserID
	Provider  string // id of the service, as it is configured
	Account   string // name there; may be empty
	Scopes    string
	ExpiresAt time.Time // of the access token; zero: it does not expire
	Refused   string    // why it does not work any more; empty while it does
	CreatedAt time.Time
	UpdatedAt time.Time
}
