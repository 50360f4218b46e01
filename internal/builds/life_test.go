package builds_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

func TestAWholeLife(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		ctx := t.Context()
		b := h.enqueue("one", berth.Start)
		if b.Number != 1 || b.Class != berth.ClassPerson || b.Status() != berth.BuildPending {
			t.Errorf("enqueued %+v", b)
		}
		_, err := h.q.Take(ctx, h.Provider.ID, "r", 0, true)
		is(t, err, berth.Conflict) // has not said hello
		h.hello("r")
		job := h.take("r")
		if job == nil || job.Build.ID != b.ID || job.Build.Attempt != 1 || job.Env["A"] != "b" || job.State != nil {
			t.Fatalf("took %+v", job)
		}
		if h.take("r") != nil {
			t.Fatal("took it twice")
		}
		c := call(job)
		ok(t, h.q.Logs(ctx, c, []berth.Log{{Seq: 1, Text: "one"}, {Seq: 2, Text: "two \x00\xff"}}))
		ok(t, h.q.Logs(ctx, c, []berth.Log{{Seq: 2, Text: "two again"}, {Seq: 3, Text: "three"}}))
		v, err := h.q.Judge(ctx, c, berth.Plan{})
		if err != nil || !v.Allow {
			t.Fatalf("verdict %+v, %v", v, err)
		}
		ok(t, h.q.State(ctx, c, "l", 1, []byte("state 1")))
		report := builds.Report{Lineage: "l", Serial: 2, State: []byte("state 2"), Resources: []berth.Resource{{Address: "a.b"}},
			Agents: []builds.FoundAgent{{ID: berth.NewID[berth.Agent](), Token: "t", AgentSpec: berth.AgentSpec{Name: "main"}}}}
		ok(t, h.q.Finish(ctx, c, report))
		ok(t, h.q.Finish(ctx, c, report)) // the first answer was lost
		if got := h.get(b.ID); got.Status() != berth.BuildSucceeded || !got.LeaseAt.IsZero() {
			t.Errorf("ended as %+v", got)
		}
		if got := h.state(b.WorkspaceID); got != "state 2" {
			t.Errorf("state %q", got)
		}
		lines, err := h.q.ReadLogs(ctx, b.ID, 0, 0)
		ok(t, err)
		var texts []string
		for _, l := range lines {
			texts = append(texts, l.Text)
		}
		if want := []string{"one", "two \uFFFD\uFFFD", "three"}; !slices.Equal(texts, want) {
			t.Errorf("log %q", texts)
		}
		next := h.again(b.WorkspaceID, berth.Stop)
		if next.Number != 2 {
			t.Errorf("number %d", next.Number)
		}
		if job := h.take("r"); string(job.State) != "state 2" {
			t.Errorf("the next build starts from %q", job.State)
		}
	})
}

func TestOneActiveBuildOfAWorkspace(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		b := h.enqueue("one", berth.Start)
		err := h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := h.q.Enqueue(tx, h.Build(b.WorkspaceID, berth.Stop))
			return err
		})
		is(t, err, berth.Conflict)
		if !strings.Contains(err.Error(), "build 1 of this workspace (start) is pending") {
			t.Errorf("says %v", err)
		}
	})
}

// Many who enqueue for one workspace at once: one wins.
func TestEnqueueAtOnce(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		ws := h.Workspace(t, h.db, "one")
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				errs[i] = h.db.Write(context.Background(), func(tx *store.Tx) error {
					_, err := h.q.Enqueue(tx, h.Build(ws.ID, berth.Start))
					return err
				})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				is(t, err, berth.Conflict)
			}
		}
		if won != 1 {
			t.Errorf("%d were enqueued", won)
		}
	})
}

// Many runners that take at once get every build once.
func TestTakeAtOnce(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		const jobs, runners = 40, 8
		for i := range jobs {
			h.enqueue(fmt.Sprintf("w%d", i), berth.Start)
		}
		var mu sync.Mutex
		taken := map[berth.BuildID]int{}
		var wg sync.WaitGroup
		for r := range runners {
			runner := fmt.Sprintf("r%d", r)
			h.hello(runner)
			wg.Go(func() {
				for {
					job, err := h.q.Take(context.Background(), h.Provider.ID, runner, 0, true)
					if err != nil {
						t.Error(err)
					}
					if job == nil {
						return
					}
					mu.Lock()
					taken[job.Build.ID]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(taken) != jobs {
			t.Errorf("%d of %d were taken", len(taken), jobs)
		}
		for id, n := range taken {
			if n != 1 {
				t.Errorf("%s was taken %d times", id, n)
			}
		}
	})
}

func TestClassesInOrder(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		var want []berth.BuildID
		reasons := []berth.Reason{berth.ReasonPrebuild, berth.ReasonAutostart, berth.ReasonInitiator, berth.ReasonClaim}
		for i, reason := range reasons {
			ws := h.Workspace(t, h.db, fmt.Sprintf("w%d", i))
			b := h.Build(ws.ID, berth.Start)
			b.Reason = reason
			h.write(func(tx *store.Tx) (err error) {
				b, err = h.q.Enqueue(tx, b)
				return err
			})
			want = append([]berth.BuildID{b.ID}, want...)
		}
		for i, id := range want[:3] {
			if job := h.take("r"); job.Build.ID != id {
				t.Errorf("place %d: class %d", i, job.Build.Class)
			}
		}
		job, err := h.q.Take(ctx, h.Provider.ID, "r", 0, false)
		if job != nil || err != nil {
			t.Errorf("without refills: %+v, %v", job, err)
		}
		if job := h.take("r"); job == nil || job.Build.ID != want[3] {
			t.Errorf("with refills: %+v", job)
		}
	})
}

// A provider's runners see its builds alone.
func TestProvidersAreApart(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		ctx := t.Context()
		other := berth.Provider{ID: berth.NewID[berth.Provider](), Name: "other", CreatedAt: h.Provider.CreatedAt}
		h.write(func(tx *store.Tx) error { return tx.InsertProvider(other, []byte("hash")) })
		h.enqueue("one", berth.Start)
		h.hello("r")
		_, err := h.q.Hello(ctx, other.ID, builds.Hello{Runner: "r"})
		is(t, err, berth.Forbidden) // the id belongs to a runner of the first
		_, err = h.q.Hello(ctx, other.ID, builds.Hello{Runner: "s"})
		ok(t, err)
		if job, err := h.q.Take(ctx, other.ID, "s", 0, true); job != nil || err != nil {
			t.Errorf("took another's build: %+v, %v", job, err)
		}
		c := call(h.take("r"))
		c.Provider = other.ID
		_, err = h.q.Beat(ctx, c)
		is(t, err, berth.Conflict)
		is(t, h.q.Finish(ctx, c, builds.Report{}), berth.NotFound)
		is(t, h.q.State(ctx, c, "l", 1, []byte("x")), berth.NotFound)
		_, err = h.q.Judge(ctx, c, berth.Plan{})
		is(t, err, berth.NotFound)
	})
}

// A build that can never be run ends with the reason, and the next is taken.
func TestABuildWithoutAJob(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		bad, good := h.enqueue("bad", berth.Start), h.enqueue("good", berth.Start)
		job := h.kinds.Workspace.Job
		h.with(func(k *builds.Kind) {
			k.Job = func(q *store.Query, b berth.Build) (builds.Input, error) {
				if b.ID == bad.ID {
					return builds.Input{}, berth.Errorf(berth.Invalid, "its version is gone: choose another one")
				}
				return job(q, b)
			}
		})
		h.hello("r")
		if got := h.take("r"); got.Build.ID != good.ID {
			t.Errorf("took %s", got.Build.ID)
		}
		if b := h.get(bad.ID); b.Status() != berth.BuildFailed || b.Error != "its version is gone: choose another one" || b.ErrorCode != berth.FailedInput {
			t.Errorf("ended as %+v", b)
		}
	})
}

// A build whose job cannot be made just now goes back.
func TestAJobThatCannotBeMadeNow(t *testing.T) {
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		b := h.enqueue("one", berth.Start)
		job := h.kinds.Workspace.Job
		h.with(func(k *builds.Kind) {
			k.Job = func(*store.Query, berth.Build) (builds.Input, error) { return builds.Input{}, fmt.Errorf("no key") }
		})
		h.hello("r")
		if _, err := h.q.Take(t.Context(), h.Provider.ID, "r", 0, true); err == nil {
			t.Error("no error")
		}
		if got := h.get(b.ID); got.Status() != berth.BuildPending {
			t.Errorf("is %s", got.Status())
		}
		h.with(func(k *builds.Kind) { k.Job = job })
		if got := h.take("r"); got == nil || got.Build.Attempt != 2 {
			t.Errorf("took %+v", got)
		}
	})
}
