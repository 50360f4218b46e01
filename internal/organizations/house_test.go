package organizations_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// house is the use cases on one database, with the default organization and a
// second one, acme.
type house struct {
	*testing.T
	db      *store.DB
	tenants *organizations.Service
	home    berth.Organization
	acme    berth.Organization
}

func each(t *testing.T, test func(h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		h := &house{T: t, db: db, tenants: organizations.New(db)}
		h.must(accounts.New(db).EnsureDefaults(t.Context()))
		h.must(providers.New(db).EnsureBuiltIn(t.Context(), nil))
		h.acme = berth.Organization{ID: berth.NewID[berth.Organization](), Name: "acme", ConnectStarts: true, Sharing: true, AutostartDays: berth.EveryDay, AutoOffByUser: true}
		h.write(func(tx *store.Tx) (err error) {
			if h.home, err = tx.OrganizationRef(""); err != nil {
				return err
			}
			h.acme.CreatedAt = tx.Now
			return tx.InsertOrganization(h.acme)
		})
		test(h)
	})
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// want fails unless the error has the code.
func (h *house) want(what string, err error, code berth.Code) {
	h.Helper()
	if !errors.Is(err, code) {
		h.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func (h *house) write(f func(tx *store.Tx) error) {
	h.Helper()
	h.must(h.db.Write(h.Context(), f))
}

// user makes a user who is in no organization.
func (h *house) user(name string, roles ...berth.Role) berth.User {
	h.Helper()
	u := berth.User{ID: berth.NewID[berth.User](), Username: name, Email: name + "@example.com", Status: berth.UserActive, Roles: roles}
	h.write(func(tx *store.Tx) error {
		u.CreatedAt, u.UpdatedAt = tx.Now, tx.Now
		return tx.InsertUser(u, "")
	})
	return u
}

// member makes a user who is in an organization.
func (h *house) member(o berth.Organization, name string, roles ...berth.Role) berth.User {
	h.Helper()
	u := h.user(name)
	h.write(func(tx *store.Tx) error {
		return tx.PutMember(berth.Membership{OrganizationID: o.ID, UserID: u.ID, Roles: roles})
	})
	return u
}

// as is a user as the actor that they are now.
func (h *house) as(u berth.User) (actor authz.Actor) {
	h.Helper()
	h.must(h.db.Read(h.Context(), func(q *store.Query) error {
		w, err := accounts.WhoIs(q, u)
		actor = authz.User(w, authz.ScopeAll)
		return err
	}))
	return actor
}

// root is an owner of the site who is in no organization.
func (h *house) root() authz.Actor { return h.as(h.user("root", berth.RoleOwner)) }

// membership is that of a user in an organization; nil if there is none.
func (h *house) membership(o berth.OrganizationID, u berth.User) (m *berth.Membership) {
	h.Helper()
	h.must(h.db.Read(h.Context(), func(q *store.Query) error {
		found, err := q.Member(o, u.ID)
		if errors.Is(err, berth.NotFound) {
			m = nil
			return nil
		}
		m = &found
		return err
	}))
	return m
}

// groups names the groups that a user was put into.
func (h *house) groups(u berth.User) (names []string) {
	h.Helper()
	h.must(h.db.Read(h.Context(), func(q *store.Query) error {
		groups, err := q.GroupsOf(u.ID)
		names = nil
		for _, g := range groups {
			names = append(names, g.Name)
		}
		slices.Sort(names)
		return err
	}))
	return names
}

// recorded is what the audit tells of an organization, newest first.
func (h *house) recorded(o berth.OrganizationID) (rows []store.Audit) {
	h.Helper()
	h.must(h.db.Read(h.Context(), func(q *store.Query) error {
		all, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{Limit: 500})
		rows = slices.DeleteFunc(all, func(a store.Audit) bool { return a.OrganizationID != o })
		return err
	}))
	return rows
}
