package signin

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

const (
	RequestTime  = 10 * time.Minute
	mostRequests = 20_000 // of everybody at a time
	mostTries    = 5      // of codes, for one request
	maxClient    = 100
)

// Asked is a command line that asks to be let in.
type Asked struct {
	ID        string
	URL       string // page on which a person lets it in
	Client    string // what it says of itself
	Address   string // where it asks from
	Allowed   bool   // somebody has let it in; what is missing is the code
	ExpiresAt time.Time
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Ask lets a command line ask. It keeps the verifier of its challenge to itself.
func (s *Service) Ask(ctx context.Context, challenge, client, address string) (Asked, error) {
	if !challengeForm.MatchString(challenge) {
		return Asked{}, berth.InvalidField("challenge", "it is the SHA-256 of a secret, in base64url without padding")
	}
	client = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, client)
	if client == "" || len(client) > maxClient {
		return Asked{}, berth.InvalidField("client", "say in up to %d plain characters what you are", maxClient)
	}
	if err := s.opt.Accounts.Knock(address); err != nil {
		return Asked{}, err
	}
	r := store.LoginRequest{ID: berth.NewSecret(), Challenge: challenge, Client: client, Address: accounts.HostOf(address)}
	err := s.db.Guarded(ctx, func(tx *store.Tx) error {
		r.ExpiresAt = tx.Now.Add(RequestTime)
		ok, err := tx.InsertLoginRequest(r, mostRequests)
		if err == nil && !ok {
			return berth.Errorf(berth.Limit, "too many command lines are waiting to be let in: try again in a few minutes, or sign in with --username")
		}
		return err
	})
	return s.asked(r), err
}

func (s *Service) asked(r store.LoginRequest) Asked {
	return Asked{ID: r.ID, URL: s.opt.AccessURL + "/command-line/" + r.ID, Client: r.Client, Address: r.Address, Allowed: r.CodeHash != "", ExpiresAt: r.ExpiresAt}
}

var errRequest = berth.Errorf(berth.NotFound, "this command line does not wait any more: it was let in already, or asked more than ten minutes ago. Run berth login again")

// Asking is a command line that waits, for the page.
func (s *Service) Asking(ctx context.Context, id string) (Asked, error) {
	r, err := s.request(ctx, id)
	return s.asked(r), err
}

func (s *Service) request(ctx context.Context, id string) (r store.LoginRequest, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		r, err = q.LoginRequest(id, time.Now())
		return err
	})
	if errors.Is(err, berth.NotFound) {
		return r, errRequest
	}
	return r, err
}

// Allow lets a command line in as the actor, who is signed in in a browser with
// token. It gives the code that the command line has to say: who sends somebody
// the address of the page has not got that.
func (s *Service) Allow(ctx context.Context, actor authz.Actor, token berth.Token, id string) (code string, err error) {
	if err := authz.Check(actor, authz.Create, authz.OfToken(actor.UserID), "your logins"); err != nil {
		return "", err
	}
	if token.Kind != berth.TokenLogin || !actor.Covers([]authz.Scope{authz.ScopeAll}) {
		return "", berth.Errorf(berth.Forbidden, "a token lets no command line in: sign in as yourself")
	}
	if _, err := s.request(ctx, id); err != nil {
		return "", err
	}
	code = berth.NewCode()
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		ok, err := tx.AllowLoginRequest(id, actor.UserID, token.SignIn, berth.Digest(berth.PlainCode(code)))
		if err == nil && !ok {
			return errRequest
		}
		return err
	})
	return code, err
}

// Deny ends the waiting of a command line.
func (s *Service) Deny(ctx context.Context, actor authz.Actor, id string) error {
	if err := authz.Check(actor, authz.Create, authz.OfToken(actor.UserID), "your logins"); err != nil {
		return err
	}
	return s.db.Guarded(ctx, func(tx *store.Tx) error {
		_, err := tx.EndLoginRequest(id)
		return err
	})
}

// Finish signs a command line in, with the verifier of its challenge and the
// code that the browser shows.
func (s *Service) Finish(ctx context.Context, id, verifier, code string) (login accounts.Login, err error) {
	r, err := s.request(ctx, id)
	if err != nil {
		return login, err
	}
	if subtle.ConstantTimeCompare([]byte(berth.Challenge(verifier)), []byte(r.Challenge)) != 1 {
		return login, errRequest
	}
	if r.CodeHash == "" {
		return login, berth.Errorf(berth.Conflict, "nobody has let you in yet: open the address in your browser first; it shows a code then")
	}
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		ok, err := tx.TryLoginRequest(id, mostTries)
		if err == nil && !ok {
			return berth.Errorf(berth.Limit, "that were too many wrong codes: run berth login again")
		}
		return err
	})
	if err != nil {
		return login, err
	}
	if subtle.ConstantTimeCompare([]byte(r.CodeHash), []byte(berth.Digest(berth.PlainCode(code)))) != 1 {
		return login, berth.InvalidField("code", "this is not the code that the browser shows")
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		ok, err := tx.EndLoginRequest(id)
		if err == nil && !ok {
			return errRequest
		}
		if err != nil {
			return err
		}
		if u, err := tx.User(r.UserID); err != nil || u.SignIn != r.SignIn {
			return cmp.Or[error](err, errRequest) // they sign in otherwise by now
		}
		login, err = accounts.SignedIn(tx, r.UserID, r.SignIn)
		return err
	})
	return login, err
}
