package store_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// scans finds what an engine says of reading a whole table that grows.
var scans = map[string]*regexp.Regexp{
	"sqlite":   regexp.MustCompile(`SCAN (b|w|a|m|x|n|d|builds|notices|deliveries|favorites|grants|organization_members|group_members|workspaces|agents|build_logs|agent_logs|state_revisions|audit|tokens)$`),
	"postgres": regexp.MustCompile(`Seq Scan on (builds|notices|deliveries|favorites|grants|organization_members|group_members|workspaces|agents|build_logs|agent_logs|state_revisions|audit|tokens)`),
}

// sorts finds what an engine says of putting all rows in order by itself.
var sorts = map[string]*regexp.Regexp{
	"sqlite":   regexp.MustCompile(`USE TEMP B-TREE FOR ORDER BY`),
	"postgres": regexp.MustCompile(`Sort Key`),
}

// Every list, and everything that is asked often, finds its rows by an index;
// pages without a filter come in the order of one.
func TestListsUseAnIndex(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		w := storetest.Seed(t, db)
		ws := fill(t, db, w)
		b := berth.Build{ProviderID: w.Provider.ID, Class: berth.ClassPerson, CreatedAt: time.Now(), ID: "x"}
		page := store.Page{Limit: 10}
		me, err := whoNow(t, db, w.User)
		if err != nil {
			t.Fatal(err)
		}
		a := authz.User(me, authz.ScopeAll)
		member := authz.See(a, authz.Read, authz.KindWorkspace)
		a.Memberships[0].Roles = []berth.Role{berth.RoleOwner}
		owner := authz.See(a, authz.Read, authz.KindWorkspace)
		next := store.Page{Limit: 10, After: store.Cursor{At: time.Now(), ID: "x"}}
		audit := func(f store.AuditFilter, p store.Page) func(q *store.Query) error {
			return func(q *store.Query) error {
				f.Visible = berth.Visible{All: true}
				_, _, err := q.AuditPage(f, p)
				return err
			}
		}
		for _, c := range []struct {
			name   string
			sorted bool
			ask    func(q *store.Query) error
		}{
			{"workspaces", true, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}}, page)
				return err
			}},
			{"workspaces, next page", true, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}}, next)
				return err
			}},
			{"workspaces of an owner", true, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{Own: w.User.ID}}, page)
				return err
			}},
			{"workspaces of a member", true, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: member}, page)
				return err
			}},
			{"workspaces of an organization's owner", true, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: owner}, page)
				return err
			}},
			{"builds of a member", true, func(q *store.Query) error {
				_, err := q.Builds(store.BuildFilter{Visible: &member, Imports: berth.Visible{}})
				return err
			}},
			{"templates of a member", false, func(q *store.Query) error {
				_, _, err := q.TemplatePage(berth.Visible{Grantees: member.Grantees, Roles: member.Roles, In: member.In}, "", page)
				return err
			}},
			{"who somebody is", false, func(q *store.Query) error { _, err := who(q, w.User); return err }},
			{"shares of a workspace", false, func(q *store.Query) error { _, err := q.WorkspaceShares(ws); return err }},
			{"shares of a template", false, func(q *store.Query) error { _, err := q.Grants(store.TemplateGrants(w.Template.ID)); return err }},
			{"running workspaces", false, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}, Status: []berth.Status{berth.StatusRunning}}, page)
				return err
			}},
			{"dormant workspaces", false, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}, Dormant: new(true)}, page)
				return err
			}},
			{"favorites among workspaces", false, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{Own: w.User.ID}, Favorite: new(true), Viewer: w.User.ID}, page)
				return err
			}},
			{"all but favorites", true, func(q *store.Query) error {
				_, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}, Favorite: new(false), Viewer: w.User.ID}, page)
				return err
			}},
			{"which are favorites", false, func(q *store.Query) error {
				_, err := q.Favorites(w.User.ID, []berth.WorkspaceID{ws, "x"})
				return err
			}},
			{"builds", true, func(q *store.Query) error { _, err := q.Builds(store.BuildFilter{}); return err }},
			{"builds, next page", true, func(q *store.Query) error { _, err := q.Builds(store.BuildFilter{Before: next.After}); return err }},
			{"builds of a workspace", false, func(q *store.Query) error { _, err := q.Builds(store.BuildFilter{Workspace: ws}); return err }},
			{"builds of a template", true, func(q *store.Query) error { _, err := q.Builds(store.BuildFilter{Template: w.Template.ID}); return err }},
			{"builds with names", false, func(q *store.Query) error { _, _, err := q.BuildPage(store.BuildFilter{}, page); return err }},
			{"templates", false, func(q *store.Query) error {
				_, _, err := q.TemplatePage(berth.Visible{All: true}, "", page)
				return err
			}},
			{"versions", false, func(q *store.Query) error { _, _, err := q.VersionPage(w.Template.ID, false, page); return err }},
			{"uses of a version", false, func(q *store.Query) error { _, err := q.VersionUses(w.Version.ID, 4); return err }},
			{"unused versions", false, func(q *store.Query) error { _, err := q.UnusedVersions(w.Template.ID, true); return err }},
			{"workspaces of a template", false, func(q *store.Query) error { _, err := q.WorkspaceCountFrom(w.Template.ID, ""); return err }},
			{"workspaces of a user from a template", false, func(q *store.Query) error { _, err := q.WorkspaceCountFrom(w.Template.ID, w.User.ID); return err }},
			{"audit", true, audit(store.AuditFilter{}, page)},
			{"audit, next page", true, audit(store.AuditFilter{}, next)},
			{"audit, oldest first", true, audit(store.AuditFilter{OldestFirst: true}, next)},
			{"audit of a user", true, audit(store.AuditFilter{Actors: []berth.UserID{w.User.ID}}, page)},
			{"audit of a class", true, audit(store.AuditFilter{Classes: []berth.AuditClass{berth.AuditSignIn}}, page)},
			{"audit of a target", false, audit(store.AuditFilter{Target: string(ws)}, page)},
			{"audit of a name", false, audit(store.AuditFilter{Target: "ada/w1"}, page)},
			{"audit of an organization", true, audit(store.AuditFilter{Organization: w.Organization.ID}, page)},
			{"audit of a request", true, audit(store.AuditFilter{RequestID: "r"}, page)},
			{"audit of a token", true, audit(store.AuditFilter{TokenID: "t"}, page)},
			{"audit since", true, audit(store.AuditFilter{Since: time.Now()}, page)},
			{"due workspaces", true, func(q *store.Query) error { _, err := q.Due(time.Now(), store.Due{}, 10); return err }},
			{"due workspaces, on", true, func(q *store.Query) error {
				_, err := q.Due(time.Now(), store.Due{ID: ws, Look: time.Now()}, 10)
				return err
			}},
			{"lives of workspaces", false, func(q *store.Query) error { _, err := q.Lives([]berth.WorkspaceID{ws, "x"}); return err }},
			{"runs of workspaces", false, func(q *store.Query) error { _, err := store.Runs(q, []berth.WorkspaceID{ws, "x"}); return err }},
			{"evidence of workspaces", false, func(q *store.Query) error { _, err := q.ActivityOf([]berth.WorkspaceID{ws, "x"}); return err }},
			{"holds of workspaces", false, func(q *store.Query) error { _, err := q.HoldsOf([]berth.WorkspaceID{ws, "x"}, time.Now()); return err }},
			{"waiting", false, func(q *store.Query) error { _, err := q.Waiting(w.Provider.ID, berth.ClassScheduled); return err }},
			{"acts", true, func(q *store.Query) error { _, err := q.Acts(ws, 10); return err }},
			{"all workspaces of an owner", false, func(q *store.Query) error { _, err := q.OwnedWorkspaces(w.User.ID); return err }},
			{"users", true, func(q *store.Query) error {
				_, _, err := q.UserPage(store.UserFilter{Visible: berth.Visible{All: true}}, page)
				return err
			}},
			{"uses of tokens", false, func(q *store.Query) error { _, err := q.TokenUses(w.User.ID, "", 10); return err }},
			{"build log", true, func(q *store.Query) error { _, err := q.BuildLogs("b", 5, 10); return err }},
			{"agent log", true, func(q *store.Query) error { _, err := q.AgentLogs("a", 5, 5, 10); return err }},
			{"agents", false, func(q *store.Query) error { _, err := q.Agents(ws); return err }},
			{"agents of workspaces", false, func(q *store.Query) error { _, err := q.AgentsOf([]berth.WorkspaceID{ws, "x"}); return err }},
			{"agent by token", false, func(q *store.Query) error { _, err := q.AgentByToken([]byte("x")); return ignoreNotFound(err) }},
			{"states", true, func(q *store.Query) error { _, err := q.States(ws); return err }},
			{"current state", false, func(q *store.Query) error { _, _, err := q.CurrentState(ws); return ignoreNotFound(err) }},
			{"active build", false, func(q *store.Query) error { _, err := q.ActiveBuild(ws); return ignoreNotFound(err) }},
			{"newest build", true, func(q *store.Query) error { _, err := q.NewestBuild(ws); return ignoreNotFound(err) }},
			{"newest build with an effect", true, func(q *store.Query) error { _, err := q.LastEffect(ws, 3); return ignoreNotFound(err) }},
			{"what somebody asked for last", true, func(q *store.Query) error {
				_, err := q.LastAsked(w.User.ID, w.Template.ID)
				return ignoreNotFound(err)
			}},
			{"held builds", false, func(q *store.Query) error { _, err := q.HeldBy(w.Provider.ID, "r"); return err }},
			{"holding", false, func(q *store.Query) error { _, _, err := q.Holding(w.Provider.ID, berth.ClassRefill); return err }},
			{"pending", false, func(q *store.Query) error { _, err := q.Pending(b); return err }},
			{"what a user spends", false, func(q *store.Query) error { _, err := q.Spent(w.Organization.ID, w.User.ID, ws); return err }},
			{"costs of a user", false, func(q *store.Query) error { _, err := q.Costs(w.Organization.ID, w.User.ID, 10); return err }},
			{"workspaces of an organization", false, func(q *store.Query) error { _, err := q.WorkspaceCount(w.Organization.ID); return err }},
			{"workspaces of a user", false, func(q *store.Query) error { _, err := q.WorkspaceCountOf(w.Organization.ID, w.User.ID); return err }},
			{"running workspaces of an organization", false, func(q *store.Query) error { _, err := q.RunningCount(w.Organization.ID, ws); return err }},
			{"running workspaces of a user", false, func(q *store.Query) error {
				_, err := q.RunningOf(w.Organization.ID, w.User.ID, ws)
				return err
			}},
			{"inbox", true, func(q *store.Query) error { _, _, err := q.NoticePage(w.User.ID, false, next); return err }},
			{"unread", false, func(q *store.Query) error { _, err := q.UnreadNotices(w.User.ID); return err }},
			{"what is being sent", false, func(q *store.Query) error { _, err := q.TakenDeliveries(berth.WayEmail, "x"); return err }},
			{"what is to be sent", false, func(q *store.Query) error { _, err := q.PendingDeliveries(); return err }},
			{"what could not be sent", true, func(q *store.Query) error { _, _, err := q.TroubledDeliveries(next); return err }},
			{"runners", true, func(q *store.Query) error { _, err := q.Runners(w.Provider.ID, time.Now()); return err }},
		} {
			for _, line := range plan(t, db, c.ask) {
				if scans[db.Engine()].MatchString(line) {
					t.Errorf("%s reads a whole table: %s", c.name, line)
				}
				if c.sorted && sorts[db.Engine()].MatchString(line) {
					t.Errorf("%s is sorted by hand: %s", c.name, line)
				}
			}
		}
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			var query string
			var args []any
			store.Trace(db, func(q string, a []any) { query, args = q, a })
			_, err := tx.PruneAudit(berth.AuditWrite, time.Unix(1, 0), 10)
			store.Trace(db, nil)
			for _, line := range store.Explain(t.Context(), &tx.Query, query, args) {
				if scans[db.Engine()].MatchString(line) {
					t.Errorf("pruning the audit reads the whole table: %s", line)
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		plans := plan(t, db, func(q *store.Query) error { return nil })
		if len(plans) > 0 {
			t.Errorf("a plan of nothing: %v", plans)
		}
	})
}

func ignoreNotFound(err error) error {
	if berth.ErrorCode(err) == berth.NotFound {
		return nil
	}
	return err
}

// plan is what the engine means to do for the queries of ask.
func plan(t *testing.T, db *store.DB, ask func(q *store.Query) error) (lines []string) {
	t.Helper()
	explained := 0
	if err := db.Read(t.Context(), func(q *store.Query) error {
		type asked struct {
			query string
			args  []any
		}
		var queries []asked
		store.Trace(db, func(query string, args []any) { queries = append(queries, asked{query, args}) })
		err := ask(q)
		store.Trace(db, nil)
		for _, a := range queries {
			explained++
			lines = append(lines, store.Explain(t.Context(), q, a.query, a.args)...)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(lines) < explained {
		t.Fatalf("%d queries and the plan %v", explained, lines)
	}
	return lines
}

// fill makes the tables large enough that an index is worth it.
func fill(t *testing.T, db *store.DB, w storetest.World) (last berth.WorkspaceID) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range 300 {
			ws := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID,
				OwnerID: w.User.ID, TemplateID: w.Template.ID, Name: fmt.Sprintf("w%d", i), CreatedAt: tx.Now, UpdatedAt: tx.Now}
			if err := tx.InsertWorkspace(ws, []byte("k")); err != nil {
				return err
			}
			last = ws.ID
			if err := tx.AddFavorite(w.User.ID, ws.ID); err != nil {
				return err
			}
			for n := range 3 {
				b := w.Build(ws.ID, berth.Start)
				b.ID, b.Number, b.CreatedAt = berth.NewID[berth.Build](), n+1, tx.Now
				if err := tx.InsertBuild(b); err != nil {
					return err
				}
				if err := tx.EndBuild(b.ID, 0, store.Ended{}); err != nil {
					return err
				}
			}
		}
		for i := range 2000 {
			if err := tx.InsertAudit(store.Audit{ActorID: w.User.ID, Action: "edit", Kind: "workspace", TargetID: fmt.Sprint(i % 300), TargetName: fmt.Sprintf("ada/w%d", i%300)}); err != nil {
				return err
			}
		}
		if db.Engine() == "sqlite" {
			return nil // nobody runs it there
		}
		return store.Exec(&tx.Query, `ANALYZE`)
	}); err != nil {
		t.Fatal(err)
	}
	return last
}
