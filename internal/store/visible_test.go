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

// towns are some organizations with people, groups, templates, workspaces and
// shares, thrown together by chance.
type towns struct {
	organizations []berth.OrganizationID
	users         []berth.User
	templates     []berth.TemplateID
	workspaces    []berth.WorkspaceID
}

// scatter makes towns. Of size 1 it is enough to meet every case.
func scatter(t testing.TB, db *store.DB, r *rand.Rand, people, workspaces int) (made towns) {
	t.Helper()
	w := storetest.Seed(t, db)
	groups := map[berth.OrganizationID][]berth.GroupID{}
	type version struct {
		t berth.TemplateID
		v berth.VersionID
	}
	versions := map[berth.OrganizationID][]version{}
	roles := func(all []berth.Role) []berth.Role {
		if r.IntN(4) > 0 {
			return []berth.Role{}
		}
		return []berth.Role{all[r.IntN(len(all))]}
	}
	write := func(f func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx *store.Tx) error {
		for i := range 4 {
			o := berth.Organization{ID: berth.NewID[berth.Organization](), Name: fmt.Sprintf("o%d", i), Sharing: i != 2, CreatedAt: tx.Now}
			if err := tx.InsertOrganization(o); err != nil {
				return err
			}
			made.organizations = append(made.organizations, o.ID)
			for j := range 3 {
				g := berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: o.ID, Name: fmt.Sprintf("g%d", j)}
				if err := tx.InsertGroup(g); err != nil {
					return err
				}
				groups[o.ID] = append(groups[o.ID], g.ID)
			}
		}
		for i := range people {
			u := berth.User{ID: berth.NewID[berth.User](), Username: fmt.Sprintf("u%d", i), Email: fmt.Sprintf("u%d@example.com", i),
				Status: berth.UserActive, CreatedAt: tx.Now, UpdatedAt: tx.Now}
			if u.Roles = roles(berth.SiteRoles); i >= 4*len(berth.SiteRoles) {
				u.Roles = []berth.Role{} // few have any
			}
			if err := tx.InsertUser(u, ""); err != nil {
				return err
			}
			made.users = append(made.users, u)
			for _, o := range made.organizations {
				if r.IntN(2) > 0 {
					continue
				}
				if err := tx.PutMember(berth.Membership{OrganizationID: o, UserID: u.ID, Roles: roles(berth.OrganizationRoles)}); err != nil {
					return err
				}
				if err := tx.AddToGroup(groups[o][r.IntN(3)], u.ID, berth.SourceUser); err != nil {
					return err
				}
			}
		}
		return nil
	})
	// share shares a thing of an organization with some, also with who is not in it any more.
	share := func(tx *store.Tx, target store.GrantTarget, o berth.OrganizationID) error {
		for range r.IntN(3) {
			to := berth.Grantee{Kind: berth.GranteeUser, ID: string(made.users[r.IntN(len(made.users))].ID)}
			switch r.IntN(4) {
			case 0:
				to = berth.Grantee{Kind: berth.GranteeGroup, ID: string(groups[o][r.IntN(3)])}
			case 1:
				to = berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(o))}
			}
			if err := tx.PutGrant(target, berth.Grant{To: to, Role: berth.GrantRoles[r.IntN(2)]}, w.User.ID); err != nil {
				return err
			}
		}
		return nil
	}
	build := func(tx *store.Tx, b berth.Build) error {
		b.ID, b.Number, b.CreatedAt = berth.NewID[berth.Build](), 1, tx.Now
		return tx.InsertBuild(b)
	}
	write(func(tx *store.Tx) error {
		for i, o := range made.organizations {
			for j := range 4 {
				tpl := berth.Template{ID: berth.NewID[berth.Template](), OrganizationID: o, Name: fmt.Sprintf("t%d-%d", i, j), CreatedBy: w.User.ID, CreatedAt: tx.Now, UpdatedAt: tx.Now}
				v := berth.Version{ID: berth.NewID[berth.Version](), OrganizationID: o, TemplateID: tpl.ID, Name: "v", Archive: "00", CreatedBy: w.User.ID, CreatedAt: tx.Now}
				if err := tx.InsertTemplate(tpl); err != nil {
					return err
				}
				if err := tx.InsertVersion(v, nil); err != nil {
					return err
				}
				if err := share(tx, store.TemplateGrants(tpl.ID), o); err != nil {
					return err
				}
				b := w.Build("", berth.Import)
				b.OrganizationID, b.TemplateID, b.VersionID, b.InitiatorID = o, tpl.ID, v.ID, made.users[r.IntN(len(made.users))].ID
				if err := build(tx, b); err != nil {
					return err
				}
				made.templates = append(made.templates, tpl.ID)
				versions[o] = append(versions[o], version{tpl.ID, v.ID})
			}
		}
		return nil
	})
	for left := workspaces; left > 0; left -= 500 {
		write(func(tx *store.Tx) error {
			for range min(left, 500) {
				n := len(made.workspaces)
				o := made.organizations[r.IntN(len(made.organizations))]
				of := versions[o][r.IntN(len(versions[o]))]
				ws := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: o, ProviderID: w.Provider.ID, TemplateID: of.t,
					OwnerID: made.users[r.IntN(len(made.users))].ID, Name: fmt.Sprintf("w%d", n), CreatedAt: tx.Now, UpdatedAt: tx.Now}
				if err := tx.InsertWorkspace(ws, []byte("k")); err != nil {
					return err
				}
				b := w.Build(ws.ID, berth.Start)
				b.OrganizationID, b.TemplateID, b.VersionID = o, of.t, of.v
				if err := build(tx, b); err != nil {
					return err
				}
				if people > 100 && n%10 > 0 { // one in ten is shared
					made.workspaces = append(made.workspaces, ws.ID)
					continue
				}
				if err := share(tx, store.WorkspaceGrants(ws.ID), o); err != nil {
					return err
				}
				made.workspaces = append(made.workspaces, ws.ID)
			}
			return nil
		})
	}
	return made
}

// who is a user with all that the policy looks at.
func who(q *store.Query, u berth.User) (w authz.Who, err error) {
	w.User = u
	if w.Memberships, err = q.MembershipsOf(u.ID); err != nil {
		return w, err
	}
	w.Groups, err = q.GroupsOf(u.ID)
	return w, err
}

func whoNow(t *testing.T, db *store.DB, u berth.User) (w authz.Who, err error) {
	err = db.Read(t.Context(), func(q *store.Query) error {
		w, err = who(q, u)
		return err
	})
	return w, err
}

// Lists have what their reader may see of each thing alone, and nothing else.
func TestListsAreWhatCanSays(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		db := open(t)
		made := scatter(t, db, rand.New(rand.NewPCG(seed, 1)), 16, 30)
		seen, hidden := 0, 0
		for _, u := range made.users {
			for _, scopes := range [][]authz.Scope{{authz.ScopeAll}, {authz.ScopeRead}, {authz.ScopeWorkspace}, {"template:read"}, {}} {
				if err := db.Read(t.Context(), func(q *store.Query) error {
					w, err := who(q, u)
					if err != nil {
						return err
					}
					a := authz.User(w, scopes...)
					compare := func(what string, may, listed bool) {
						if may != listed {
							t.Errorf("%s of %s with %q: may see it %v, it is in the list %v\n%+v", what, u.Username, scopes, may, listed, w)
						}
						if may {
							seen++
						} else {
							hidden++
						}
					}
					page := store.Page{Limit: 500}
					workspaces, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: authz.See(a, authz.Read, authz.KindWorkspace)}, page)
					if err != nil {
						return err
					}
					listed := map[string]bool{}
					for _, r := range workspaces {
						listed[string(r.ID)] = true
					}
					templates, _, err := q.TemplatePage(authz.See(a, authz.Read, authz.KindTemplate), "", page)
					if err != nil {
						return err
					}
					for _, r := range templates {
						listed[string(r.ID)] = true
					}
					visible := authz.See(a, authz.Read, authz.KindWorkspace)
					builds, err := q.Builds(store.BuildFilter{Visible: &visible, Imports: authz.See(a, authz.Update, authz.KindTemplate), Limit: 500})
					if err != nil {
						return err
					}
					for _, b := range builds {
						listed[string(b.ID)] = true
					}
					for _, id := range made.workspaces {
						r, err := q.WorkspaceRow(id)
						if err != nil {
							return err
						}
						grants, err := q.WorkspaceShares(id)
						if err != nil {
							return err
						}
						may := authz.Can(a, authz.Read, authz.OfWorkspace(r.OwnerID, r.OrganizationID, grants...))
						compare("a workspace", may, listed[string(id)])
						compare("its build", may, listed[string(r.Build.ID)])
					}
					every, err := q.Builds(store.BuildFilter{Transition: berth.Import, Limit: 500})
					if err != nil {
						return err
					}
					for _, b := range every {
						grants, err := q.Grants(store.TemplateGrants(b.TemplateID))
						if err != nil {
							return err
						}
						on := authz.OfTemplate(b.OrganizationID, grants...)
						compare("a template", authz.Can(a, authz.Read, on), listed[string(b.TemplateID)])
						compare("its import", authz.Can(a, authz.Update, on), listed[string(b.ID)])
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if seen < 100 || hidden < 100 {
			t.Errorf("%d were seen and %d were not: this proves little", seen, hidden)
		}
	})
}
