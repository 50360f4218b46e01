package signin

import (
	"log/slog"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines and on
// many replicas at once.
type Service struct {
	db   *store.DB
	keys *seal.Keys
	opt  Options
}

// Options are what the service needs to know of its server.
type Options struct {
	AccessURL string      // where people reach the server, without a slash at the end
	Providers []*Provider // from LoadProviders
	Accounts  *accounts.Service
	Log       *slog.Logger
}

// New makes the service on an open database.
func New(db *store.DB, keys *seal.Keys, opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: db, keys: keys, opt: opt}
}

// Way is a way to sign in that people may choose.
type Way struct{ ID, Name string }

// Ways lists the identity providers.
func (s *Service) Ways() []Way { return Ways(s.opt.Providers) }

// Ways lists providers for people.
func Ways(providers []*Provider) []Way {
	ways := make([]Way, len(providers))
	for i, p := range providers {
		ways[i] = Way{p.ID, p.Name}
	}
	return ways
}

// Offers tells whether people can sign in by an identity provider of this id.
func Offers(providers []*Provider, how berth.SignIn) bool {
	for _, p := range providers {
		if p.ID == string(how) {
			return true
		}
	}
	return false
}

func (s *Service) provider(id string) (*Provider, error) {
	for _, p := range s.opt.Providers {
		if strings.EqualFold(p.ID, id) {
			return p, nil
		}
	}
	return nil, berth.Errorf(berth.NotFound, "nobody signs in by %q here: the sign-in page shows the ways", id)
}

// callback is where a provider sends the browser back to.
func (s *Service) callback(p *Provider) string {
	return s.opt.AccessURL + "/login/" + p.ID + "/callback"
}
