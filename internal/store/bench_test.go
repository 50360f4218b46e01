package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// BenchmarkFirstPage is the first page of 10,000 workspaces with all that is
// shown beside each.
func BenchmarkFirstPage(b *testing.B) {
	storetest.Bench(b, func(b *testing.B, db *store.DB) {
		w := storetest.Seed(b, db)
		for batch := range 20 {
			err := db.Write(b.Context(), func(tx *store.Tx) error {
				for i := range 500 {
					ws := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID,
						OwnerID: w.User.ID, TemplateID: w.Template.ID, Name: fmt.Sprintf("w%d-%d", batch, i), CreatedAt: tx.Now, UpdatedAt: tx.Now}
					if err := tx.InsertWorkspace(ws, []byte("k")); err != nil {
						return err
					}
					build := w.Build(ws.ID, berth.Start)
					build.ID, build.Number, build.CreatedAt = berth.NewID[berth.Build](), 1, tx.Now
					if err := tx.InsertBuild(build); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			err := db.Read(b.Context(), func(q *store.Query) error {
				rows, next, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}}, store.Page{Limit: 50})
				if err == nil && (len(rows) != 50 || next == "") {
					err = fmt.Errorf("%d rows, next %q", len(rows), next)
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPeople is what it costs to know what somebody may do, and to list
// what they may see, among 10,000 workspaces of 1,000 people in several
// organizations and groups, with shares.
func BenchmarkPeople(b *testing.B) {
	storetest.Bench(b, func(b *testing.B, db *store.DB) {
		made := scatter(b, db, rand.New(rand.NewPCG(1, 1)), 1000, 10_000)
		if db.Engine() == "postgres" {
			if err := db.Write(b.Context(), func(tx *store.Tx) error { return store.Exec(&tx.Query, `ANALYZE`) }); err != nil {
				b.Fatal(err)
			}
		}
		read := func(b *testing.B, f func(q *store.Query, a authz.Actor, n int) error) {
			n := 0
			for b.Loop() {
				n++
				if err := db.Read(b.Context(), func(q *store.Query) error {
					w, err := who(q, made.users[100+n%900])
					if err != nil {
						return err
					}
					return f(q, authz.User(w, authz.ScopeAll), n)
				}); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run("who", func(b *testing.B) {
			read(b, func(*store.Query, authz.Actor, int) error { return nil })
		})
		b.Run("check", func(b *testing.B) {
			read(b, func(q *store.Query, a authz.Actor, n int) error {
				w, err := q.Workspace(made.workspaces[n*7919%len(made.workspaces)])
				if err != nil {
					return err
				}
				grants, err := q.WorkspaceShares(w.ID)
				_ = authz.Check(a, authz.Connect, authz.OfWorkspace(w.OwnerID, w.OrganizationID, grants...), "it")
				return err
			})
		})
		b.Run("page", func(b *testing.B) {
			read(b, func(q *store.Query, a authz.Actor, _ int) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: authz.See(a, authz.Read, authz.KindWorkspace)}, store.Page{Limit: 50})
				return err
			})
		})
		b.Run("page of a template admin", func(b *testing.B) {
			read(b, func(q *store.Query, a authz.Actor, _ int) error {
				a.Roles = []berth.Role{berth.RoleTemplateAdmin}
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: authz.See(a, authz.Read, authz.KindWorkspace)}, store.Page{Limit: 50})
				return err
			})
		})
		b.Run("page of an organization's owner", func(b *testing.B) {
			read(b, func(q *store.Query, a authz.Actor, n int) error {
				o := made.organizations[n%4]
				a.Memberships = []berth.Membership{{OrganizationID: o, UserID: a.UserID, Roles: []berth.Role{berth.RoleOwner}}}
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: authz.See(a, authz.Read, authz.KindWorkspace)}, store.Page{Limit: 50})
				return err
			})
		})
		b.Run("builds", func(b *testing.B) {
			read(b, func(q *store.Query, a authz.Actor, _ int) error {
				v := authz.See(a, authz.Read, authz.KindWorkspace)
				_, _, err := q.BuildPage(store.BuildFilter{Visible: &v, Imports: authz.See(a, authz.Update, authz.KindTemplate)}, store.Page{Limit: 50})
				return err
			})
		})
		b.Run("templates", func(b *testing.B) {
			read(b, func(q *store.Query, a authz.Actor, _ int) error {
				_, _, err := q.TemplatePage(authz.See(a, authz.Read, authz.KindTemplate), "", store.Page{Limit: 50})
				return err
			})
		})
	})
}
