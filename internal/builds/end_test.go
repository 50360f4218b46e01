package builds_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

func agent(name string) builds.FoundAgent {
	id := berth.NewID[berth.Agent]()
	return builds.FoundAgent{ID: id, Token: "token of " + string(id), AgentSpec: berth.AgentSpec{Name: name, Address: "coder_agent." + name}}
}

func (h *house) agents(ws berth.WorkspaceID) (names []string) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(q *store.Query) error {
		agents, err := q.Agents(ws)
		for _, a := range agents {
			names = append(names, a.Name+" "+string(a.Lifecycle))
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return names
}

// run takes the next build and finishes it.
func (h *house) run(r builds.Report) builds.Call {
	h.t.Helper()
	c := call(h.take("r"))
	if err := h.q.Finish(h.t.Context(), c, r); err != nil {
		h.t.Fatal(err)
	}
	return c
}

func TestAgentsFollowBuilds(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		a, other := agent("a"), agent("b")
		expect := func(when string, want ...string) {
			t.Helper()
			if got := h.agents(b.WorkspaceID); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		h.run(builds.Report{Agents: []builds.FoundAgent{a, other}})
		expect("after a start", "a created", "b created")
		h.write(func(tx *store.Tx) error {
			if err := tx.GreetAgent(a.ID, 5, "v1", "/home/ada"); err != nil {
				return err
			}
			_, err := tx.AgentLifecycle(a.ID, 5, berth.AgentReady, tx.Now)
			return err
		})
		h.again(b.WorkspaceID, berth.Start)
		a.Name, other.Name = "b", "a" // they change names
		h.run(builds.Report{Agents: []builds.FoundAgent{a, other}})
		expect("after another start", "a created", "b ready")
		h.again(b.WorkspaceID, berth.Stop)
		h.run(builds.Report{Error: "cannot stop"})
		expect("after a stop that failed", "a created", "b ready")
		h.again(b.WorkspaceID, berth.Start)
		h.run(builds.Report{Error: "before it changed anything"})
		expect("after a start that changed nothing", "a created", "b ready")
		h.again(b.WorkspaceID, berth.Start)
		h.run(builds.Report{Error: "half way", State: []byte("s"), Serial: 3, Lineage: "l", Agents: []builds.FoundAgent{a}})
		expect("after a start that failed half way", "b ready")
		h.again(b.WorkspaceID, berth.Stop)
		h.run(builds.Report{Agents: []builds.FoundAgent{a}})
		expect("after a stop")
	})
}

// What a runner may not report ends the build as failed, and keeps its state.
func TestWhatARunnerMayNotReport(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		h.hello("r")
		foreign := agent("main")
		b := h.enqueue("one", berth.Start)
		h.run(builds.Report{Agents: []builds.FoundAgent{foreign}})
		bare := agent("main")
		bare.ID = "rubbish"
		for name, test := range map[string]struct {
			agents []builds.FoundAgent
			want   string
		}{
			"foreign": {[]builds.FoundAgent{foreign}, "belongs to another workspace"},
			"twice":   {[]builds.FoundAgent{agent("main"), agent("Main")}, "two agents have the name"},
			"name":    {[]builds.FoundAgent{agent("a_b")}, "is not a name for an agent"},
			"no-id":   {[]builds.FoundAgent{bare}, "has no id"},
		} {
			b := h.enqueue(name, berth.Start)
			h.run(builds.Report{Agents: test.agents, State: []byte("s"), Lineage: "l", Serial: 1})
			got := h.get(b.ID)
			if got.Status() != berth.BuildFailed || got.ErrorCode != berth.FailedResult || !strings.Contains(got.Error, test.want) {
				t.Errorf("%s: %s %q", name, got.Status(), got.Error)
			}
			if h.state(b.WorkspaceID) != "s" {
				t.Errorf("%s: the state is lost", name)
			}
		}
		if got := h.agents(b.WorkspaceID); len(got) != 1 {
			t.Errorf("the first workspace has %v", got)
		}
	})
}

// The kind's Finish is part of the ending: it sees the build as it is stored,
// and what it refuses ends the build as failed.
func TestFinishOfTheKind(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		var saw []string
		h.with(func(k *builds.Kind) {
			k.Finish = func(tx *store.Tx, b berth.Build, r builds.Report) error {
				saw = append(saw, string(b.Status())+" "+r.Error)
				if r.Error == "" {
					return berth.Errorf(berth.Invalid, "no, thank you")
				}
				return tx.RenameWorkspace(b.WorkspaceID, "renamed")
			}
		})
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		h.run(builds.Report{})
		if got := h.get(b.ID); got.Error != "no, thank you" || got.ErrorCode != berth.FailedResult {
			t.Errorf("ended as %+v", got)
		}
		if want := "[succeeded  failed no, thank you]"; fmt.Sprint(saw) != want {
			t.Errorf("saw %v", saw)
		}
		// An error that says nothing of the build leaves it to its holder.
		h.with(func(k *builds.Kind) {
			k.Finish = func(*store.Tx, berth.Build, builds.Report) error { return fmt.Errorf("away") }
		})
		b = h.again(b.WorkspaceID, berth.Start)
		c := call(h.take("r"))
		if err := h.q.Finish(t.Context(), c, builds.Report{}); err == nil {
			t.Error("no error")
		}
		if got := h.get(b.ID); got.Status() != berth.BuildRunning {
			t.Errorf("is %s", got.Status())
		}
	})
}

func TestReports(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		h.hello("r")
		for name, test := range map[string]struct {
			cancel bool
			report builds.Report
			status berth.BuildStatus
			code   string
		}{
			"done":                 {false, builds.Report{}, berth.BuildSucceeded, ""},
			"done-though-canceled": {true, builds.Report{}, berth.BuildSucceeded, ""},
			"canceled":             {true, builds.Report{Canceled: true}, berth.BuildCanceled, ""},
			"canceled-by-code":     {true, builds.Report{Error: "interrupted", ErrorCode: "canceled"}, berth.BuildCanceled, ""},
			"canceled-by-itself":   {false, builds.Report{Canceled: true}, berth.BuildCanceled, ""},
			"failed":               {false, builds.Report{Error: "no"}, berth.BuildFailed, "terraform"},
			"failed-and-canceled":  {true, builds.Report{Error: "no", ErrorCode: "timeout"}, berth.BuildFailed, "timeout"},
			"refused":              {false, builds.Report{Refused: []berth.Refusal{{Address: "v.home"}}}, berth.BuildFailed, "persistence"},
			"nul":                  {false, builds.Report{Error: "a\x00b\xff"}, berth.BuildFailed, "terraform"},
		} {
			b := h.enqueue(name, berth.Start)
			c := call(h.take("r"))
			if test.cancel {
				_, err := h.q.CancelNow(t.Context(), b.ID, false, "")
				ok(t, err)
			}
			ok(t, h.q.Finish(t.Context(), c, test.report))
			if got := h.get(b.ID); got.Status() != test.status || got.ErrorCode != test.code {
				t.Errorf("%s: %s %s %q", name, got.Status(), got.ErrorCode, got.Error)
			}
		}
	})
}

func TestStates(t *testing.T) {
	each(t, builds.Options{Revisions: 3}, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		c := call(h.take("r"))
		send := func(lineage string, serial int64) {
			t.Helper()
			ok(t, h.q.State(ctx, c, lineage, serial, fmt.Appendf(nil, "%s%d", lineage, serial)))
		}
		for i := range 50 {
			send("l", int64(i+1))
		}
		send("l", 50) // again
		send("l", 7)  // late
		send("m", 99) // of something else
		if got := h.state(b.WorkspaceID); got != "l50" {
			t.Errorf("current is %q", got)
		}
		ok(t, h.q.Finish(ctx, c, builds.Report{})) // none was written at the end
		if got := h.state(b.WorkspaceID); got != "l50" {
			t.Errorf("after the end current is %q", got)
		}
		for i := range 5 {
			h.again(b.WorkspaceID, berth.Start)
			h.run(builds.Report{Lineage: "l", Serial: int64(51 + i), State: fmt.Appendf(nil, "l%d", 51+i)})
		}
		var revisions []berth.StateRevision
		ok(t, h.db.Read(ctx, func(q *store.Query) (err error) {
			revisions, err = q.States(b.WorkspaceID)
			return err
		}))
		var got []string
		for _, r := range revisions {
			got = append(got, fmt.Sprintf("%s%d %v", r.Lineage, r.Serial, r.Current))
		}
		if want := "[l55 true l54 false l53 false]"; fmt.Sprint(got) != want {
			t.Errorf("kept %v", got)
		}
		ok(t, h.db.Read(ctx, func(q *store.Query) error {
			old, err := h.q.RevisionState(q, b.WorkspaceID, revisions[2].ID)
			if string(old) != "l53" {
				t.Errorf("an old revision is %q", old)
			}
			return err
		}))
		// Another lineage is kept aside: nobody knows what it describes.
		h.again(b.WorkspaceID, berth.Start)
		h.run(builds.Report{Lineage: "x", Serial: 1000, State: []byte("x1000")})
		if got := h.state(b.WorkspaceID); got != "l55" {
			t.Errorf("a foreign lineage took over: %q", got)
		}
		// An orphan delete begins from nothing and leaves the state as it was.
		d := h.Build(b.WorkspaceID, berth.Delete)
		d.Orphan = true
		h.write(func(tx *store.Tx) error { _, err := h.q.Enqueue(tx, d); return err })
		job := h.take("r")
		if job.State != nil {
			t.Errorf("an orphan delete starts from %q", job.State)
		}
		ok(t, h.q.Finish(ctx, call(job), builds.Report{Lineage: "y", Serial: 1, State: []byte("y1")}))
		if got := h.state(b.WorkspaceID); got != "l55" {
			t.Errorf("after an orphan delete: %q", got)
		}
	})
}

func TestPushState(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		push := func(text string) error {
			return h.db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := h.q.PushState(tx, b.WorkspaceID, h.User.ID, []byte(text))
				return err
			})
		}
		is(t, push(`{"version":4,"lineage":"l","serial":1}`), berth.Conflict) // a build is active
		h.run(builds.Report{Lineage: "l", Serial: 5, State: []byte(`{}`)})
		is(t, push(`rubbish`), berth.Invalid)
		is(t, push(`{"version":3,"lineage":"l","serial":6}`), berth.Invalid)
		is(t, push(`{"version":4,"lineage":"m","serial":6}`), berth.Conflict)
		is(t, push(`{"version":4,"lineage":"l","serial":5}`), berth.Conflict)
		ok(t, push(`{"version":4,"lineage":"l","serial":6}`))
		if got := h.state(b.WorkspaceID); got != `{"version":4,"lineage":"l","serial":6}` {
			t.Errorf("current is %q", got)
		}
	})
}

func TestLogsAreBounded(t *testing.T) {
	each(t, builds.Options{LogBytes: 1 << 20}, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		c := call(h.take("r"))
		line := strings.Repeat("x", 10<<10)
		for i := range 30 {
			var batch []berth.Log
			for j := range 10 {
				batch = append(batch, berth.Log{Seq: int64(i*10 + j + 1), Text: line})
			}
			ok(t, h.q.Logs(ctx, c, batch))
		}
		lines, err := h.q.ReadLogs(ctx, b.ID, 0, 0)
		ok(t, err)
		if n := len(lines); n < 90 || n > 110 || lines[n-1].Text != "the log has reached 1 MiB: what follows is not kept" {
			t.Errorf("%d lines, the last is %.100q", n, lines[n-1].Text)
		}
		is(t, h.q.Logs(ctx, c, []berth.Log{{Seq: 0}}), berth.Invalid)
		is(t, h.q.Logs(ctx, c, []berth.Log{{Seq: 1 << 40}}), berth.Invalid)
		rest, err := h.q.ReadLogs(ctx, b.ID, lines[4].Seq, 3)
		if err != nil || len(rest) != 3 || rest[0].Seq != 6 {
			t.Errorf("behind 5: %d lines, %v", len(rest), err)
		}
	})
}
