package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/server/servertest"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/tunnel"
)

// recorded is the newest part of the record, newest first.
func (w *world) recorded(t *testing.T) []berth.Audit { return recordedIn(t, w.db) }

func recordedIn(t *testing.T, db *store.DB) (rows []berth.Audit) {
	t.Helper()
	if err := db.Read(t.Context(), func(q *store.Query) (err error) {
		rows, _, err = q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{Limit: 500})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestEveryDeedIsRecorded makes every request that changes something and looks
// for its row: who, from where, by which token and request.
func TestEveryDeedIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	operations := map[string]found{}
	known := map[string]bool{}
	for _, d := range deeds {
		known[d.op] = true
	}
	for _, o := range documented(t, w.s) {
		operations[o.id] = o
		if o.access != "person" && o.access != "public" || o.method == http.MethodGet || known[o.id] || silent[o.id] != "" {
			continue
		}
		t.Errorf("the operation %s (%s %s) changes something, so it must leave a row in the record: write one in its transaction with tx.InsertAudit, "+
			"and add a good request to deeds in internal/httpapi/audit_rows_test.go, or to silent there why it leaves none", o.id, o.method, o.path)
	}
	var archive string
	w.read(t, func(q *store.Query) error {
		v, err := q.Version(w.template.ActiveVersionID)
		archive = v.Archive
		return err
	})
	for _, d := range deeds {
		o, ok := operations[d.op]
		if !ok {
			t.Errorf("deeds has a row for %s, which is no operation", d.op)
			continue
		}
		who := caster{user: "admin"}
		if d.as != "" {
			who.user = d.as
		}
		if d.before != nil {
			d.before(t, w, who)
		}
		values := w.values()
		for k, v := range d.with {
			values[k] = v
		}
		values["archive"] = archive
		values["hold"] = w.hold(t, values["hold"])
		before := w.recorded(t)
		if status, p := w.ask(t, o, d.row, who, values, d.body); status >= 300 {
			t.Errorf("%s was refused, so it proves nothing: %d %s %s", d.op, status, p.Field, p.Detail)
			continue
		}
		var left []string
		for _, r := range w.recorded(t) {
			if slices.ContainsFunc(before, func(b berth.Audit) bool { return b.ID == r.ID }) {
				continue
			}
			if left = append(left, r.Action+" "+r.Kind); left[len(left)-1] != d.leaves {
				continue
			}
			if r.ActorName != who.user || r.Result != berth.AuditOK || r.Address != "127.0.0.1" || r.RequestID == "" || r.TokenID == "" || r.UserAgent == "" {
				t.Errorf("the row of %s does not say who did it from where: %+v", d.op, r)
			}
			if (r.Kind == "workspace" || r.Kind == "template" || r.Kind == "group") && r.OrganizationID != w.home.ID || r.Kind == "organization" && r.OrganizationID == "" {
				t.Errorf("the row of %s does not say in which organization", d.op)
			}
			for field, c := range r.Changes {
				if c.Secret && (c.Old != nil || c.New != nil) {
					t.Errorf("the row of %s shows the secret %s", d.op, field)
				}
			}
		}
		if !slices.Contains(left, d.leaves) {
			t.Errorf("%s (%s %s) left %q in the record, and not %q: write its row in its transaction with tx.InsertAudit", d.op, o.method, o.path, left, d.leaves)
		}
	}
}

// hold is the id of a hold of the workspace, made where there is none.
func (w *world) hold(t *testing.T, none string) (id string) {
	t.Helper()
	id = none
	w.read(t, func(q *store.Query) error {
		holds, err := q.Holds(w.workspace.ID, time.Now())
		if len(holds) > 0 {
			id = string(holds[0].ID)
		}
		return err
	})
	return id
}

// What is refused leaves a row with the code of the answer and of whom it was
// about, in that organization's record; looking leaves none.
func TestRefusalsAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ops := map[string]found{}
	for _, o := range documented(t, w.s) {
		ops[o.id] = o
	}
	for _, c := range []struct {
		op, body, who, want string
	}{
		{"editWorkspace", `{"name":"mine"}`, "eve", "edit workspace ana/dev not_found"},
		{"createBuild", `{"transition":"stop"}`, "mel", "stop workspace ana/dev not_found"},
		{"createBuild", `{"transition":"delete"}`, "gus", "delete workspace ana/dev forbidden"},
		{"editWorkspace", `{"name":"-"}`, "ana", "edit workspace ana/dev invalid"},
		{"editWorkspace", `{"nam":"x"}`, "ana", "edit workspace ana/dev invalid"},
		{"pullState", ``, "ana", "state-pull workspace ana/dev forbidden"},
		{"deleteTemplate", ``, "admin", "delete template plain conflict"},
		{"createWorkspace", `{"name":"dev","template":"plain"}`, "ana", "create workspace  conflict"},
		{"putSecret", `{"value":"hunter2","env":"1 2"}`, "ana", "edit secret spare invalid"},
		{"cancelBuild", ``, "eve", "cancel build ana/dev not_found"},
		{"getWorkspace", ``, "eve", ""},
		{"editWorkspace", `{}`, "", ""}, // who is nobody is refused at the door
	} {
		before := len(w.recorded(t))
		status, p := w.ask(t, ops[c.op], row{op: c.op}, caster{user: c.who}, w.values(), c.body)
		if status < 400 {
			t.Errorf("%s by %s: %d", c.op, c.who, status)
		}
		rows := w.recorded(t)
		got := ""
		if len(rows) > before {
			r := rows[0]
			got = strings.Join([]string{r.Action, r.Kind, r.TargetName, r.Result}, " ")
			if r.ActorName != c.who || r.RequestID != p.RequestID || r.Address == "" || r.TokenID == "" {
				t.Errorf("%s by %s: %+v", c.op, c.who, r)
			}
			if strings.Contains(r.Kind, "workspace") && r.TargetID != "" && r.OrganizationID != w.home.ID {
				t.Errorf("%s by %s is not in the record of the workspace's organization", c.op, c.who)
			}
			if strings.Contains(asText(r), "hunter2") {
				t.Errorf("a value is in the record: %+v", r)
			}
		}
		if got != c.want || len(rows) > before+1 {
			t.Errorf("%s by %s (%d) left %q in %d rows, want %q", c.op, c.who, status, got, len(rows)-before, c.want)
		}
	}
}

func asText(r berth.Audit) string {
	var b strings.Builder
	for k, v := range r.Detail {
		b.WriteString(k)
		if s, ok := v.(string); ok {
			b.WriteString(s)
		}
	}
	return b.String() + r.TargetName + r.TargetID + r.Reason
}

// Who signs in is recorded, and who could not; of what they typed only a name
// that there is, since people type passwords there.
func TestSignInsAreRecorded(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.FirstUser(t)
	db := s.Store(t)
	for _, body := range []string{
		`{"username":"admin","password":"` + servertest.Password + `"}`,
		`{"username":"ADMIN","password":"wrong password"}`,
		`{"username":"correct horse battery","password":"admin"}`,
	} {
		call(t, s, "POST", "/login", body)
	}
	var got []string
	first := 0
	for _, r := range recordedIn(t, db) {
		if r.Action == "create" && r.Kind == "user" && r.TargetName == "admin" && r.Class == berth.AuditWrite {
			first++
		}
		if r.Class == berth.AuditSignIn {
			got = append(got, strings.TrimSpace(r.ActorName+" "+r.Action+" "+r.TargetName+" "+r.Result))
			if r.Address != "127.0.0.1" {
				t.Errorf("from %q", r.Address)
			}
		}
	}
	want := []string{"login  unauthenticated", "login admin unauthenticated", "admin login admin ok"}
	if !slices.Equal(got[:min(len(got), len(want))], want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
	if first != 1 {
		t.Errorf("that the first user was made has %d rows", first)
	}
}

// Somebody who is refused again and again does not fill the record.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	_, token := s.FirstUser(t)
	before := len(recordedIn(t, s.Store(t)))
	for range 100 {
		call(t, s, "DELETE", "/tokens/nosuch", "", "Authorization", "Bearer "+token)
	}
	// Two minutes may meet in the middle.
	if n := len(recordedIn(t, s.Store(t))) - before; n < 10 || n > 60 {
		t.Errorf("100 refusals left %d rows", n)
	}
}

// A stream to an agent leaves a row when it is open.
func TestConnectionsAreRecorded(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, _ := s.FirstUser(t)
	r := s.Runner(t)
	servertest.Push(t, c, "plain")
	w := servertest.Create(t, c, "plain", "dev")
	conn, err := tunnel.DialLink(t.Context(), s.URL+api.Prefix+"/agent/link", http.Header{"Authorization": {"Bearer " + r.AgentToken("admin/dev")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	echo := func(_ context.Context, s *tunnel.Stream, _ string) { io.Copy(s, s) }
	go tunnel.Serve(t.Context(), conn, tunnel.Handler{Streams: map[string]func(context.Context, *tunnel.Stream, string){"echo": echo}, Keeper: tunnel.NewKeeper()})
	db := s.Store(t)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if stream, err := c.DialStream(t.Context(), w.ID, "-", "echo"); err == nil {
			defer stream.Close()
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for _, r := range recordedIn(t, db) {
			if r.Class == berth.AuditConnection && r.Action == "connect" && r.Result == berth.AuditOK {
				if r.ActorName != "admin" || r.TargetName != "admin/dev" || r.Detail["agent"] != "main" || r.Detail["through"] != "echo" || r.Address != "127.0.0.1" || r.TokenID == "" {
					t.Errorf("the row: %+v", r)
				}
				return
			}
		}
		if time.Now().After(end) {
			t.Fatal("an open stream is not on record")
		}
	}
}
