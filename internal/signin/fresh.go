package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Times of asking again.
const (
	leaseTime  = 4 * providerTime // an asking has ended by then, one way or the other
	askAgain   = 5 * time.Minute  // after a provider was away
	dueAtATime = 100
	saveTime   = 30 * time.Second // refreshed tokens are worth some tries to store them
)

// Refresh asks the providers about those whose turn it is. An identity that its
// provider does not know any more, or lets in no more, loses its logins; while a
// provider is away all stays. It is safe on every replica at once.
func (s *Service) Refresh(ctx context.Context) (ended int64, err error) {
	var due []store.Identity
	err = s.db.Read(ctx, func(q *store.Query) error {
		due, err = q.DueIdentities(time.Now(), dueAtATime)
		return err
	})
	if err != nil {
		return 0, err
	}
	away := map[string]bool{}
	for _, i := range due {
		if away[i.Provider] || ctx.Err() != nil {
			continue
		}
		out, err := s.ask(ctx, i)
		if errors.Is(err, berth.Unavailable) {
			away[i.Provider] = true
		}
		if err != nil {
			s.opt.Log.Warn("an identity provider could not be asked about a user", "provider", i.Provider, "user", i.UserID, "error", err)
		}
		if out {
			ended++
		}
	}
	return ended, ctx.Err()
}

// ask asks an identity's provider, unless somebody else does. out tells that its
// logins were ended.
func (s *Service) ask(ctx context.Context, i store.Identity) (out bool, err error) {
	by := berth.NewSecret()
	var leased bool
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		leased, err = tx.LeaseIdentity(i, by, leaseTime)
		return err
	})
	if err != nil || !leased {
		return false, err
	}
	// A refresh token that changes with its use is lost if the answer is.
	ctx = context.WithoutCancel(ctx)
	next := time.Now().Add(askAgain)
	defer func() { // a lease that was ended otherwise is not ours any more
		_ = s.db.Guarded(ctx, func(tx *store.Tx) error { return tx.ReleaseIdentity(i.Provider, i.Subject, by, next) })
	}()
	p, err := s.provider(i.Provider)
	if err != nil {
		next = time.Time{} // it is not configured any more
		return false, nil
	}
	old, err := s.openTokens(i)
	if err != nil {
		next = time.Time{}
		return false, err
	}
	said, err := p.refresh(ctx, old)
	if said.tokens.Access != "" && said.tokens != old {
		if kept := s.save(ctx, p, i, by, said.tokens); kept != nil {
			return false, kept
		}
	}
	switch {
	case errors.Is(err, errRefused):
		next = time.Time{}
		return s.refuse(ctx, p, i, by, p.Name+" does not know the sign-in any more")
	case errors.Is(err, berth.Forbidden):
		next = time.Time{}
		return s.refuse(ctx, p, i, by, berth.ErrorMessage(err))
	case err != nil:
		return false, err
	}
	if next = (time.Time{}); p.asksAgain(said.tokens) {
		next = time.Now().Add(p.recheck)
	}
	if p.recheck == 0 || said.claims == nil {
		return false, nil
	}
	return s.reread(ctx, p, i, by, said)
}

// reread brings a user to what the claims say now.
func (s *Service) reread(ctx context.Context, p *Provider, i store.Identity, by string, said answer) (out bool, err error) {
	if said.claims["sub"] != i.Subject {
		return false, p.away(errors.New("its answer is about somebody else"))
	}
	who, err := p.Read(said.claims)
	if err != nil {
		return s.refuse(ctx, p, i, by, berth.ErrorMessage(err))
	}
	return false, s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := tx.User(i.UserID)
		if err != nil || u.SignIn != berth.SignIn(p.ID) || !u.DeletedAt.IsZero() {
			return err
		}
		return s.apply(tx, p, u, who)
	})
}

// save stores refreshed tokens, and tries for a while when it cannot.
func (s *Service) save(ctx context.Context, p *Provider, i store.Identity, by string, t tokens) (err error) {
	if i.Sealed, err = s.sealTokens(p, i.Subject, t); err != nil {
		return err
	}
	i.ExpiresAt = t.ExpiresAt
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	for {
		err := s.db.Guarded(ctx, func(tx *store.Tx) error {
			_, err := tx.RefreshIdentity(i, by) // false: the person signed in anew
			return err
		})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			s.opt.Log.Error("refreshed tokens could not be stored and are lost: the person will have to sign in again", "user", i.UserID, "provider", p.ID, "error", err)
			return err
		case <-time.After(time.Second):
		}
	}
}

// refuse ends the logins of an identity. Where claims are not read anew nobody
// asked whether the person is still known, so their logins stay, and only the
// tokens are gone.
func (s *Service) refuse(ctx context.Context, p *Provider, i store.Identity, by, why string) (out bool, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		out = false
		ok, err := tx.RefuseIdentity(i.Provider, i.Subject, by, why)
		if err != nil || !ok || p.recheck == 0 {
			return err
		}
		n, err := tx.EndSignIns(i.UserID, berth.SignIn(p.ID))
		if err != nil {
			return err
		}
		u, err := tx.User(i.UserID)
		if err != nil {
			return err
		}
		out = true
		return tx.InsertAudit(store.Audit{Class: berth.AuditAutomatic, Action: "logout", Kind: "user", TargetID: string(u.ID), TargetName: u.Username,
			Reason: why, Detail: map[string]any{"by": p.ID, "logins": n}})
	})
	return out, err
}

// Prepare makes the access token of a user fresh for a build, as well as that is
// possible. It waits for a provider no longer than one may wait for it.
func (s *Service) Prepare(ctx context.Context, u berth.User) {
	i, ok, err := s.identityOf(ctx, u)
	if err != nil || !ok || len(i.Sealed) == 0 || !ending(i, time.Now()) {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := s.ask(context.WithoutCancel(ctx), i); err != nil {
			s.opt.Log.Info("a build goes without a fresh token of its owner", "user", u.Username, "provider", i.Provider, "error", err)
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	case <-time.After(prepareTime):
	}
}

// prepareTime is how long a build waits for an identity provider.
const prepareTime = 10 * time.Second

// AccessToken is the token of a user at the OpenID Connect provider by which
// they sign in; empty: there is none that is good.
func (s *Service) AccessToken(q *store.Query, u berth.User) (string, error) {
	p, err := s.provider(string(u.SignIn))
	if err != nil || p.Type != typeOIDC {
		return "", nil
	}
	i, err := q.IdentityOf(u.ID, p.ID)
	if errors.Is(err, berth.NotFound) || err == nil && (len(i.Sealed) == 0 || i.Refused != "" || !i.ExpiresAt.IsZero() && !time.Now().Before(i.ExpiresAt)) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	t, err := s.openTokens(i)
	if err != nil {
		return "", fmt.Errorf("reading the sign-in of %s: %w", u.Username, err)
	}
	return t.Access, nil
}

func (s *Service) identityOf(ctx context.Context, u berth.User) (i store.Identity, ok bool, err error) {
	p, err := s.provider(string(u.SignIn))
	if err != nil {
		return i, false, nil
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		i, err = q.IdentityOf(u.ID, p.ID)
		return err
	})
	if errors.Is(err, berth.NotFound) {
		return i, false, nil
	}
	return i, err == nil, err
}

// LoginType is what templates are told of how somebody signs in.
func (s *Service) LoginType(u berth.User) string {
	p, err := s.provider(string(u.SignIn))
	if err != nil {
		return string(u.SignIn)
	}
	return p.Type
}

// Convert begins that the actor signs in by a provider from now on. Their
// password, which it ends, has to be right.
func (s *Service) Convert(ctx context.Context, actor authz.Actor, password string, in Begin) (Begun, error) {
	if _, err := s.provider(in.Provider); err != nil {
		return Begun{}, err
	}
	if err := s.opt.Accounts.Confirm(ctx, actor, password, in.Address); err != nil {
		return Begun{}, err
	}
	in.For = actor.UserID
	return s.Begin(ctx, in)
}
