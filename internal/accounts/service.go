package accounts

import (
	"context"
	"errors"
	"fmt"
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
	places *places
	opt    Options
}

// Options are what a site decides about its people. Zero fields have defaults.
type Options struct {
	MinPasswordLength int           // 0: berth.MinPasswordLength
	MaxTokenLifetime  time.Duration // of API tokens; 0: MaxTokenLifetime
	// SignIns tells whether people can sign in by an identity provider of this
	// id; nil: there are none.
	SignIns func(berth.SignIn) bool
	// PasswordOwnersOnly: nobody but owners of the site signs in by password.
	PasswordOwnersOnly bool
	Teller             Teller // nil: nobody is told of anything
}

// New makes the service on an open database, with the defaults of all options.
func New(db *store.DB) *Service { return NewWith(db, Options{}) }

// NewWith is New with options.
func NewWith(db *store.DB, opt Options) *Service {
	opt.MinPasswordLength = max(opt.MinPasswordLength, berth.MinPasswordLength)
	if opt.MaxTokenLifetime == 0 {
		opt.MaxTokenLifetime = MaxTokenLifetime
	}
	if opt.Teller == nil {
		opt.Teller = nobody{}
	}
	return &Service{db: db, hashes: newHasher(), tries: newTries(), places: newPlaces(), opt: opt}
}

// Watch gives a channel that is rung when something of a user changed that what
// they may do rests on, and what ends the watching. Rings are hints.
func (s *Service) Watch(u berth.UserID) (<-chan struct{}, func()) {
	return s.db.Waits(store.UserTopic(u))
}

// EnsureDefaults makes what every installation has: the default organization
// and the system user `prebuilds`. It is safe on several replicas at once.
func (s *Service) EnsureDefaults(ctx context.Context) error {
	err := s.db.Write(ctx, ensureDefaults)
	if errors.Is(err, berth.Conflict) { // another replica made them at this moment
		err = s.db.Write(ctx, ensureDefaults)
	}
	if err != nil {
		return fmt.Errorf("making the default organization: %w", err)
	}
	return nil
}

func ensureDefaults(tx *store.Tx) error {
	o, err := tx.OrganizationRef("default")
	if errors.Is(err, berth.NotFound) {
		o = berth.Organization{ID: berth.NewID[berth.Organization](), Name: "default", DisplayName: "Default", Default: true, ConnectStarts: true, Sharing: true,
			AutostartDays: berth.EveryDay, AutostartUsedWithin: berth.DefaultUsedWithin, AutoOffByUser: true, CreatedAt: tx.Now}
		err = tx.InsertOrganization(o)
	}
	if err != nil {
		return err
	}
	u, err := tx.UserNamed(berth.PrebuildsUsername)
	if errors.Is(err, berth.NotFound) {
		u = berth.User{ID: berth.NewID[berth.User](), Username: berth.PrebuildsUsername, Email: "prebuilds@berth.invalid", Name: "Prebuilt workspaces",
			Status: berth.UserActive, System: true, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		err = tx.InsertUser(u, "")
	}
	if err != nil {
		return err
	}
	return tx.AddMember(o.ID, u.ID)
}

// Me is the actor as a user.
func (s *Service) Me(ctx context.Context, actor authz.Actor) (u berth.User, err error) {
	if err := authz.Check(actor, authz.Read, authz.OfUser(actor.UserID), "the user"); err != nil {
		return u, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		u, err = q.User(actor.UserID)
		return err
	})
	return u, err
}
