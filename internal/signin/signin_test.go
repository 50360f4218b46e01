package signin

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/internal/store"
)

func refused(t *testing.T, what string, err error, code berth.Code, says string) {
	t.Helper()
	if !errors.Is(err, code) || !strings.Contains(berth.ErrorMessage(err), says) {
		t.Errorf("%s: %v, want %s with %q", what, err, code, says)
	}
}

func TestSignUpAndBack(t *testing.T) {
	each(t, nil, func(h *house) {
		first := h.in()
		if u := first.User; u.Username != "ana" || u.Email != "ana@example.com" || u.SignIn != "corp" || u.Status != berth.UserActive || first.ReturnTo != "/x?y=z" || !h.good(first.Text) {
			h.Fatalf("%+v", first)
		}
		if first.Token.SignIn != "corp" || len(h.user(first.User.ID).Memberships) != 1 {
			h.Errorf("%+v", first.Token)
		}
		// The same subject is the same user, whatever else changed there.
		h.is(map[string]any{"sub": "s-1", "preferred_username": "anna", "email": "anna@example.com", "email_verified": true, "name": "Anna"})
		again := h.in()
		if u := h.user(first.User.ID).User; again.User.ID != first.User.ID || u.Username != "ana" || u.Email != "anna@example.com" || u.Name != "Anna" {
			h.Errorf("%+v", u)
		}
		// Another subject is another user, also by the same name; and nobody gets an
		// e-mail address that the provider does not stand for.
		h.is(map[string]any{"sub": "s-2", "preferred_username": "ana", "email": "other@example.com"})
		second := h.in()
		if second.User.Username != "ana-2" {
			h.Errorf("%+v", second.User)
		}
		h.is(map[string]any{"sub": "s-2", "preferred_username": "ana", "email": "boss@example.com"})
		if h.in(); h.user(second.User.ID).User.Email != "other@example.com" {
			h.Error("an address that is not verified was taken over")
		}
		h.is(map[string]any{"sub": "s-3", "preferred_username": "me", "email": "me@example.com"})
		if u := h.in().User; u.Username != "me-2" {
			h.Errorf("%+v", u)
		}
	})
}

// Whose account it is, the e-mail address alone never says.
func TestAddressesProveNothing(t *testing.T) {
	each(t, nil, func(h *house) {
		h.made("root", berth.SignInPassword, berth.RoleOwner)
		h.made("bob", "corp")
		claim := func(sub, email string, verified any) error {
			h.is(map[string]any{"sub": sub, "preferred_username": "x", "email": email, "email_verified": verified})
			if verified == nil {
				h.is(map[string]any{"sub": sub, "preferred_username": "x", "email": email})
			}
			_, err := h.signIn()
			return err
		}
		refused(h.T, "a password user's address", claim("e-1", "ROOT@example.com", true), berth.Conflict, "by password")
		refused(h.T, "a reserved user's, not verified", claim("e-1", "bob@example.com", false), berth.Forbidden, "verified")
		refused(h.T, "a reserved user's, nothing said", claim("e-1", "bob@example.com", nil), berth.Forbidden, "anybody's")
		h.must(claim("b-1", "Bob@example.com", true))
		refused(h.T, "a reserved user's, who came", claim("e-1", "bob@example.com", true), berth.Conflict, "another account")
		h.must(claim("b-1", "bob@example.com", true))
		var rows []store.Audit
		h.must(h.db.Read(h.Context(), func(q *store.Query) error {
			root, err := q.UserNamed("root")
			if err != nil {
				return err
			}
			if _, err := q.IdentityOf(root.ID, "corp"); !errors.Is(err, berth.NotFound) {
				t.Errorf("root has an identity: %v", err)
			}
			rows, _, err = q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{Limit: 50})
			return err
		}))
		bad := slices.DeleteFunc(rows, func(a store.Audit) bool { return a.Class != berth.AuditSignIn || a.Result == berth.AuditOK })
		if len(bad) != 4 {
			h.Errorf("%d failed sign-ins are in the record: %+v", len(bad), bad)
		}
	})
}

func TestWhoMayNotSignIn(t *testing.T) {
	each(t, map[string]any{"sign_ups": false, "groups": map[string]any{"allowed": []string{"staff"}}}, func(h *house) {
		ana := map[string]any{"sub": "s-1", "preferred_username": "ana", "email": "ana@example.com", "email_verified": true, "groups": []string{"staff"}}
		h.is(ana)
		_, err := h.signIn()
		refused(h.T, "no sign-ups", err, berth.Forbidden, "no account for you")
		u := h.made("ana", "corp")
		login := h.in()
		ana["groups"] = []string{}
		_, err = h.signIn()
		refused(h.T, "out of the groups", err, berth.Forbidden, "none of the groups")
		ana["groups"] = []string{"staff"}
		h.change(u.ID, func(u *berth.User) { u.Status = berth.UserSuspended })
		_, err = h.signIn()
		refused(h.T, "suspended", err, berth.Forbidden, "suspended")
		if h.good(login.Text) {
			h.Error("a suspended user's login works")
		}
		h.change(u.ID, func(u *berth.User) { u.Status, u.SignIn = berth.UserActive, berth.SignInPassword })
		_, err = h.signIn()
		refused(h.T, "signs in otherwise by now", err, berth.Forbidden, "by password")
	})
}

// A sign-in is finished once, by the browser that began it.
func TestAttempts(t *testing.T) {
	each(t, nil, func(h *house) {
		ctx := h.Context()
		begun := h.begin()
		back := h.browse(begun)
		other := back
		other.Nonce = h.begin().Nonce
		_, err := h.Returned(ctx, other)
		refused(h.T, "in another browser", err, berth.Conflict, "not begun in this browser")
		_, err = h.Returned(ctx, back)
		refused(h.T, "after that", err, berth.Conflict, "begin again")

		begun = h.begin()
		back = h.browse(begun)
		var all sync.WaitGroup
		came := make(chan bool, 5)
		for range cap(came) {
			all.Go(func() { _, err := h.Returned(ctx, back); came <- err == nil })
		}
		all.Wait()
		close(came)
		good := 0
		for ok := range came {
			if ok {
				good++
			}
		}
		if good != 1 {
			h.Errorf("one state signed in %d times", good)
		}
		back = h.browse(h.begin())
		back.Provider = "CORP"
		back.State = ""
		_, err = h.Returned(ctx, back)
		refused(h.T, "without a state", err, berth.Conflict, "begin again")
		begun = h.begin()
		back = h.browse(begun)
		back.Code, back.Error = "", "access_denied"
		_, err = h.Returned(ctx, back)
		refused(h.T, "not agreed", err, berth.Conflict, "did not let you in")
		begun = h.begin()
		back = h.browse(begun)
		back.Code = "another"
		_, err = h.Returned(ctx, back)
		refused(h.T, "a code of somebody else", err, berth.Conflict, "did not accept")
		for n := range 100 {
			if _, err = h.Begin(ctx, Begin{Provider: "corp", Address: "192.0.2.9:1"}); err != nil {
				if n < 20 {
					h.Errorf("after %d: %v", n, err)
				}
				break
			}
		}
		refused(h.T, "a flood", err, berth.Limit, "wait")
	})
}

func TestRolesGroupsAndOrganizations(t *testing.T) {
	each(t, map[string]any{
		"groups":        map[string]any{"filter": "^team-", "create": true, "mapping": map[string]string{"x/y": "lab/people"}},
		"roles":         map[string]any{"mapping": map[string][]string{"boss": {"owner"}, "audit": {"auditor"}}},
		"organizations": map[string]any{"claim": "orgs", "mapping": map[string][]string{"rnd": {"lab:template-admin"}, "gone": {"nowhere"}}},
	}, func(h *house) {
		lab := berth.Organization{ID: berth.NewID[berth.Organization](), Name: "lab", AutostartDays: berth.EveryDay}
		h.write(func(tx *store.Tx) error {
			lab.CreatedAt = tx.Now
			if err := tx.InsertOrganization(lab); err != nil {
				return err
			}
			return tx.InsertGroup(berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: lab.ID, Name: "people"})
		})
		says := func(groups, roles, orgs []string) authz.Who {
			h.is(map[string]any{"sub": "s-1", "preferred_username": "ana", "email": "ana@example.com", "groups": groups, "roles": roles, "orgs": orgs})
			return h.user(h.in().User.ID)
		}
		names := func(w authz.Who) (groups []string) {
			for _, g := range w.Groups {
				groups = append(groups, g.Name)
			}
			slices.Sort(groups)
			return groups
		}
		w := says([]string{"team-a", "x/y", "other"}, []string{"audit"}, []string{"rnd", "gone"})
		if !slices.Equal(names(w), []string{"people", "team-a"}) || len(w.Memberships) != 2 || !slices.Equal(w.User.Roles, []berth.Role{berth.RoleAuditor}) {
			h.Errorf("%+v", w)
		}
		actor := authz.User(w, authz.ScopeAll)
		if !actor.HasIn(lab.ID, berth.RoleTemplateAdmin) {
			h.Error("no role in the lab")
		}
		if w = says([]string{"team-b"}, nil, nil); !slices.Equal(names(w), []string{"team-b"}) || len(w.Memberships) != 1 || len(w.User.Roles) != 0 {
			h.Errorf("%+v", w)
		}
		// The last owner stays one.
		if w = says(nil, []string{"boss"}, nil); !slices.Equal(w.User.Roles, []berth.Role{berth.RoleOwner}) {
			h.Fatalf("%+v", w)
		}
		if w = says(nil, nil, nil); !slices.Equal(w.User.Roles, []berth.Role{berth.RoleOwner}) {
			h.Errorf("the last owner: %+v", w)
		}
		h.made("root", berth.SignInPassword, berth.RoleOwner)
		if w = says(nil, nil, nil); len(w.User.Roles) != 0 {
			h.Errorf("not the last one any more: %+v", w)
		}
	})
}

// A person changes from their password to a provider, and back there is no way
// by the password.
func TestConvert(t *testing.T) {
	each(t, nil, func(h *house) {
		ctx, password := h.Context(), "seven crooked herons waltz"
		root, err := h.accounts.FirstUser(ctx, accounts.NewUser{Username: "root", Email: "root@example.com", Password: password})
		h.must(err)
		login := func() string {
			text, _, _, err := h.accounts.Login(ctx, "root", password, "192.0.2.7:1")
			h.must(err)
			return text
		}
		text := login()
		actor, _, _, err := h.accounts.Authenticate(ctx, text)
		h.must(err)
		in := Begin{Provider: "corp", ReturnTo: "/", Address: "192.0.2.1:1"}
		_, err = h.Convert(ctx, actor, "wrong", in)
		refused(h.T, "a wrong password", err, berth.Invalid, "not your password")
		begun, err := h.Convert(ctx, actor, password, in)
		h.must(err)
		_, err = h.Returned(ctx, h.browse(begun))
		refused(h.T, "in a browser where nobody is signed in", err, berth.Conflict, "begin again")
		begun, err = h.Convert(ctx, actor, password, in)
		h.must(err)
		back := h.browse(begun)
		back.Visitor = root.ID
		came, err := h.Returned(ctx, back)
		h.must(err)
		if came.User.ID != root.ID || h.good(text) || !h.good(came.Text) || h.user(root.ID).User.SignIn != "corp" || len(h.user(root.ID).User.Roles) != 1 {
			h.Errorf("%+v, the old login is good: %v", came.User, h.good(text))
		}
		if _, _, _, err := h.accounts.Login(ctx, "root", password, "192.0.2.7:1"); !errors.Is(err, berth.Unauthenticated) {
			h.Errorf("the password still works: %v", err)
		}
		if h.in().User.ID != root.ID {
			h.Error("the next sign-in is another user's")
		}
		_, err = h.Convert(ctx, actor, password, in)
		refused(h.T, "twice", err, berth.Conflict, "by corp")

		// Somebody else cannot take the same account there.
		bob := h.made("bob", berth.SignInPassword)
		begun, err = h.Begin(ctx, Begin{Provider: "corp", Address: "192.0.2.1:1", For: bob.ID})
		h.must(err)
		back = h.browse(begun)
		back.Visitor = bob.ID
		_, err = h.Returned(ctx, back)
		refused(h.T, "an identity of somebody else", err, berth.Conflict, "another user's")
	})
}

// What changes at the provider changes here without a sign-in; who is gone there
// is signed out here; and while it is away all stays.
func TestAskedAgain(t *testing.T) {
	each(t, map[string]any{"recheck": "1h", "roles": map[string]any{"mapping": map[string][]string{"audit": {"auditor"}}}, "groups": map[string]any{"create": true}}, func(h *house) {
		ctx := h.Context()
		ana := map[string]any{"sub": "s-1", "preferred_username": "ana", "email": "ana@example.com", "roles": "audit", "groups": []string{"a"}}
		h.is(ana)
		login := h.in()
		asked := h.oauth.Count("/token")
		h.refresh(0)
		if n := h.oauth.Count("/token"); n != asked {
			h.Errorf("asked before its time")
		}
		h.soon()
		ana["roles"], ana["groups"] = "", []string{"b"}
		var all sync.WaitGroup // two replicas at once: one asks
		for _, s := range []*Service{h.Service, h.replica()} {
			all.Go(func() { _, _ = s.Refresh(ctx) })
		}
		all.Wait()
		if w := h.user(login.User.ID); len(w.User.Roles) != 0 || len(w.Groups) != 1 || w.Groups[0].Name != "b" || !h.good(login.Text) {
			h.Errorf("%+v", w)
		}
		if n := h.oauth.Count("/token"); n != asked+1 {
			h.Errorf("asked %d times", n-asked)
		}
		if i := h.identity("s-1"); !i.NextAt.After(time.Now().Add(50 * time.Minute)) {
			h.Errorf("the next time: %s", i.NextAt)
		}
		h.soon()
		h.oauth.Set(func(set *oauthtest.Settings) { set.Down = true })
		h.refresh(0)
		if i := h.identity("s-1"); !h.good(login.Text) || i.Refused != "" || !i.NextAt.After(time.Now()) {
			h.Errorf("while it is away: %+v", i)
		}
		h.oauth.Set(func(set *oauthtest.Settings) { set.Down = false })
		h.soon()
		h.oauth.Forget()
		h.refresh(1)
		if i := h.identity("s-1"); h.good(login.Text) || i.Refused == "" || len(i.Sealed) != 0 || !i.NextAt.IsZero() {
			h.Errorf("gone there: %+v, good %v", i, h.good(login.Text))
		}
		if again := h.in(); !h.good(again.Text) || h.identity("s-1").Refused != "" {
			h.Error("a new sign-in")
		}
	})
}

func (h *house) refresh(want int64) {
	h.Helper()
	if n, err := h.Refresh(h.Context()); err != nil || n != want {
		h.Errorf("ended %d, want %d: %v", n, want, err)
	}
}

// Who may not come in any more is signed out, too.
func TestShutOutByClaims(t *testing.T) {
	each(t, map[string]any{"recheck": "1h", "groups": map[string]any{"allowed": []string{"staff"}}}, func(h *house) {
		ana := map[string]any{"sub": "s-1", "preferred_username": "ana", "email": "ana@example.com", "groups": "staff"}
		h.is(ana)
		login := h.in()
		ana["groups"] = "alumni"
		h.soon()
		h.refresh(1)
		if h.good(login.Text) {
			h.Error("still signed in")
		}
	})
}

// Templates get a token of the owner that is good.
func TestAccessToken(t *testing.T) {
	each(t, nil, func(h *house) {
		ctx := h.Context()
		login := h.in()
		over := func() {
			h.write(func(tx *store.Tx) error {
				i, err := tx.Identity("corp", "s-1")
				i.ExpiresAt = tx.Now
				return errors.Join(err, tx.PutIdentity(i))
			})
		}
		u := login.User
		token := func() (text string) {
			h.must(h.db.Read(ctx, func(q *store.Query) (err error) { text, err = h.AccessToken(q, u); return err }))
			return text
		}
		first := token()
		if !h.oauth.Good(first) {
			h.Fatal("no token")
		}
		if over(); token() != "" {
			h.Fatal("a token that is over is given out")
		}
		h.Prepare(ctx, u)
		if text := token(); text == first || !h.oauth.Good(text) {
			h.Errorf("not refreshed: %q", text)
		}
		n := h.oauth.Count("/token")
		if h.Prepare(ctx, u); h.oauth.Count("/token") != n {
			h.Error("refreshed without need")
		}
		// Claims are not read anew here: that it cannot be refreshed ends no login.
		h.oauth.Forget()
		over()
		h.Prepare(ctx, u)
		if token() != "" || !h.good(login.Text) || h.identity("s-1").Refused == "" {
			h.Errorf("%+v", h.identity("s-1"))
		}
	})
}

// A command line is let in by who has the verifier and the code, both.
func TestCommandLines(t *testing.T) {
	each(t, nil, func(h *house) {
		ctx, verifier := h.Context(), strings.Repeat("v", 43)
		login := h.in()
		actor, _, token, err := h.accounts.Authenticate(ctx, login.Text)
		h.must(err)
		ask := func() Asked {
			h.T.Helper()
			a, err := h.Ask(ctx, berth.Challenge(verifier), "berth on laptop", "192.0.2.1:4711")
			h.must(err)
			return a
		}
		a := ask()
		if a.URL != "https://berth.test/command-line/"+a.ID || a.Address != "192.0.2.1" {
			h.Errorf("%+v", a)
		}
		_, err = h.Finish(ctx, a.ID, verifier, "AAAA-AAAA")
		refused(h.T, "before anybody agreed", err, berth.Conflict, "browser first")
		code, err := h.Allow(ctx, actor, token, a.ID)
		h.must(err)
		_, err = h.Allow(ctx, actor, token, a.ID)
		refused(h.T, "agreed twice", err, berth.NotFound, "any more")
		_, err = h.Finish(ctx, a.ID, strings.Repeat("w", 43), code)
		refused(h.T, "another verifier", err, berth.NotFound, "any more")
		for range mostTries - 1 {
			_, err = h.Finish(ctx, a.ID, verifier, "AAAA-AAAA")
			refused(h.T, "another code", err, berth.Invalid, "not the code")
		}
		in, err := h.Finish(ctx, a.ID, verifier, " "+strings.ToLower(strings.ReplaceAll(code, "-", ""))+" ")
		h.must(err)
		if in.User.ID != login.User.ID || !h.good(in.Text) || in.Token.SignIn != "corp" {
			h.Errorf("%+v", in)
		}
		_, err = h.Finish(ctx, a.ID, verifier, code)
		refused(h.T, "twice", err, berth.NotFound, "any more")

		a = ask()
		code, err = h.Allow(ctx, actor, token, a.ID)
		h.must(err)
		for range mostTries {
			_, _ = h.Finish(ctx, a.ID, verifier, "AAAA-AAAA")
		}
		_, err = h.Finish(ctx, a.ID, verifier, code)
		refused(h.T, "after too many codes", err, berth.Limit, "too many wrong codes")

		a = ask()
		h.must(h.Deny(ctx, actor, a.ID))
		_, err = h.Asking(ctx, a.ID)
		refused(h.T, "denied", err, berth.NotFound, "any more")

		a = ask()
		text, _, err := h.accounts.CreateToken(ctx, actor, accounts.NewToken{Name: "ci"})
		h.must(err)
		program, _, apiToken, err := h.accounts.Authenticate(ctx, text)
		h.must(err)
		_, err = h.Allow(ctx, program, apiToken, a.ID)
		refused(h.T, "a program", err, berth.Forbidden, "yourself")
		_, err = h.Allow(ctx, authz.Actor{}, berth.Token{}, a.ID)
		refused(h.T, "nobody", err, berth.Unauthenticated, "sign in")
		for _, bad := range []string{"", "x", strings.Repeat("=", 43)} {
			_, err = h.Ask(ctx, bad, "x", "192.0.2.1:1")
			refused(h.T, "a bad challenge", err, berth.Invalid, "SHA-256")
		}
		// Logins that end take with them what they let in and did not finish.
		code, err = h.Allow(ctx, actor, token, a.ID)
		h.must(err)
		h.change(login.User.ID, func(u *berth.User) { u.SignIn = berth.SignInPassword })
		_, err = h.Finish(ctx, a.ID, verifier, code)
		refused(h.T, "who signs in otherwise by now", err, berth.NotFound, "any more")
		if n, err := h.CleanUnfinished(ctx); err != nil || n != 0 {
			h.Errorf("%d, %v", n, err)
		}
	})
}
