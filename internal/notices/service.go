package notices

import (
	"log/slog"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db  *store.DB
	opt Options
	out []*way

	limits limits
}

// Options are the ways out of the house.
type Options struct {
	AccessURL string // where the links in notices lead, without a slash at the end
	// QuietHours is the site's, in whose zone people read times who have none.
	QuietHours string
	Mail       *Mail    // nil: no e-mail
	Webhook    *Webhook // nil: none
	Log        *slog.Logger

	Patience time.Duration // with a mail server or a webhook, for tests
}

// New makes the service on an open database. An error says what is wrong with
// the options.
func New(db *store.DB, opt Options) (*Service, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{db: db, opt: opt, limits: usual}
	if opt.Mail != nil {
		m, err := newMailer(*opt.Mail, opt.AccessURL)
		if err != nil {
			return nil, err
		}
		if opt.Patience > 0 {
			m.timeout = opt.Patience
		}
		s.out = append(s.out, &way{Way: berth.WayEmail, post: m})
	}
	if opt.Webhook != nil {
		c, err := newCaller(*opt.Webhook)
		if err != nil {
			return nil, err
		}
		if opt.Patience > 0 {
			c.client.Timeout = opt.Patience
		}
		s.out = append(s.out, &way{Way: berth.WayWebhook, post: c})
	}
	return s, nil
}

// ways are those out of the house that are there.
func (s *Service) ways() []berth.Way {
	ways := make([]berth.Way, len(s.out))
	for i, w := range s.out {
		ways[i] = w.Way
	}
	return ways
}
