package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/audit"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// port is a house with a workspace that people connect to.
func port(t *testing.T, test func(t *testing.T, h *house, c *audit.Connections, n audit.Connection)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		h := &house{t, db, storetest.Seed(t, db), audit.New(db, audit.Options{})}
		ws := h.w.Workspace(t, db, "web")
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			b := h.w.Build(ws.ID, berth.Start)
			b.ID, b.Number, b.CreatedAt = berth.NewID[berth.Build](), 1, tx.Now
			return tx.InsertBuild(b)
		}); err != nil {
			t.Fatal(err)
		}
		test(t, h, h.s.Connections(), audit.Connection{Actor: h.w.User.ID, Workspace: ws.ID, Agent: "main", Through: "ssh", Stream: "s1"})
	})
}

// connections are the rows in order: action, what it goes through, how long it
// took and why it ended.
func (h *house) connections() string {
	h.t.Helper()
	var all []string
	if err := h.db.Read(h.t.Context(), func(q *store.Query) error {
		rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}, Classes: []berth.AuditClass{berth.AuditConnection}, OldestFirst: true}, store.Page{Limit: 500})
		all = nil
		for _, r := range rows {
			text := fmt.Sprint(r.Action, " ", r.Detail["through"])
			if s, ok := r.Detail["seconds"]; ok {
				text += fmt.Sprint(" ", s, "s")
			}
			if r.Reason != "" {
				text += " " + r.Reason
			}
			if r.ActorName != "ada" || r.TargetName != "ada/web" || r.OrganizationID != h.w.Organization.ID || r.Address != "192.0.2.1" || r.TokenID != "t" {
				h.t.Errorf("the row does not say who connects to what from where: %+v", r)
			}
			all = append(all, text)
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

func from(t *testing.T) context.Context {
	return audit.WithOrigin(t.Context(), berth.AuditOrigin{Address: "192.0.2.1", TokenID: "t"})
}

func TestConnectionsHaveABeginAndAnEnd(t *testing.T) {
	port(t, func(t *testing.T, h *house, c *audit.Connections, n audit.Connection) {
		end := c.Open(from(t), n)
		time.Sleep(time.Second)
		if got := h.connections(); got != "connect ssh" {
			t.Errorf("while it is open: %s", got)
		}
		time.Sleep(time.Hour - time.Second)
		end("Your login has ended.")
		end("twice")
		time.Sleep(2 * time.Minute)
		if got := h.connections(); got != "connect ssh, disconnect ssh 3600s Your login has ended." {
			t.Errorf("after it: %s", got)
		}
		c.Close()
	})
}

// A stream that resumes is one connection, and so is all that a browser opens to
// a port; another login's is another.
func TestConnectionsThatComeBackAreOne(t *testing.T) {
	port(t, func(t *testing.T, h *house, c *audit.Connections, n audit.Connection) {
		end := c.Open(from(t), n)
		time.Sleep(10 * time.Second)
		end("")
		time.Sleep(30 * time.Second)
		end = c.Open(from(t), n)
		time.Sleep(20 * time.Second)
		end("")
		time.Sleep(2 * time.Minute)
		if got := h.connections(); got != "connect ssh, disconnect ssh 60s" {
			t.Errorf("a stream that resumed: %s", got)
		}
		n.Through, n.Stream = "port 8080", ""
		var ends []func(string)
		for range 50 {
			ends = append(ends, c.Open(from(t), n))
		}
		time.Sleep(5 * time.Second)
		for _, end := range ends {
			end("")
		}
		c.Note(from(t), audit.Connection{Actor: n.Actor, Workspace: n.Workspace, Through: "app Editor"})
		time.Sleep(2 * time.Minute)
		if got := h.connections(); got != "connect ssh, disconnect ssh 60s, connect port 8080, connect app Editor, disconnect port 8080 5s" {
			t.Errorf("a port: %s", got)
		}
		c.Close()
	})
}

// A server that stops writes the ends of what is open.
func TestConnectionsEndWithTheServer(t *testing.T) {
	port(t, func(t *testing.T, h *house, c *audit.Connections, n audit.Connection) {
		end := c.Open(from(t), n)
		time.Sleep(7 * time.Second)
		c.Close()
		if got := h.connections(); got != "connect ssh, disconnect ssh 7s The server stopped." {
			t.Errorf("after the server stopped: %s", got)
		}
		end("late")
		if got := h.connections(); strings.Contains(got, "late") {
			t.Errorf("an end behind that: %s", got)
		}
	})
}
