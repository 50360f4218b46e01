package credentials_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func TestExternalSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.ExternalToken(t.Context(), h.ada, "octo")
		var e *berth.Error
		if !errors.As(err, &e) || e.Code != berth.Conflict || e.Field != "url" || !strings.HasSuffix(e.Message, "https://berth.test/external-auth/octo") {
			t.Errorf("before the sign-in: %v", err)
		}
		h.signIn(t, h.ada)
		token, err := h.ExternalToken(t.Context(), h.ada, "octo")
		if err != nil || !h.oauth.Good(token.Access) || token.Extra["authed_user"] == nil || token.Provider.Username != "oauth2" || token.ExpiresAt.IsZero() {
			t.Errorf("the token: %+v, %v", token, err)
		}
		views, err := h.Externals(t.Context(), h.ada)
		if err != nil || len(views) != 1 || !views[0].Linked || views[0].Login.Account != "octo" {
			t.Errorf("list: %+v, %v", views, err)
		}
		if _, err := h.ExternalToken(t.Context(), h.eve, "octo"); !errors.Is(err, berth.Conflict) {
			t.Errorf("eve gets ada's: %v", err)
		}
		for range 5 { // the provider's word counts for a while
			if _, err := h.ExternalToken(t.Context(), h.ada, "octo"); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.oauth.Count("/user"); n > 2 {
			t.Errorf("the provider was asked %d times", n)
		}
		told, err := h.RevokeExternal(t.Context(), h.ada, "octo")
		if err != nil || !told || h.oauth.Good(token.Access) {
			t.Errorf("revoked: told %v, %v, still good %v", told, err, h.oauth.Good(token.Access))
		}
		if _, err := h.ExternalToken(t.Context(), h.ada, "octo"); !errors.Is(err, berth.Conflict) {
			t.Errorf("after the revocation: %v", err)
		}
		if _, err := h.RevokeExternal(t.Context(), h.ada, "octo"); !errors.Is(err, berth.NotFound) {
			t.Errorf("revoked twice: %v", err)
		}
		text := audited(t, h.db) + h.log.String()
		for _, secret := range h.oauth.Secrets() {
			if strings.Contains(text, secret) {
				t.Errorf("audit or log has %s", secret)
			}
		}
		for _, row := range []string{"link external-auth Octo", "revoke external-auth Octo"} {
			if !strings.Contains(text, row) {
				t.Errorf("no %q in the record: %s", row, text)
			}
		}
	})
}

// Whoever finishes a sign-in must be who began it, and each state works once.
func TestExternalAttacks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		linked := func() bool {
			views, err := h.Externals(ctx, h.eve)
			return err != nil || views[0].Linked
		}
		refused := func(what string, err error) {
			t.Helper()
			if err == nil || linked() {
				t.Errorf("%s: %v, linked %v", what, err, linked())
			}
		}
		begin := func(browser bool) (credentials.Begun, credentials.Return) {
			t.Helper()
			b, err := h.Begin(ctx, h.eve, "octo", browser)
			if err != nil {
				t.Fatal(err)
			}
			back := browse(t, b.URL)
			return b, credentials.Return{Provider: "octo", State: back.Get("state"), Code: back.Get("code"), Nonce: b.Nonce}
		}
		// Eve begins in her browser and has the victim finish in theirs.
		_, r := begin(true)
		r.Nonce = ""
		refused("another browser", second(h.Returned(ctx, r)))
		_, r = begin(true)
		r.Nonce += "x"
		refused("another nonce", second(h.Returned(ctx, r)))
		// The victim is signed in to Berth.
		_, r = begin(false)
		r.Visitor = h.ada.UserID
		refused("another visitor", second(h.Returned(ctx, r)))
		// Tampered with, of another provider, without code, with the provider's error.
		for what, change := range map[string]func(r *credentials.Return){
			"state":    func(r *credentials.Return) { r.State += "x" },
			"no state": func(r *credentials.Return) { r.State = "" },
			"provider": func(r *credentials.Return) { r.Provider = "other" },
			"code":     func(r *credentials.Return) { r.Code += "x" },
			"no code":  func(r *credentials.Return) { r.Code = "" },
			"error":    func(r *credentials.Return) { r.Error = "access_denied" },
		} {
			_, r := begin(true)
			change(&r)
			refused(what, second(h.Returned(ctx, r)))
		}
		// By command line: the victim's browser shows the code to the victim, and eve does not have it.
		b, r := begin(false)
		refused("finished before the browser came back", h.Finish(ctx, h.eve, "octo", b.ID, "AAAA-AAAA"))
		came, err := h.Returned(ctx, r)
		if err != nil || came.Username != "eve" || came.Account != "octo" || linked() {
			t.Fatalf("%+v, %v", came, err)
		}
		refused("the state again", second(h.Returned(ctx, r)))
		if err := h.Finish(ctx, h.ada, "octo", b.ID, came.Code); !errors.Is(err, berth.Conflict) {
			t.Errorf("somebody else finishes: %v", err)
		}
		for range 5 {
			refused("a wrong code", h.Finish(ctx, h.eve, "octo", b.ID, "AAAA-AAAA"))
		}
		refused("the right code after five wrong ones", h.Finish(ctx, h.eve, "octo", b.ID, came.Code))
		// The good way in a browser works, once.
		_, r = begin(true)
		came, err = h.Returned(ctx, r)
		if err != nil || came.Code != "" || !linked() {
			t.Errorf("the good way: %+v, %v", came, err)
		}
		if _, err := h.Returned(ctx, r); !errors.Is(err, berth.Conflict) {
			t.Errorf("replayed: %v", err)
		}
	})
}

func TestTooManyAttempts(t *testing.T) {
	t.Parallel()
	h := setUp(t, storetest.SQLite(t))
	for range 20 {
		if _, err := h.Begin(t.Context(), h.ada, "octo", false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Begin(t.Context(), h.ada, "octo", false); !errors.Is(err, berth.Limit) {
		t.Errorf("the next: %v", err)
	}
	if _, err := h.Begin(t.Context(), h.eve, "octo", false); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// On two replicas at once a refresh token that changes with each use is used
// once each time: the provider would end the whole family otherwise.
func TestParallelRefresh(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.oauth.Set(func(s *oauthtest.Settings) { s.Lifetime = 2 * time.Second })
		h.signIn(t, h.ada)
		replicas := []*credentials.Service{h.Service, h.replica(t, h.db)}
		end := time.Now().Add(5 * time.Second)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for time.Now().Before(end) {
					token, err := replicas[i%2].ExternalToken(t.Context(), h.ada, "octo")
					if err != nil || token.Access == "" {
						t.Errorf("token %+v, %v", token, err)
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		if n := h.oauth.Count("/token"); n < 3 || n > 8 {
			t.Errorf("the provider was asked for tokens %d times in 5 seconds", n)
		}
	})
}

// A refusal ends the sign-in, and says so until the person signs in again; a bad
// day of the provider does not.
func TestRefusalsAndBadDays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.signIn(t, h.ada)
		// Ended before its time: a new one is had without asking the person.
		h.oauth.ForgetAccess()
		other := h.replica(t, h.db) // one that does not remember the provider's word
		if token, err := other.ExternalToken(ctx, h.ada, "octo"); err != nil || !h.oauth.Good(token.Access) {
			t.Errorf("ended before its time: %v", err)
		}
		h.oauth.Set(func(s *oauthtest.Settings) { s.Down = true })
		if _, err := h.replica(t, h.db).ExternalToken(ctx, h.ada, "octo"); err != nil {
			t.Errorf("a good token while the provider is down: %v", err)
		}
		// Near its end, then past it, with the provider down.
		h.expire(t, time.Minute)
		if _, err := h.ExternalToken(ctx, h.ada, "octo"); err != nil {
			t.Errorf("a token that ends soon while the provider is down: %v", err)
		}
		h.oauth.Set(func(s *oauthtest.Settings) { s.Down = false; s.Lifetime = time.Second })
		h.signIn(t, h.ada)
		time.Sleep(1100 * time.Millisecond)
		h.oauth.Set(func(s *oauthtest.Settings) { s.Down = true })
		if _, err := h.ExternalToken(ctx, h.ada, "octo"); !errors.Is(err, berth.Unavailable) {
			t.Errorf("an ended token while the provider is down: %v", err)
		}
		h.oauth.Set(func(s *oauthtest.Settings) { s.Down = false; s.Lifetime = time.Hour })
		if _, err := h.ExternalToken(ctx, h.ada, "octo"); err != nil {
			t.Errorf("after the bad day: %v", err)
		}
		// The person removed the application there.
		h.oauth.Forget()
		for range 2 {
			_, err := h.replica(t, h.db).ExternalToken(ctx, h.ada, "octo")
			var e *berth.Error
			if !errors.As(err, &e) || e.Code != berth.Conflict || !strings.Contains(e.Message, "does not accept your sign-in any more") || !strings.Contains(e.Message, "https://berth.test/external-auth/octo") {
				t.Errorf("refused: %v", err)
			}
		}
		if views, _ := h.Externals(ctx, h.ada); views[0].Login.Refused == "" {
			t.Errorf("list: %+v", views[0].Login)
		}
		need := []berth.ExternalNeed{{ID: "octo"}}
		if err := h.db.Read(ctx, func(q *store.Query) error { return h.Linked(q, h.ada.UserID, need) }); !errors.Is(err, berth.Conflict) {
			t.Errorf("a template that needs it: %v", err)
		}
		h.signIn(t, h.ada)
		if _, err := h.ExternalToken(ctx, h.ada, "octo"); err != nil {
			t.Errorf("signed in again: %v", err)
		}
		if err := h.db.Read(ctx, func(q *store.Query) error { return h.Linked(q, h.ada.UserID, need) }); err != nil {
			t.Errorf("a template that needs it: %v", err)
		}
	})
}

// expire moves the end of ada's token.
func (h *house) expire(t *testing.T, left time.Duration) {
	t.Helper()
	err := h.db.Guarded(context.Background(), func(tx *store.Tx) error {
		l, err := tx.ExternalLogin(h.ada.UserID, "octo")
		if err != nil {
			return err
		}
		if ok, err := tx.LeaseExternal(h.ada.UserID, "octo", "test", l.UpdatedAt, time.Minute); err != nil || !ok {
			return errors.Join(err, errors.New("no lease"))
		}
		l.ExpiresAt = tx.Now.Add(left)
		_, err = tx.RefreshExternal(l, "test")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Builds are told of the tokens that their template asks for, and of no others.
func TestBuildEnv(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.signIn(t, h.ada)
		at, need := h.start(t, "web"), []berth.ExternalNeed{{ID: "octo"}, {ID: "gone", Optional: true}}
		env := func(need []berth.ExternalNeed) map[string]string {
			t.Helper()
			if err := h.Prepare(t.Context(), at, need); err != nil {
				t.Fatal(err)
			}
			var env map[string]string
			if err := h.db.Read(t.Context(), func(q *store.Query) (err error) {
				env, err = h.BuildEnv(q, at, berth.Contents{External: need})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return env
		}
		got := env(need)
		if !h.oauth.Good(got["CODER_EXTERNAL_AUTH_ACCESS_TOKEN_octo"]) || got["CODER_WORKSPACE_OWNER_SESSION_TOKEN"] != at.Token() ||
			!strings.HasPrefix(got["CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY"], "ssh-ed25519 ") || !strings.Contains(got["CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY"], "OPENSSH PRIVATE KEY") {
			t.Errorf("%v", got)
		}
		if got := env(nil); got["CODER_EXTERNAL_AUTH_ACCESS_TOKEN_octo"] != "" {
			t.Error("a template that does not ask for a token gets it")
		}
		at.Build.Transition = berth.Stop
		if got := env(nil); got["CODER_WORKSPACE_OWNER_SESSION_TOKEN"] != "" {
			t.Error("a stop gets a login")
		}
	})
}
