package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

var everything = berth.Visible{All: true}

// record reads rows as "action target".
func record(t *testing.T, db *store.DB, f store.AuditFilter) (rows []string) {
	t.Helper()
	if err := db.Read(t.Context(), func(q *store.Query) error {
		page, _, err := q.AuditPage(f, store.Page{Limit: 500})
		rows = nil
		for _, r := range page {
			rows = append(rows, strings.TrimSpace(r.Action+" "+r.TargetName))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

func inserted(t *testing.T, db *store.DB, rows ...store.Audit) {
	t.Helper()
	for _, r := range rows {
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.InsertAudit(r) }); err != nil {
			t.Fatal(err)
		}
	}
}

// A row is there exactly when what it tells of is.
func TestAuditSharesItsTransaction(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		w := storetest.Seed(t, db)
		rename := func(name string, end error) error {
			return db.Write(t.Context(), func(tx *store.Tx) error {
				o := w.Organization
				o.Name = name
				if err := tx.UpdateOrganization(o); err != nil {
					return err
				}
				c := berth.Changes{}
				c.Set("name", w.Organization.Name, name)
				if err := tx.InsertAudit(store.Audit{ActorID: w.User.ID, Action: "edit", Kind: "organization", TargetID: string(o.ID), TargetName: name, Changes: c}); err != nil {
					return err
				}
				return end
			})
		}
		gone := errors.New("the disk burns")
		if err := rename("one", gone); !errors.Is(err, gone) {
			t.Fatal(err)
		}
		if got := record(t, db, store.AuditFilter{Visible: everything}); len(got) != 0 {
			t.Errorf("after a transaction that was rolled back: %v", got)
		}
		if err := rename("two", nil); err != nil {
			t.Fatal(err)
		}
		if got := record(t, db, store.AuditFilter{Visible: everything}); !slices.Equal(got, []string{"edit two"}) {
			t.Errorf("after one that was committed: %v", got)
		}
		if err := db.Read(t.Context(), func(q *store.Query) error {
			page, _, err := q.AuditPage(store.AuditFilter{Visible: everything}, store.Page{})
			if err != nil {
				return err
			}
			r := page[0]
			if r.ActorName != "ada" || r.Class != berth.AuditWrite || r.Result != berth.AuditOK || r.Changes["name"] != (berth.FieldChange{Old: "default", New: "two"}) || r.At.IsZero() {
				t.Errorf("the row: %+v", r)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// A transaction that is repeated, since another one was faster, writes its row
// once.
func TestARepeatedTransactionAuditsOnce(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		w := storetest.Seed(t, db)
		const people = 8
		done := make(chan error, people)
		for i := range people {
			go func() {
				done <- db.Write(t.Context(), func(tx *store.Tx) error {
					o, err := tx.OrganizationRef("default")
					if err != nil {
						return err
					}
					o.Description += fmt.Sprint(i)
					if err := tx.UpdateOrganization(o); err != nil {
						return err
					}
					return tx.InsertAudit(store.Audit{ActorID: w.User.ID, Action: "edit", Kind: "organization", TargetID: string(o.ID), TargetName: fmt.Sprint(i)})
				})
			}()
		}
		for range people {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		got := record(t, db, store.AuditFilter{Visible: everything})
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != people || len(got) != people {
			t.Errorf("%d edits left the rows %v", people, got)
		}
	})
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		w := storetest.Seed(t, db)
		org := w.Organization.ID
		began := time.Now()
		inserted(t, db,
			store.Audit{ActorID: w.User.ID, Action: "create", Kind: "workspace", OrganizationID: org, TargetID: "00000000-0000-7000-8000-000000000001", TargetName: "ada/Web"},
			store.Audit{Class: berth.AuditSignIn, Action: "login", Kind: "user", TargetName: "ada", Result: string(berth.Unauthenticated), AuditOrigin: berth.AuditOrigin{RequestID: "r1"}},
			store.Audit{Class: berth.AuditAutomatic, Action: "stop", Kind: "workspace", OrganizationID: "other", TargetName: "bob/a_b", Reason: "Nobody used it since 10:00."},
			store.Audit{Class: berth.AuditConnection, ActorID: w.User.ID, Action: "connect", Kind: "workspace", TargetName: "ada/web", OrganizationID: org, AuditOrigin: berth.AuditOrigin{TokenID: "t1"}},
		)
		for _, c := range []struct {
			name string
			f    store.AuditFilter
			want string
		}{
			{"all, newest first", store.AuditFilter{Visible: everything}, "connect ada/web,stop bob/a_b,login ada,create ada/Web"},
			{"oldest first", store.AuditFilter{Visible: everything, OldestFirst: true}, "create ada/Web,login ada,stop bob/a_b,connect ada/web"},
			{"nothing visible", store.AuditFilter{}, ""},
			{"of an organization's auditor", store.AuditFilter{Visible: berth.Visible{Organizations: []berth.OrganizationID{org}}}, "connect ada/web,create ada/Web"},
			{"own rows give no right", store.AuditFilter{Visible: berth.Visible{Own: w.User.ID}}, ""},
			{"of a user", store.AuditFilter{Visible: everything, Actors: []berth.UserID{w.User.ID}}, "connect ada/web,create ada/Web"},
			{"of several", store.AuditFilter{Visible: everything, Actors: []berth.UserID{w.User.ID, ""}}, "connect ada/web,stop bob/a_b,login ada,create ada/Web"},
			{"classes", store.AuditFilter{Visible: everything, Classes: []berth.AuditClass{berth.AuditSignIn, berth.AuditAutomatic}}, "stop bob/a_b,login ada"},
			{"action", store.AuditFilter{Visible: everything, Actions: []string{"stop", "create"}}, "stop bob/a_b,create ada/Web"},
			{"kind", store.AuditFilter{Visible: everything, Kinds: []string{"user"}}, "login ada"},
			{"target by name", store.AuditFilter{Visible: everything, Target: "ADA/web"}, "connect ada/web,create ada/Web"},
			{"target by id", store.AuditFilter{Visible: everything, Target: "00000000-0000-7000-8000-000000000001"}, "create ada/Web"},
			{"part of a name", store.AuditFilter{Visible: everything, Words: []string{"we"}}, "connect ada/web,create ada/Web"},
			{"part of a name is no pattern", store.AuditFilter{Visible: everything, Words: []string{"a_w"}}, ""},
			{"a name with a sign of patterns", store.AuditFilter{Visible: everything, Words: []string{"a_b"}}, "stop bob/a_b"},
			{"organization", store.AuditFilter{Visible: everything, Organization: org}, "connect ada/web,create ada/Web"},
			{"another organization than one's own", store.AuditFilter{Visible: berth.Visible{Organizations: []berth.OrganizationID{org}}, Organization: "other"}, ""},
			{"failed", store.AuditFilter{Visible: everything, Failed: true}, "login ada"},
			{"result", store.AuditFilter{Visible: everything, Results: []string{"unauthenticated"}}, "login ada"},
			{"request", store.AuditFilter{Visible: everything, RequestID: "r1"}, "login ada"},
			{"token", store.AuditFilter{Visible: everything, TokenID: "t1"}, "connect ada/web"},
			{"reason", store.AuditFilter{Visible: everything, Reason: "nobody USED"}, "stop bob/a_b"},
			{"since", store.AuditFilter{Visible: everything, Since: began.Add(time.Hour)}, ""},
			{"until", store.AuditFilter{Visible: everything, Until: began.Add(-time.Hour)}, ""},
		} {
			if got := strings.Join(record(t, db, c.f), ","); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	})
}

// Pages meet, also where many rows have one time, and both ways.
func TestAuditPagesMeet(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		for batch := range 3 {
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				for i := range 7 {
					if err := tx.InsertAudit(store.Audit{Action: fmt.Sprint(batch, i), Kind: "user"}); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, oldest := range []bool{false, true} {
			var seen []string
			if err := db.Read(t.Context(), func(q *store.Query) error {
				seen = nil
				for after := ""; ; {
					page, err := store.NewPage(after, 4)
					if err != nil {
						return err
					}
					rows, next, err := q.AuditPage(store.AuditFilter{Visible: everything, OldestFirst: oldest}, page)
					if err != nil {
						return err
					}
					for _, r := range rows {
						seen = append(seen, r.Action)
					}
					if after = next; next == "" {
						return nil
					}
				}
			}); err != nil {
				t.Fatal(err)
			}
			whole := record(t, db, store.AuditFilter{Visible: everything, OldestFirst: oldest})
			if !slices.Equal(seen, whole) || len(seen) != 21 {
				t.Errorf("oldest first %v: pages %v, whole %v", oldest, seen, whole)
			}
		}
	})
}

func TestPruneAudit(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		for i := range 5 {
			inserted(t, db, store.Audit{Action: fmt.Sprint("w", i), Kind: "user"}, store.Audit{Class: berth.AuditConnection, Action: fmt.Sprint("c", i), Kind: "user"})
		}
		for _, want := range []int64{3, 2, 0} {
			if err := db.Guarded(t.Context(), func(tx *store.Tx) error {
				n, err := tx.PruneAudit(berth.AuditConnection, tx.Now.Add(time.Hour), 3)
				if n != want {
					t.Errorf("removed %d rows, want %d", n, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if got := record(t, db, store.AuditFilter{Visible: everything, OldestFirst: true}); !slices.Equal(got, []string{"w0", "w1", "w2", "w3", "w4"}) {
			t.Errorf("left: %v", got)
		}
	})
}

// Whatever people type fits into the record.
func TestAuditTakesEveryText(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		bad := "a\x00b\xff" + strings.Repeat("x", 100_000)
		inserted(t, db, store.Audit{Action: "edit", Kind: "user", TargetID: bad, TargetName: bad, ActorName: bad, Reason: bad,
			Changes: berth.Changes{"name": {Old: bad, New: bad}}, AuditOrigin: berth.AuditOrigin{Address: bad, UserAgent: bad, RequestID: bad}})
		if err := db.Read(t.Context(), func(q *store.Query) error {
			rows, _, err := q.AuditPage(store.AuditFilter{Visible: everything}, store.Page{})
			if err == nil && len(rows[0].Changes["name"].New.(string)) > 2100 {
				t.Errorf("%d bytes of one value are kept", len(rows[0].Changes["name"].New.(string)))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// What somebody sent, an error may repeat: a row stays small all the same.
func TestAuditBoundsWhatItTells(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		long := strings.Repeat("x", 1<<20)
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			return tx.InsertAudit(store.Audit{Action: long, Kind: "user\x00", Detail: map[string]any{"error": long + "\x00"}})
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Read(t.Context(), func(q *store.Query) error {
			rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{})
			if text, _ := rows[0].Detail["error"].(string); len(text) > 4096 || len(rows[0].Action) > 4096 {
				t.Errorf("a row keeps %d and %d bytes", len(text), len(rows[0].Action))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}
