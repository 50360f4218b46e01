package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/store"
)

const (
	attemptTime  = 10 * time.Minute
	mostAttempts = 20_000 // of everybody at a time
)

// Begin is a sign-in to be begun.
type Begin struct {
	Provider string
	ReturnTo string // path to go on to
	Address  string // where the browser asks from, for the limit
	// For is who wants to sign in this way from now on; empty: whoever comes
	// back.
	For berth.UserID
}

// Begun is a sign-in that was begun.
type Begun struct {
	ID        string // begins with what names the browser's cookie
	URL       string // for the browser
	Nonce     string // for the browser to bring along
	ExpiresAt time.Time
}

// Begin begins a sign-in. It is finished by the browser that has the nonce.
func (s *Service) Begin(ctx context.Context, in Begin) (b Begun, err error) {
	p, err := s.provider(in.Provider)
	if err != nil {
		return b, err
	}
	if err := s.opt.Accounts.Knock(in.Address); err != nil {
		return b, err
	}
	flow := secrets{Redirect: s.callback(p), State: berth.NewSecret(), Verifier: berth.NewSecret(), Nonce: berth.NewSecret()}
	if b.URL, err = p.authorize(ctx, flow); err != nil {
		return b, err
	}
	b.ID, b.Nonce = AttemptID(flow.State), berth.NewSecret()
	plain, err := json.Marshal(flow)
	if err != nil {
		return b, err
	}
	sealed, err := s.keys.Seal(plain, AttemptBound(b.ID))
	if err != nil {
		return b, fmt.Errorf("sealing a sign-in: %w", err)
	}
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		b.ExpiresAt = tx.Now.Add(attemptTime)
		ok, err := tx.InsertSignInAttempt(store.SignInAttempt{ID: b.ID, Provider: p.ID, UserID: in.For, Nonce: berth.Digest(b.Nonce),
			Sealed: sealed, ReturnTo: in.ReturnTo, ExpiresAt: b.ExpiresAt}, mostAttempts)
		if err == nil && !ok {
			return berth.Errorf(berth.Limit, "too many people are signing in at this moment: try again in a few minutes")
		}
		return err
	})
	return b, err
}

// AttemptID is the id of the attempt of a state.
func AttemptID(state string) string { return berth.Digest(state) }

// Return is what a browser brings back from a provider.
type Return struct {
	Provider string
	State    string
	Code     string
	Error    string       // of the provider; empty: it went well
	Nonce    string       // of the browser
	Visitor  berth.UserID // who is signed in in the browser; may be empty
}

// Came is a sign-in that was finished.
type Came struct {
	accounts.Login
	ReturnTo string
}

// errAttempt is the one answer to a return that fits no attempt: it does not
// tell what was wrong with it.
var errAttempt = berth.Errorf(berth.Conflict, "this sign-in was not begun in this browser, was finished already, or is older than ten minutes: begin again")

// Returned finishes a sign-in when the browser came back. Each state works once,
// in the browser that began it.
func (s *Service) Returned(ctx context.Context, r Return) (Came, error) {
	p, err := s.provider(r.Provider)
	if err != nil || r.State == "" {
		return Came{}, errAttempt
	}
	a, flow, err := s.take(ctx, p, r)
	if err != nil {
		return Came{}, err
	}
	came := Came{ReturnTo: a.ReturnTo}
	switch {
	case r.Error != "":
		return came, berth.Errorf(berth.Conflict, "%s did not let you in: begin again, and agree there", p.Name)
	case r.Code == "":
		return came, errAttempt
	}
	said, err := p.exchange(ctx, flow, r.Code)
	if errors.Is(err, errRefused) {
		err = berth.Errorf(berth.Conflict, "%s did not accept what your browser brought: begin again", p.Name)
	}
	if err == nil {
		came.Login, err = s.admit(ctx, p, a.UserID, said)
	}
	if err != nil {
		s.opt.Log.Info("a sign-in failed", "provider", p.ID, "error", err)
	}
	return came, err
}

// take finds the attempt of a return, and uses it up.
func (s *Service) take(ctx context.Context, p *Provider, r Return) (a store.SignInAttempt, flow secrets, err error) {
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		a, err = tx.TakeSignInAttempt(AttemptID(r.State))
		return err
	})
	if errors.Is(err, berth.NotFound) {
		return a, flow, errAttempt
	}
	if err != nil {
		return a, flow, err
	}
	if a.Provider != p.ID || subtle.ConstantTimeCompare([]byte(a.Nonce), []byte(berth.Digest(r.Nonce))) != 1 || a.UserID != "" && a.UserID != r.Visitor {
		return a, flow, errAttempt
	}
	plain, err := s.keys.Open(a.Sealed, AttemptBound(a.ID))
	if err != nil {
		return a, flow, fmt.Errorf("opening a sign-in: %w", err)
	}
	return a, flow, json.Unmarshal(plain, &flow)
}

// CleanUnfinished forgets sign-ins that nobody finished, and command lines that
// nobody let in, and tells how many.
func (s *Service) CleanUnfinished(ctx context.Context) (n int64, err error) {
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		n, err = tx.DeleteUnfinishedSignIns()
		return err
	})
	return n, err
}
