package accounts

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db     *store.DB
	hashes *hasher
	tries  *tries
}

// New makes the service on an open database.
func New(db *store.DB) *Service {
	return &Service{db: db, hashes: newHasher(), tries: newTries()}
}

// EnsureDefaults makes what every installation has: the default organization
// and the system user `prebuilds`. It is safe on several replicas at once.
func (s *Service) EnsureDefaults(ctx context.Context) error { panic("not yet") }

// SetupRequired tells whether the first user is still to be made.
func (s *Service) SetupRequired(ctx context.Context) (bool, error) { panic("not yet") }

// NewUser is what it takes to make a user.
type NewUser struct{ Username, Email, Name, Password string }

// FirstUser makes the first user, who owns the site and is a member of the
// default organization. It is a conflict when there is one already.
func (s *Service) FirstUser(ctx context.Context, in NewUser) (berth.User, error) { panic("not yet") }

// Login signs in by username or e-mail address and password, and gives the text
// of a new token. remoteAddr is where the person comes from, for the limit.
func (s *Service) Login(ctx context.Context, username, password, remoteAddr string) (string, berth.Token, berth.User, error) {
	panic("not yet")
}

// Logout ends the login that the token belongs to.
func (s *Service) Logout(ctx context.Context, actor authz.Actor, token berth.Token) error {
	panic("not yet")
}

// Authenticate tells whose token it is: unauthenticated for one that is
// unknown, expired, or whose user may not sign in.
func (s *Service) Authenticate(ctx context.Context, text string) (authz.Actor, berth.User, berth.Token, error) {
	panic("not yet")
}

// Me is the actor as a user.
func (s *Service) Me(ctx context.Context, actor authz.Actor) (berth.User, error) { panic("not yet") }

// CreateToken makes a token for the actor and gives its text, which is shown
// once. No lifetime means DefaultTokenLifetime.
func (s *Service) CreateToken(ctx context.Context, actor authz.Actor, name string, lifetime time.Duration) (string, berth.Token, error) {
	panic("not yet")
}

// Tokens lists the actor's tokens that have not expired, newest first.
func (s *Service) Tokens(ctx context.Context, actor authz.Actor) ([]berth.Token, error) {
	panic("not yet")
}

// RemoveToken ends one of the actor's tokens, named by id or, an API token, by
// name.
func (s *Service) RemoveToken(ctx context.Context, actor authz.Actor, idOrName string) error {
	panic("not yet")
}

// Organizations lists those that the actor may see, by name.
func (s *Service) Organizations(ctx context.Context, actor authz.Actor) ([]berth.Organization, error) {
	panic("not yet")
}
