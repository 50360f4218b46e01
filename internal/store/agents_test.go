package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// withAgent is a workspace with a build and an agent of it.
func withAgent(t *testing.T, db *store.DB) berth.Agent {
	t.Helper()
	w := storetest.Seed(t, db)
	ws := w.Workspace(t, db, "dev")
	a := berth.Agent{ID: berth.NewID[berth.Agent](), WorkspaceID: ws.ID, OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID,
		TokenHash: []byte("hash"), AgentSpec: berth.AgentSpec{Name: "main", Directory: "~", Env: map[string]string{"A": "b"}}}
	write(t, db, func(tx *store.Tx) error {
		b := w.Build(ws.ID, berth.Start)
		b.ID, b.Number, b.CreatedAt = berth.NewID[berth.Build](), 1, tx.Now
		a.BuildID = b.ID
		if err := tx.InsertBuild(b); err != nil {
			return err
		}
		return tx.PutAgent(a)
	})
	return a
}

func write(t *testing.T, db *store.DB, f func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, db *store.DB, id berth.AgentID) (a berth.Agent) {
	t.Helper()
	if err := db.Read(t.Context(), func(q *store.Query) (err error) {
		a, err = q.Agent(id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnAgentsLife(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		id := withAgent(t, db).ID
		if a := get(t, db, id); a.Lifecycle != berth.AgentCreated || a.Directory != "~" || a.Env["A"] != "b" || a.Status(time.Now()) != berth.AgentConnecting {
			t.Errorf("made %+v", a)
		}
		lifecycle := func(boot int64, l berth.AgentLifecycle) (ok bool) {
			t.Helper()
			write(t, db, func(tx *store.Tx) (err error) {
				ok, err = tx.AgentLifecycle(id, boot, l, tx.Now)
				return err
			})
			return ok
		}
		write(t, db, func(tx *store.Tx) error { return tx.GreetAgent(id, 7, "v1", "/home/ada") })
		if !lifecycle(7, berth.AgentStarting) || !lifecycle(7, berth.AgentReady) || lifecycle(6, berth.AgentOff) || lifecycle(8, berth.AgentOff) {
			t.Error("the wrong process was heard")
		}
		steps := func(boot int64, s ...berth.Step) (ok bool) {
			t.Helper()
			write(t, db, func(tx *store.Tx) (err error) {
				ok, err = tx.AgentSteps(id, boot, s)
				return err
			})
			return ok
		}
		began := time.Now().UTC().Truncate(time.Millisecond)
		step := berth.Step{Kind: "script", Name: "install", Status: berth.StepFailed, Detail: "failed", ExitCode: 3, StartedAt: began, EndedAt: began.Add(time.Second)}
		hostile := berth.Step{Name: strings.Repeat("n", 1<<20) + "\x00", Status: berth.StepRunning, Detail: "\xff"}
		if !steps(7, step, hostile) || steps(6) || steps(8) {
			t.Error("the steps of the wrong process were taken")
		}
		if got := get(t, db, id).Steps; len(got) != 2 || got[0] != step || len(got[1].Name) > 1000 || !got[1].EndedAt.IsZero() {
			t.Errorf("%+v", got)
		}
		write(t, db, func(tx *store.Tx) error { return tx.LinkAgent(id) })
		a := get(t, db, id)
		if a.Lifecycle != berth.AgentReady || a.ReadyAt.IsZero() || a.Directory != "/home/ada" || a.Status(time.Now()) != berth.AgentConnected {
			t.Errorf("linked %+v", a)
		}
		write(t, db, func(tx *store.Tx) error { return tx.UnlinkAgent(id) })
		write(t, db, func(tx *store.Tx) error { return tx.SeeAgents([]berth.AgentID{id, "gone"}) })
		if a := get(t, db, id); a.Status(time.Now()) != berth.AgentDisconnected {
			t.Errorf("a late sign of life brought it back: %+v", a)
		}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.GreetAgent(id, 6, "", "") }); berth.ErrorCode(err) != berth.Conflict {
			t.Errorf("a leftover greeted: %v", err)
		}
		write(t, db, func(tx *store.Tx) error { return tx.GreetAgent(id, 9, "v2", "") })
		if a := get(t, db, id); a.Lifecycle != berth.AgentCreated || !a.ReadyAt.IsZero() || a.Version != "v2" || len(a.Steps) != 0 {
			t.Errorf("a new process has %+v", a)
		}
	})
}

func TestAgentLogs(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		id := withAgent(t, db).ID
		add := func(boot, from, to int64, text string) (full bool) {
			t.Helper()
			write(t, db, func(tx *store.Tx) error {
				var lines []berth.Log
				for seq := from; seq <= to; seq++ {
					lines = append(lines, berth.Log{Seq: seq, At: tx.Now, Text: text})
				}
				var ok bool
				var err error
				full, ok, err = tx.AppendAgentLogs(id, boot, lines, 1<<20)
				if err == nil && !ok {
					err = fmt.Errorf("boot %d is not heard", boot)
				}
				return err
			})
			return full
		}
		for boot := range int64(4) {
			write(t, db, func(tx *store.Tx) error { return tx.GreetAgent(id, boot+1, "", "") })
			add(boot+1, 1, 600, "line")
			add(boot+1, 500, 700, "line") // half of it again
		}
		var lines []store.AgentLog
		if err := db.Read(t.Context(), func(q *store.Query) (err error) {
			lines, err = q.AgentLogs(id, 0, 0, 5000)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(lines) != 1400 || lines[0].Boot != 3 || lines[1399].Seq != 700 {
			t.Errorf("%d lines from %+v", len(lines), lines[0])
		}
		if !add(4, 701, 800, strings.Repeat("x", 20<<10)) {
			t.Error("a log without end")
		}
	})
}

func TestLinkRightsOfNobody(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		var got []store.LinkRight
		err := open(t).Read(t.Context(), func(q *store.Query) (err error) {
			ids := make([]berth.AgentID, 1200) // more than one query takes
			for i := range ids {
				ids[i] = berth.NewID[berth.Agent]()
			}
			got, err = q.LinkRights(ids)
			return err
		})
		if err != nil || len(got) != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}
