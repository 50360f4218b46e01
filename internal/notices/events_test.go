package notices_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
)

// build ends one of a workspace, and has people told.
func (h *house) build(w berth.Workspace, number int, change func(b *berth.Build), ended store.Ended) {
	h.t.Helper()
	b := h.Build(w.ID, berth.Start)
	b.ID, b.Number = berth.NewID[berth.Build](), number
	change(&b)
	h.write(func(tx *store.Tx) error {
		b.CreatedAt = tx.Now
		if err := tx.InsertBuild(b); err != nil {
			return err
		}
		if err := tx.EndBuild(b.ID, 0, ended); err != nil {
			return err
		}
		done, err := tx.Build(b.ID)
		if err != nil {
			return err
		}
		done.Tries = b.Tries
		for range 2 { // once, however often
			if err := h.s.BuildEnded(tx, done); err != nil {
				return err
			}
		}
		return nil
	})
}

// kinds are those that somebody was told of, the oldest first.
func (h *house) kinds(u berth.User) string {
	h.t.Helper()
	var all []string
	for _, n := range slices.Backward(h.inbox(u.ID)) {
		all = append(all, n.Kind)
	}
	return strings.Join(all, " ")
}

func TestWhoIsToldOfBuilds(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		ada, boss, tess, eve := h.User, h.user("boss", berth.RoleOwner), h.user("tess", berth.RoleTemplateAdmin), h.user("eve")
		system := berth.User{ID: berth.NewID[berth.User](), Username: berth.PrebuildsUsername, Email: "p@berth.invalid", Status: berth.UserActive, System: true}
		h.write(func(tx *store.Tx) error {
			system.CreatedAt, system.UpdatedAt = tx.Now, tx.Now
			return tx.InsertUser(system, "")
		})
		web := h.Workspace(t, h.db, "web")
		failed := store.Ended{Error: "Error: no such image", ErrorCode: "terraform"}
		by := func(u berth.User, r berth.Reason, tr berth.Transition) func(*berth.Build) {
			return func(b *berth.Build) { b.InitiatorID, b.Reason, b.Transition, b.Tries = u.ID, r, tr, 1 }
		}
		h.build(web, 1, by(ada, berth.ReasonCLI, berth.Start), failed) // those who manage templates
		if n := h.inbox(tess.ID); len(n) != 1 || n[0].Title != "A start of ada/web failed" || !strings.Contains(n[0].Body, "a start by ada with the template process (version first)") ||
			!strings.Contains(n[0].Body, "\n> Error: no such image\n") {
			t.Errorf("tess: %+v", n)
		}
		h.build(web, 2, by(tess, berth.ReasonCLI, berth.Start), failed) // knows it
		h.build(web, 3, by(ada, berth.ReasonCLI, berth.Start), store.Ended{Canceled: true})
		h.build(web, 4, by(ada, berth.ReasonCLI, berth.Start), store.Ended{})
		h.build(web, 5, by(system, berth.ReasonAutostop, berth.Stop), failed) // the owner
		h.build(web, 6, func(b *berth.Build) { by(system, berth.ReasonAutostop, berth.Stop)(b); b.Tries = 2 }, failed)
		h.build(web, 7, func(b *berth.Build) { by(system, berth.ReasonAutostop, berth.Stop)(b); b.Tries = 5 }, failed)
		if n := h.inbox(ada.ID); len(n) != 2 || n[1].Title != "web could not be stopped by itself" || !strings.Contains(n[1].Body, "The workspace was not used for as long as its rule says.") {
			t.Errorf("ada: %+v", n)
		}
		h.build(web, 8, by(boss, berth.ReasonCLI, berth.Delete), store.Ended{})
		for u, want := range map[*berth.User]string{&ada: "automatic-build-failed automatic-build-failed workspace-deleted", &tess: "workspace-build-failed", &boss: "", &eve: ""} {
			if got := h.kinds(*u); got != want {
				t.Errorf("%s was told of %q, not %q", u.Username, got, want)
			}
		}
		if n := h.inbox(ada.ID)[0]; !strings.Contains(n.Body, "was deleted by boss,") {
			t.Errorf("%s", n.Body)
		}
	})
}

// Who asks for it is told of new workspaces, as far as they may see them.
func TestWhoAsksIsTold(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		tess, eve := h.user("tess", berth.RoleTemplateAdmin), h.user("eve")
		for _, u := range []berth.User{tess, eve} {
			if _, _, err := h.s.Prefer(t.Context(), h.actor(u), map[string]map[berth.Way]bool{notices.KindCreated: {berth.WayInbox: true}}); err != nil {
				t.Fatal(err)
			}
		}
		h.build(h.Workspace(t, h.db, "web"), 1, func(b *berth.Build) {}, store.Ended{})
		if a, b := h.kinds(tess), h.kinds(eve); a != "workspace-created" || b != "" {
			t.Errorf("tess was told of %q, eve of %q", a, b)
		}
	})
}

// Whoever is told of a failed build may read that workspace.
func TestWhoIsToldMaySeeIt(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		var cast []authz.Who
		for _, r := range []berth.Role{berth.RoleOwner, berth.RoleTemplateAdmin, berth.RoleUserAdmin, berth.RoleAuditor} {
			u := h.user("site-" + string(r) + "x")
			cast = append(cast, authz.Who{User: u}, authz.Who{User: h.user("here-" + string(r))})
			cast[len(cast)-2].User.Roles = []berth.Role{r}
			h.write(func(tx *store.Tx) error {
				if err := tx.UpdateUser(cast[len(cast)-2].User); err != nil {
					return err
				}
				m := berth.Membership{OrganizationID: h.Organization.ID, UserID: cast[len(cast)-1].User.ID, Roles: []berth.Role{r}}
				cast[len(cast)-1].Memberships = []berth.Membership{m}
				return tx.PutMember(m)
			})
		}
		web := h.Workspace(t, h.db, "web")
		// Those who manage templates leave one after the other: others are told.
		for i := 1; i <= 4; i++ {
			h.build(web, i, func(*berth.Build) {}, store.Ended{Error: "x"})
			for _, role := range []berth.Role{berth.RoleTemplateAdmin, berth.RoleOwner}[(i-1)/2:][:1] {
				for j, w := range cast {
					if mine := append(slices.Clone(w.User.Roles), roles(w)...); slices.Contains(mine, role) && (j+i)%2 == 1 {
						w.User.Status = berth.UserSuspended
						h.write(func(tx *store.Tx) error { return tx.UpdateUser(w.User) })
					}
				}
			}
		}
		told := 0
		for _, w := range cast {
			n := len(h.inbox(w.User.ID))
			told += n
			if n > 0 && !authz.Can(authz.User(w, authz.ScopeAll), authz.Read, authz.OfWorkspace(web.OwnerID, web.OrganizationID)) {
				t.Errorf("%s was told and may not see it", w.User.Username)
			}
		}
		if told < 4 {
			t.Errorf("%d were told of 4 failures", told)
		}
	})
}

func roles(w authz.Who) []berth.Role {
	if len(w.Memberships) == 0 {
		return nil
	}
	return w.Memberships[0].Roles
}

func TestWhoIsToldOfUsers(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		boss, uma, ben := h.user("boss", berth.RoleOwner), h.user("uma", berth.RoleUserAdmin), h.user("ben")
		h.write(func(tx *store.Tx) error {
			for _, tell := range []func(*store.Tx, berth.User, berth.UserID) error{h.s.UserCreated, h.s.UserSuspended, h.s.UserActivated} {
				if err := tell(tx, ben, boss.ID); err != nil {
					return err
				}
			}
			if err := h.s.UserSuspended(tx, ben, uma.ID); err != nil { // who did it knows
				return err
			}
			return h.s.TemplateDeleted(tx, h.Template, uma.ID)
		})
		for u, want := range map[*berth.User]string{&boss: "template-deleted", &uma: "user-created user-suspended user-activated", &ben: "account-suspended account-activated account-suspended"} {
			got := strings.Fields(h.kinds(*u)) // of one moment, in no order
			slices.Sort(got)
			sorted := strings.Fields(want)
			slices.Sort(sorted)
			if !slices.Equal(got, sorted) {
				t.Errorf("%s was told of %q, not %q", u.Username, got, sorted)
			}
		}
	})
}

func TestPressure(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		web := h.Workspace(t, h.db, "web")
		h.write(func(tx *store.Tx) error {
			for _, p := range []berth.Pressure{{Percent: 91}, {Path: "/home", Percent: 95}, {Path: "/home", Percent: 96}} {
				if err := h.s.Pressed(tx, web, p); err != nil {
					return err
				}
			}
			return nil
		})
		all := h.inbox(h.User.ID)
		titles := []string{}
		for _, n := range all {
			titles = append(titles, n.Title)
		}
		slices.Sort(titles)
		if !slices.Equal(titles, []string{"/home is nearly full in web", "web runs out of memory"}) {
			t.Errorf("%q", titles)
		}
	})
}
