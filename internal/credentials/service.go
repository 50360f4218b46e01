package credentials

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines and on
// many replicas at once.
type Service struct {
	db        *store.DB
	keys      *seal.Keys
	opt       Options
	providers []*Provider
	http      *http.Client
	valid     *remembered
}

// Options are what the service needs to know of its server.
type Options struct {
	AccessURL string      // where people reach the server, without a slash at the end
	Providers []*Provider // external services, from ParseProviders
	Transport http.RoundTripper
	Log       *slog.Logger
}

// providerTime bounds one request to an external service.
const providerTime = 15 * time.Second

// New makes the service on an open database.
func New(db *store.DB, keys *seal.Keys, opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: db, keys: keys, opt: opt, providers: opt.Providers, valid: newRemembered(),
		http: &http.Client{Transport: opt.Transport, Timeout: providerTime,
			// A redirect would carry secrets to where nobody configured.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// SignInURL is where a person signs in at a provider in their browser.
func (s *Service) SignInURL(provider string) string {
	return strings.TrimRight(s.opt.AccessURL, "/") + "/external-auth/" + provider
}
