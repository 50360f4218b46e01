package credentials

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Times of refreshing.
const (
	refreshEarly = 5 * time.Minute        // before the end of a token; less for short-lived ones
	leaseTime    = 3 * providerTime       // a refresh has ended by then, one way or the other
	leasePoll    = 100 * time.Millisecond // how often who waits for another's refresh looks
	saveTime     = 30 * time.Second       // a refreshed token is worth some tries to store it
	validFor     = time.Minute            // how long a provider's word on a token counts
)

// use is a good token of a user for a provider: refreshed when it is about to
// end, and known to the provider a minute ago at least.
func (s *Service) use(ctx context.Context, u berth.UserID, p *Provider) (tokens, error) {
	l, t, err := s.fresh(ctx, u, p, time.Time{})
	if err != nil || s.valid.is(t.Access) {
		return t, err
	}
	_, err = s.validate(ctx, p, t)
	if errors.Is(err, errRefused) && t.Refresh != "" {
		// Ended there before its time; a new one may be had.
		if l, t, err = s.fresh(ctx, u, p, l.UpdatedAt); err != nil {
			return tokens{}, err
		}
		_, err = s.validate(ctx, p, t)
	}
	switch {
	case errors.Is(err, errRefused):
		return tokens{}, s.refuse(ctx, p, l)
	case err == nil:
		s.valid.note(t.Access)
	default: // the provider has a bad day, which says nothing of the token
		s.opt.Log.Info("an external token could not be checked", "provider", p.ID, "error", err)
	}
	return t, nil
}

// fresh is a user's login at a provider with tokens that last a while. One that
// was stored at stale is refreshed in any case. Of all who want to refresh, on all
// replicas, one does; the others wait for what it gets.
func (s *Service) fresh(ctx context.Context, u berth.UserID, p *Provider, stale time.Time) (store.SealedExternal, tokens, error) {
	for patience := time.Now().Add(leaseTime + providerTime); ; {
		var l store.SealedExternal
		err := s.db.Read(ctx, func(q *store.Query) (err error) {
			l, err = q.ExternalLogin(u, p.ID)
			return err
		})
		switch {
		case errors.Is(err, berth.NotFound):
			return l, tokens{}, s.signInFirst(p, "you have not signed in to "+p.Name)
		case err != nil:
			return l, tokens{}, err
		case l.Refused != "":
			return l, tokens{}, s.signInFirst(p, l.Refused)
		}
		t, err := s.openTokens(u, p.ID, l.Sealed)
		if err != nil {
			return l, t, err
		}
		now := time.Now()
		if !ending(l.ExternalLogin, now) && !l.UpdatedAt.Equal(stale) {
			return l, t, nil
		}
		over := !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
		if t.Refresh == "" {
			if over {
				return l, t, s.refuse(ctx, p, l)
			}
			return l, t, nil
		}
		leased, err := s.renew(ctx, p, l, t)
		switch {
		case err != nil && !over && stale.IsZero() && errors.Is(err, berth.Unavailable):
			s.opt.Log.Info("an external token could not be refreshed yet", "provider", p.ID, "error", err)
			return l, t, nil // it is good for a while
		case err != nil:
			return l, t, err
		case leased:
			continue
		case now.After(patience):
			return l, t, p.away(errors.New("another replica has been refreshing for too long"))
		}
		select {
		case <-ctx.Done():
			return l, t, ctx.Err()
		case <-time.After(leasePoll):
		}
	}
}

// ending tells whether a login's token has so little time left that it should
// be refreshed: five minutes, or the last quarter of a short life.
func ending(l berth.ExternalLogin, now time.Time) bool {
	if l.ExpiresAt.IsZero() {
		return false
	}
	early := min(refreshEarly, l.ExpiresAt.Sub(l.UpdatedAt)/4)
	return !now.Before(l.ExpiresAt.Add(-early))
}

// renew refreshes a login, if nobody else does; leased is false then. Once the
// provider was asked it goes on without its caller: a refresh token that changes
// with its use is lost if the answer is.
func (s *Service) renew(ctx context.Context, p *Provider, l store.SealedExternal, old tokens) (leased bool, err error) {
	by := berth.NewSecret()
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		leased, err = tx.LeaseExternal(l.UserID, p.ID, by, l.UpdatedAt, leaseTime)
		return err
	})
	if err != nil || !leased {
		return leased, err
	}
	ctx = context.WithoutCancel(ctx)
	t, err := s.refresh(ctx, p, old)
	switch {
	case errors.Is(err, errRefused):
		return true, s.refuse(ctx, p, l)
	case err != nil:
		_ = s.db.Guarded(ctx, func(tx *store.Tx) error { return tx.ReleaseExternal(l.UserID, p.ID, by) })
		return true, err
	}
	if l.Sealed, err = s.sealTokens(l.UserID, p.ID, t); err != nil {
		return true, err
	}
	l.ExpiresAt, l.Scopes = t.ExpiresAt, t.Scopes
	return true, s.save(ctx, p, l, by)
}

// save stores refreshed tokens, and tries for a while when it cannot.
func (s *Service) save(ctx context.Context, p *Provider, l store.SealedExternal, by string) error {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	for {
		err := s.db.Guarded(ctx, func(tx *store.Tx) error {
			_, err := tx.RefreshExternal(l, by) // false: the person signed in anew, or out
			return err
		})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			s.opt.Log.Error("refreshed tokens could not be stored and are lost: the person may have to sign in again", "user", l.UserID, "provider", p.ID, "error", err)
			return err
		case <-time.After(time.Second):
		}
	}
}

// refuse notes that a login does not work any more, and gives the error for the
// person.
func (s *Service) refuse(ctx context.Context, p *Provider, l store.SealedExternal) error {
	why := fmt.Sprintf("%s does not accept your sign-in any more", p.Name)
	err := s.db.Guarded(ctx, func(tx *store.Tx) error { return tx.RefuseExternal(l.UserID, p.ID, l.UpdatedAt, why) })
	if err != nil {
		return err
	}
	return s.signInFirst(p, why)
}

// remembered are tokens that their provider found good a moment ago, by their
// digests. It is memory of this replica alone, and bounded.
type remembered struct {
	mu   sync.Mutex
	till map[string]time.Time
}

func newRemembered() *remembered { return &remembered{till: map[string]time.Time{}} }

func (r *remembered) is(token string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.till[berth.Digest(token)])
}

func (r *remembered) note(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if len(r.till) >= 10_000 {
		clear(r.till)
	}
	r.till[berth.Digest(token)] = now.Add(validFor)
}
