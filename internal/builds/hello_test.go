package builds_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

func held(c builds.Call) builds.Held { return builds.Held{Build: c.Build, Attempt: c.Attempt} }

func TestHello(t *testing.T) {
	each(t, builds.Options{Attempts: 2}, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		calls := map[string]builds.Call{}
		for _, name := range []string{"kept", "fresh", "judged", "canceled"} {
			h.enqueue(name, berth.Start)
			calls[name] = call(h.take("r"))
		}
		for _, name := range []string{"kept", "judged"} {
			if v, err := h.q.Judge(ctx, calls[name], berth.Plan{}); err != nil || !v.Allow {
				t.Fatal(v, err)
			}
		}
		_, err := h.q.CancelNow(ctx, calls["canceled"].Build, false, "")
		ok(t, err)
		// Another runner's hello changes nothing of this one's.
		h.hello("s", held(calls["kept"]))
		foreign := builds.Held{Build: berth.NewID[berth.Build](), Attempt: 1}
		yours := h.hello("r", held(calls["kept"]), foreign, builds.Held{Build: calls["kept"].Build, Attempt: 9})
		if fmt.Sprint(yours) != fmt.Sprint([]builds.Held{held(calls["kept"])}) {
			t.Errorf("welcomed with %v", yours)
		}
		for name, want := range map[string]string{"kept": "running ", "fresh": "pending ", "judged": "failed lost", "canceled": "canceled "} {
			b := h.get(calls[name].Build)
			if got := string(b.Status()) + " " + b.ErrorCode; got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		// The one that went back may not go on in its old attempt.
		_, err = h.q.Judge(ctx, calls["fresh"], berth.Plan{})
		is(t, err, berth.Conflict)
		again := h.take("r")
		if again.Build.ID != calls["fresh"].Build || again.Build.Attempt != 2 {
			t.Fatalf("took %+v", again)
		}
		h.hello("r", held(calls["kept"])) // and lost again, for the last time
		if b := h.get(again.Build.ID); b.ErrorCode != "lost" || !strings.Contains(b.Error, "2 times") {
			t.Errorf("ended as %s %q", b.ErrorCode, b.Error)
		}
	})
}

// The lines of a second attempt do not hide behind those of the first.
func TestLogsOfAttempts(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		ok(t, h.q.Logs(ctx, call(h.take("r")), []berth.Log{{Seq: 1, Text: "first"}}))
		h.hello("r")
		ok(t, h.q.Logs(ctx, call(h.take("r")), []berth.Log{{Seq: 1, Text: "second"}}))
		lines, err := h.q.ReadLogs(ctx, b.ID, 0, 0)
		ok(t, err)
		if len(lines) != 2 || lines[1].Text != "second" {
			t.Errorf("log %+v", lines)
		}
	})
}

// The state of a taking that is over is kept, and nothing builds on it.
func TestStaleStates(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		old := call(h.take("r"))
		h.hello("r")
		c := call(h.take("r"))
		ok(t, h.q.State(ctx, c, "l", 1, []byte("new 1")))
		is(t, h.q.State(ctx, old, "l", 7, []byte("old 7")), berth.Conflict)
		is(t, h.q.State(ctx, old, "l", 7, []byte("old 7")), berth.Conflict) // again
		is(t, h.q.Finish(ctx, old, builds.Report{Lineage: "l", Serial: 8, State: []byte("old 8")}), berth.Conflict)
		never := old
		never.Attempt = 17
		is(t, h.q.State(ctx, never, "l", 9, []byte("never")), berth.Conflict)
		if got := h.state(b.WorkspaceID); got != "new 1" {
			t.Errorf("current is %q", got)
		}
		ok(t, h.q.Finish(ctx, c, builds.Report{Lineage: "l", Serial: 2, State: []byte("new 2")}))
		if got := h.state(b.WorkspaceID); got != "new 2" {
			t.Errorf("current is %q", got)
		}
		is(t, h.q.Finish(ctx, old, builds.Report{}), berth.Conflict)
		if got := h.kept(b.WorkspaceID); fmt.Sprint(got) != "[2 current 8 7]" {
			t.Errorf("kept %v", got)
		}
	})
}

// A Take that waits on, though its runner is no longer there to hear the answer,
// does not get what the runner has said since that it does not hold.
func TestATakeBeforeAHello(t *testing.T) {
	each(t, builds.Options{Poll: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		h.hello("r")
		waiting := make(chan error)
		go func() {
			_, err := h.q.Take(context.Background(), h.Provider.ID, "r", time.Minute, true)
			waiting <- err
		}()
		time.Sleep(time.Second) // it has begun to wait
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		is(t, <-waiting, berth.Conflict)
		if got := h.get(b.ID); got.Status() != berth.BuildPending || got.Attempt != 0 {
			t.Errorf("the build is %+v", got)
		}
		if h.take("r") == nil {
			t.Error("nothing to take")
		}
	})
}

// A caller that left while its job was gathered does not keep the build.
func TestACallerThatLeft(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		ctx, leave := context.WithCancel(t.Context())
		job := h.kinds.Workspace.Job
		h.with(func(k *builds.Kind) {
			k.Job = func(q *store.Query, b berth.Build) (builds.Input, error) {
				leave()
				return job(q, b)
			}
		})
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		if _, err := h.q.Take(ctx, h.Provider.ID, "r", 0, true); err == nil {
			t.Error("no error")
		}
		if got := h.get(b.ID); got.Status() != berth.BuildPending {
			t.Errorf("the build is %s", got.Status())
		}
	})
}
