package audit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/audit"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// house is a record with something in it.
type house struct {
	t  *testing.T
	db *store.DB
	w  storetest.World
	s  *audit.Service
}

func each(t *testing.T, opt audit.Options, test func(t *testing.T, h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		test(t, &house{t, db, storetest.Seed(t, db), audit.New(db, opt)})
	})
}

func (h *house) write(rows ...store.Audit) {
	h.t.Helper()
	for _, r := range rows {
		if err := h.db.Write(h.t.Context(), func(tx *store.Tx) error { return tx.InsertAudit(r) }); err != nil {
			h.t.Fatal(err)
		}
	}
}

// list is what somebody finds, as "action target".
func (h *house) list(actor authz.Actor, query string) string {
	h.t.Helper()
	rows, _, err := h.s.List(h.t.Context(), actor, query, "", 500)
	if err != nil {
		return string(berth.ErrorCode(err))
	}
	var all []string
	for _, r := range rows {
		all = append(all, strings.TrimSpace(r.Action+" "+r.TargetName))
	}
	return strings.Join(all, ",")
}

// as is the actor with roles of the site, or in an organization, by a token of a
// scope.
func (h *house) as(site berth.Role, in berth.Role, scope authz.Scope) authz.Actor {
	u := h.w.User
	if site != "" {
		u.Roles = []berth.Role{site}
	}
	m := berth.Membership{OrganizationID: h.w.Organization.ID, UserID: u.ID}
	if in != "" {
		m.Roles = []berth.Role{in}
	}
	return authz.User(authz.Who{User: u, Memberships: []berth.Membership{m}}, scope)
}

func TestWhoReadsTheAudit(t *testing.T) {
	each(t, audit.Options{}, func(t *testing.T, h *house) {
		h.write(
			store.Audit{Action: "edit", Kind: "organization", OrganizationID: h.w.Organization.ID, TargetName: "ours"},
			store.Audit{Action: "edit", Kind: "organization", OrganizationID: "another", TargetName: "theirs"},
			store.Audit{Action: "login", Kind: "user", TargetName: "ada"},
		)
		const all, ours = "login ada,edit theirs,edit ours", "edit ours"
		for _, c := range []struct {
			name  string
			actor authz.Actor
			want  string
		}{
			{"nobody", authz.Actor{}, "unauthenticated"},
			{"member", h.as("", "", authz.ScopeAll), "forbidden"},
			{"owner", h.as(berth.RoleOwner, "", authz.ScopeAll), all},
			{"auditor", h.as(berth.RoleAuditor, "", authz.ScopeAll), all},
			{"auditor with a token that reads", h.as(berth.RoleAuditor, "", authz.ScopeRead), all},
			{"auditor with a token that connects", h.as(berth.RoleAuditor, "", authz.ScopeConnect), "forbidden"},
			{"the login of an auditor's workspace", h.as(berth.RoleAuditor, "", authz.ScopeWorkspace), "forbidden"},
			{"user admin", h.as(berth.RoleUserAdmin, "", authz.ScopeAll), "forbidden"},
			{"template admin", h.as(berth.RoleTemplateAdmin, "", authz.ScopeAll), "forbidden"},
			{"auditor of an organization", h.as("", berth.RoleAuditor, authz.ScopeAll), ours},
			{"owner of an organization", h.as("", berth.RoleOwner, authz.ScopeAll), ours},
			{"user admin of an organization", h.as("", berth.RoleUserAdmin, authz.ScopeAll), "forbidden"},
		} {
			if got := h.list(c.actor, "action:edit,login"); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
			_, err := h.s.Export(t.Context(), c.actor, "")
			if code := string(berth.ErrorCode(err)); code != map[bool]string{true: c.want}[!strings.Contains(c.want, " ")] {
				t.Errorf("%s exports: %q", c.name, code)
			}
		}
	})
}

// An auditor of one organization leaves nothing in the record of another one,
// which they may name all the same.
func TestExportsStayInTheirOrganization(t *testing.T) {
	each(t, audit.Options{}, func(t *testing.T, h *house) {
		other := string(berth.NewID[berth.Organization]())
		if _, err := h.s.Export(t.Context(), h.as("", berth.RoleAuditor, authz.ScopeAll), "organization:"+other); err != nil {
			t.Fatal(err)
		}
		owner := h.as(berth.RoleOwner, "", authz.ScopeAll)
		if got := h.list(owner, "action:export organization:"+other); got != "" {
			t.Errorf("the record of another organization has %q", got)
		}
		if got := h.list(owner, "action:export"); got != "export" {
			t.Errorf("the export is recorded as %q", got)
		}
	})
}

func TestQueries(t *testing.T) {
	each(t, audit.Options{}, func(t *testing.T, h *house) {
		owner := h.as(berth.RoleOwner, "", authz.ScopeAll)
		h.write(
			store.Audit{ActorID: h.w.User.ID, Action: "start", Kind: "workspace", OrganizationID: h.w.Organization.ID, TargetName: "ada/web", Reason: "ssh_connection"},
			store.Audit{Class: berth.AuditSignIn, Action: "login", Kind: "user", TargetName: "ada", Result: string(berth.Unauthenticated)},
		)
		const start, login, both = "start ada/web", "login ada", "login ada,start ada/web"
		for query, want := range map[string]string{
			"":                                both,
			"user:ada":                        start,
			"user:ADA action:start,stop":      start,
			"user:me":                         start,
			"user:" + string(h.w.User.ID):     start,
			"user:nobody":                     "",
			"class:sign-in":                   login,
			"class:write,sign-in":             both,
			"kind:workspace":                  start,
			"target:ada/web":                  start,
			"web":                             start,
			"organization:default":            start,
			"organization:elsewhere":          "",
			"result:ok":                       start,
			"result:failed":                   login,
			"result:unauthenticated,conflict": login,
			"reason:ssh":                      start,
			"since:1h":                        both,
			"since:7d until:1h":               "",
			"since:2001-01-01":                both,
			"until:2001-01-01T10:00:00Z":      "",
			"result:great":                    "invalid",
			"result:failed,ok":                "invalid",
			"class:party":                     "invalid",
			"since:yesterday":                 "invalid",
			"since:-3h":                       "invalid",
			"until:999999d":                   "invalid",
			"colour:red":                      "invalid",
			"user:":                           "invalid",
			`reason:"`:                        "invalid",
			"organization:' OR 1=1 --":        "",
			"user:' result:ok":                "",
			strings.Repeat("x", 1001):         "invalid",
		} {
			if got := h.list(owner, query); got != want {
				t.Errorf("%q: %q, want %q", query, got, want)
			}
		}
		if _, _, err := h.s.List(t.Context(), owner, "", "nonsense", 0); !errors.Is(err, berth.Invalid) {
			t.Errorf("a made-up place in the list: %v", err)
		}
	})
}

// An export has each row once, oldest first, in several pages, and nothing that
// came after it began; that it was taken is in the next one.
func TestExport(t *testing.T) {
	each(t, audit.Options{}, func(t *testing.T, h *house) {
		const rows = 1203
		if err := h.db.Write(t.Context(), func(tx *store.Tx) error {
			for i := range rows {
				if err := tx.InsertAudit(store.Audit{Action: fmt.Sprint("do", i), Kind: "user"}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		auditor := h.as(berth.RoleAuditor, "", authz.ScopeAll)
		taken := func() (all []berth.Audit) {
			e, err := h.s.Export(t.Context(), auditor, "")
			if err != nil {
				t.Fatal(err)
			}
			h.write(store.Audit{Action: "later", Kind: "user"})
			for {
				page, err := e.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(page) > 500 {
					t.Errorf("%d rows at once", len(page))
				}
				if len(page) == 0 {
					return all
				}
				all = append(all, page...)
			}
		}
		first := taken()
		seen := map[string]bool{}
		for i, r := range first {
			seen[r.Action] = true
			if i > 0 && (r.At.Before(first[i-1].At) || r.At.Equal(first[i-1].At) && r.ID <= first[i-1].ID) {
				t.Fatalf("row %d is older than the one before it", i)
			}
		}
		if len(first) != rows || len(seen) != rows {
			t.Errorf("%d rows, %d different ones", len(first), len(seen))
		}
		if got := h.list(auditor, "action:export"); got != "export" {
			t.Errorf("the export itself: %q", got)
		}
		if second := taken(); len(second) != rows+2 || second[rows].Action != "export" || second[rows].ActorName != "ada" {
			t.Errorf("the next export has %d rows", len(second))
		}
	})
}

// What is kept for a time goes when it is over, connections by a time of their
// own; 0 keeps everything.
func TestRetention(t *testing.T) {
	for name, c := range map[string]struct {
		opt  audit.Options
		want string
	}{
		"for ever":    {audit.Options{}, "connect,edit"},
		"connections": {audit.Options{KeepConnections: time.Nanosecond}, "edit"},
		"the rest":    {audit.Options{Keep: time.Nanosecond}, "connect"},
		"long":        {audit.Options{Keep: time.Hour, KeepConnections: time.Hour}, "connect,edit"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, c.opt, func(t *testing.T, h *house) {
				h.write(store.Audit{Action: "edit", Kind: "user"}, store.Audit{Class: berth.AuditConnection, Action: "connect", Kind: "workspace"})
				if _, err := h.s.Prune(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := h.list(h.as(berth.RoleOwner, "", authz.ScopeAll), ""); got != c.want {
					t.Errorf("left: %q, want %q", got, c.want)
				}
			})
		})
	}
}
