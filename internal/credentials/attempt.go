package credentials

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

const (
	attemptTime  = 10 * time.Minute
	mostAttempts = 20 // of one user at a time
	mostTries    = 5  // of codes, for one attempt
)

// Begun is a sign-in that was begun.
type Begun struct {
	ID        string // for Finish, by the command line
	URL       string // for the browser
	Nonce     string // for the browser that began it, to bring along; empty for a command line
	ExpiresAt time.Time
}

// inner is what only we know of an attempt.
type inner struct {
	Verifier string `json:"verifier,omitempty"`
	Code     string `json:"code,omitempty"` // digest of what the command line has to say
	Account  string `json:"account,omitempty"`
	Tokens   tokens `json:"tokens,omitzero"`
}

// Begin begins a sign-in of the actor at a provider. In a browser it is finished
// by that browser alone; from a command line, by a code that the browser shows.
func (s *Service) Begin(ctx context.Context, actor authz.Actor, id string, browser bool) (b Begun, err error) {
	if err := authz.Check(actor, authz.Create, authz.OfExternal(actor.UserID), "your external sign-ins"); err != nil {
		return b, err
	}
	p, err := s.provider(id)
	if err != nil {
		return b, err
	}
	state, verifier := berth.NewSecret(), berth.NewSecret()
	if b.URL, err = p.authorizeURL(s.callback(p), state, verifier); err != nil {
		return b, err
	}
	b.ID = berth.Digest(state)
	a := store.Attempt{ID: b.ID, UserID: actor.UserID, Provider: p.ID, Step: store.AttemptBegun}
	if browser {
		b.Nonce = berth.NewSecret()
		a.Nonce = berth.Digest(b.Nonce)
	}
	if a.Sealed, err = s.sealInner(b.ID, inner{Verifier: verifier}); err != nil {
		return b, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Attempts(actor.UserID, tx.Now)
		if err != nil {
			return err
		}
		if n >= mostAttempts {
			return berth.Errorf(berth.Limit, "you have begun %d sign-ins and finished none: wait %s", n, attemptTime)
		}
		a.ExpiresAt = tx.Now.Add(attemptTime)
		b.ExpiresAt = a.ExpiresAt
		return tx.InsertAttempt(a)
	})
	return b, err
}

// callback is where the provider sends the browser back to.
func (s *Service) callback(p *Provider) string { return s.SignInURL(p.ID) + "/callback" }

// Return is what a browser brings back from a provider.
type Return struct {
	Provider string
	State    string
	Code     string
	Error    string       // of the provider; empty: it went well
	Nonce    string       // of the browser; may be empty
	Visitor  berth.UserID // who is signed in to Berth in the browser; may be empty
}

// Came says what became of a sign-in when the browser came back.
type Came struct {
	Provider *Provider
	Username string // whose it is
	Account  string // at the provider; may be empty
	Code     string // to be said to the command line; empty: all is done
}

// errAttempt is the one answer to a return that fits no attempt: it does not
// tell what was wrong with it.
var errAttempt = berth.Errorf(berth.Conflict, "this sign-in was not begun here, was finished already, or is older than ten minutes: begin again")

// Returned goes on with a sign-in when the browser came back. Each state works
// once, in the browser that began it.
func (s *Service) Returned(ctx context.Context, r Return) (Came, error) {
	p, err := s.provider(r.Provider)
	if err != nil || r.State == "" {
		return Came{}, errAttempt
	}
	came := Came{Provider: p}
	a, user, in, err := s.comeBack(ctx, p, r)
	if err != nil {
		return came, err
	}
	came.Username = user.Username
	switch {
	case r.Error != "":
		return came, berth.Errorf(berth.Conflict, "%s did not let you in: begin again, and agree there", p.Name)
	case r.Code == "":
		return came, errAttempt
	}
	t, err := s.exchange(ctx, p, r.Code, s.callback(p), in.Verifier)
	if errors.Is(err, errRefused) {
		return came, berth.Errorf(berth.Conflict, "%s did not accept what your browser brought: begin again", p.Name)
	}
	if err != nil {
		return came, err
	}
	if came.Account, err = s.validate(ctx, p, t); errors.Is(err, errRefused) {
		return came, berth.Errorf(berth.Conflict, "%s gave a token that it does not accept itself: ask an administrator whether the scopes in --external-auth are right", p.Name)
	}
	if a.Nonce != "" {
		return came, s.link(ctx, a, p, t, came.Account, store.AttemptReturned)
	}
	came.Code = berth.NewCode()
	sealed, err := s.sealInner(a.ID, inner{Code: berth.Digest(berth.PlainCode(came.Code)), Account: came.Account, Tokens: t})
	if err != nil {
		return came, err
	}
	return came, s.step(ctx, a.ID, store.AttemptReturned, store.AttemptExchanged, sealed)
}

// comeBack finds the attempt of a return and uses its state up.
func (s *Service) comeBack(ctx context.Context, p *Provider, r Return) (a store.Attempt, u berth.User, in inner, err error) {
	id := berth.Digest(r.State)
	err = s.db.Read(ctx, func(q *store.Query) error {
		if a, err = q.Attempt(id, time.Now()); err != nil {
			return err
		}
		u, err = q.User(a.UserID)
		return err
	})
	if errors.Is(err, berth.NotFound) {
		return a, u, in, errAttempt
	}
	if err != nil {
		return a, u, in, err
	}
	if err := s.step(ctx, id, store.AttemptBegun, store.AttemptReturned, nil); err != nil {
		return a, u, in, err
	}
	same := a.Nonce == "" || subtle.ConstantTimeCompare([]byte(a.Nonce), []byte(berth.Digest(r.Nonce))) == 1
	switch {
	case a.Provider != p.ID, !same, u.Status == berth.UserSuspended:
		return a, u, in, errAttempt
	case r.Visitor != "" && r.Visitor != a.UserID:
		return a, u, in, berth.Errorf(berth.Conflict, "this sign-in was begun by another user of Berth than the one who is signed in here: nothing was linked")
	}
	in, err = s.openInner(a)
	return a, u, in, err
}

// Finish ends a sign-in that the actor's command line began, with the code that
// the browser showed.
func (s *Service) Finish(ctx context.Context, actor authz.Actor, id, attempt, code string) error {
	if err := authz.Check(actor, authz.Create, authz.OfExternal(actor.UserID), "your external sign-ins"); err != nil {
		return err
	}
	p, err := s.provider(id)
	if err != nil {
		return err
	}
	var a store.Attempt
	err = s.db.Read(ctx, func(q *store.Query) error {
		a, err = q.Attempt(attempt, time.Now())
		return err
	})
	switch {
	case errors.Is(err, berth.NotFound), err == nil && (a.UserID != actor.UserID || a.Provider != p.ID || a.Nonce != ""):
		return errAttempt
	case err != nil:
		return err
	case a.Step == store.AttemptBegun, a.Step == store.AttemptReturned:
		return berth.Errorf(berth.Conflict, "your browser has not come back from %s yet: sign in there first; it shows a code then", p.Name)
	case a.Step != store.AttemptExchanged:
		return errAttempt
	}
	in, err := s.openInner(a)
	if err != nil {
		return err
	}
	if err := s.try(ctx, a.ID); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(in.Code), []byte(berth.Digest(berth.PlainCode(code)))) != 1 {
		return berth.InvalidField("code", "this is not the code that the browser shows")
	}
	return s.link(ctx, a, p, in.Tokens, in.Account, store.AttemptExchanged)
}

// try counts a code that is about to be compared.
func (s *Service) try(ctx context.Context, id string) error {
	return s.db.Guarded(ctx, func(tx *store.Tx) error {
		ok, err := tx.TryAttempt(id, mostTries)
		if err == nil && !ok {
			return berth.Errorf(berth.Limit, "that were too many wrong codes: begin again")
		}
		return err
	})
}

// link makes an attempt's tokens the user's sign-in.
func (s *Service) link(ctx context.Context, a store.Attempt, p *Provider, t tokens, account string, from store.AttemptStep) error {
	sealed, err := s.sealTokens(a.UserID, p.ID, t)
	if err != nil {
		return fmt.Errorf("sealing a sign-in: %w", err)
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		ok, err := tx.StepAttempt(a.ID, from, store.AttemptDone, []byte{})
		if err != nil || !ok {
			return cmpErr(err, errAttempt)
		}
		err = tx.PutExternalLogin(store.SealedExternal{Sealed: sealed, ExternalLogin: berth.ExternalLogin{
			UserID: a.UserID, Provider: p.ID, Account: account, Scopes: t.Scopes, ExpiresAt: t.ExpiresAt}})
		if err != nil {
			return err
		}
		return auditExternal(tx, a.UserID, "link", p, account)
	})
}

// step brings an attempt on, or says that it cannot be.
func (s *Service) step(ctx context.Context, id string, from, to store.AttemptStep, sealed []byte) error {
	return s.db.Guarded(ctx, func(tx *store.Tx) error {
		ok, err := tx.StepAttempt(id, from, to, sealed)
		if err != nil || !ok {
			return cmpErr(err, errAttempt)
		}
		return nil
	})
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// CleanAttempts forgets sign-ins that nobody finished, with what they brought,
// and tells how many.
func (s *Service) CleanAttempts(ctx context.Context) (n int64, err error) {
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		n, err = tx.DeleteAttempts()
		return err
	})
	return n, err
}

func (s *Service) sealInner(id string, in inner) ([]byte, error) {
	plain, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return s.keys.Seal(plain, AttemptBound(id))
}

func (s *Service) openInner(a store.Attempt) (in inner, err error) {
	plain, err := s.keys.Open(a.Sealed, AttemptBound(a.ID))
	if err != nil {
		return in, fmt.Errorf("opening a sign-in: %w", err)
	}
	return in, json.Unmarshal(plain, &in)
}

// AttemptBound binds what is sealed of an attempt to it.
func AttemptBound(id string) []byte { return []byte("berth external attempt " + id) }
