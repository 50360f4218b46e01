package notices_test

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

const accessURL = "https://berth.example.com"

// house is the service with what it needs around it.
type house struct {
	storetest.World
	t  testing.TB
	db *store.DB
	s  *notices.Service
}

func newHouse(t testing.TB, db *store.DB, opt notices.Options) *house {
	t.Helper()
	opt.AccessURL = accessURL
	s, err := notices.New(db, opt)
	if err != nil {
		t.Fatal(err)
	}
	return &house{World: storetest.Seed(t, db), t: t, db: db, s: s}
}

// inHouse runs a test on both engines.
func inHouse(t *testing.T, opt notices.Options, test func(t *testing.T, h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		test(t, newHouse(t, open(t), opt))
	})
}

func (h *house) write(f func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.db.Write(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tell(n berth.Notice, to ...berth.UserID) {
	h.t.Helper()
	h.write(func(tx *store.Tx) error { return h.s.Tell(tx, n, to...) })
}

// user adds somebody with roles of the site.
func (h *house) user(name string, roles ...berth.Role) berth.User {
	h.t.Helper()
	u := berth.User{ID: berth.NewID[berth.User](), Username: name, Email: name + "@example.com", Status: berth.UserActive, Roles: roles}
	h.write(func(tx *store.Tx) error {
		u.CreatedAt, u.UpdatedAt = tx.Now, tx.Now
		if err := tx.InsertUser(u, ""); err != nil {
			return err
		}
		return tx.AddMember(h.Organization.ID, u.ID)
	})
	return u
}

// inbox is what somebody finds there, the newest first.
func (h *house) inbox(u berth.UserID) (all []berth.Notice) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(q *store.Query) (err error) {
		all, _, err = q.NoticePage(u, false, store.Page{Limit: 500})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return all
}
