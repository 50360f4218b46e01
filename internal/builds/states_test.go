package builds_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// subject is a build in one of its states, with who holds or held it.
type subject struct {
	*house
	b berth.Build
	c builds.Call // of the last taking; of one that never was before the first
}

// conditions bring a pending build into each state that it can be in.
var conditions = []struct {
	name  string
	bring func(s *subject)
}{
	{"pending", func(s *subject) {}},
	{"held", func(s *subject) { s.take() }},
	{"judged", func(s *subject) { s.take(); s.judge() }},
	{"canceling", func(s *subject) { s.take(); s.cancel() }},
	{"canceling, judged", func(s *subject) { s.take(); s.judge(); s.cancel() }},
	{"unreachable", func(s *subject) { s.take(); s.lapse() }},
	{"put back", func(s *subject) { s.take(); s.hello("r") }},
	{"succeeded", func(s *subject) { s.take(); s.finish(builds.Report{}) }},
	{"failed", func(s *subject) { s.take(); s.finish(builds.Report{Error: "no"}) }},
	{"canceled", func(s *subject) { s.cancel() }},
	{"abandoned", func(s *subject) { s.take(); s.judge(); s.lapse(); s.abandon() }},
}

// events are everything that can be done to a build, each with its answer.
var events = []struct {
	name string
	do   func(s *subject) error
}{
	{"take", func(s *subject) error {
		job, err := s.q.Take(s.t.Context(), s.Provider.ID, "r", 0, true)
		if err == nil && job == nil {
			return fmt.Errorf("nothing")
		}
		return err
	}},
	{"beat", func(s *subject) error {
		o, err := s.q.Beat(s.t.Context(), s.c)
		if o.Cancel {
			return fmt.Errorf("cancel")
		}
		return err
	}},
	{"log", func(s *subject) error { return s.q.Logs(s.t.Context(), s.c, []berth.Log{{Seq: 1}}) }},
	{"judge", func(s *subject) error {
		v, err := s.q.Judge(s.t.Context(), s.c, berth.Plan{})
		if err == nil && !v.Allow {
			return fmt.Errorf("no, %s", v.ErrorCode)
		}
		return err
	}},
	{"state", func(s *subject) error { return s.q.State(s.t.Context(), s.c, "l", 1, []byte("s")) }},
	{"finish", func(s *subject) error { return s.q.Finish(s.t.Context(), s.c, builds.Report{}) }},
	{"finish failed", func(s *subject) error { return s.q.Finish(s.t.Context(), s.c, builds.Report{Error: "no"}) }},
	{"hello with it", func(s *subject) error {
		if yours := s.hello("r", held(s.c)); len(yours) == 0 {
			return fmt.Errorf("not yours")
		}
		return nil
	}},
	{"hello without", func(s *subject) error { s.hello("r"); return nil }},
	{"cancel", func(s *subject) error { _, err := s.q.CancelNow(s.t.Context(), s.b.ID, false, ""); return err }},
	{"cancel if pending", func(s *subject) error {
		_, err := s.q.CancelNow(s.t.Context(), s.b.ID, false, berth.BuildPending)
		return err
	}},
	{"abandon", func(s *subject) error { _, err := s.q.AbandonNow(s.t.Context(), s.b.ID, s.User.ID); return err }},
	{"enqueue another", func(s *subject) error {
		return s.db.Write(s.t.Context(), func(tx *store.Tx) error {
			_, err := s.q.Enqueue(tx, s.Build(s.b.WorkspaceID, berth.Start))
			return err
		})
	}},
}

func (s *subject) take()                  { s.c = call(s.house.take("r")) }
func (s *subject) judge()                 { _, err := s.q.Judge(s.t.Context(), s.c, berth.Plan{}); ok(s.t, err) }
func (s *subject) cancel()                { _, err := s.q.CancelNow(s.t.Context(), s.b.ID, false, ""); ok(s.t, err) }
func (s *subject) finish(r builds.Report) { ok(s.t, s.q.Finish(s.t.Context(), s.c, r)) }
func (s *subject) abandon()               { _, err := s.q.AbandonNow(s.t.Context(), s.b.ID, s.User.ID); ok(s.t, err) }

// lapse has the holder's lease end now.
func (s *subject) lapse() {
	short := builds.New(s.db, nil, s.kinds, builds.Options{Lease: time.Nanosecond})
	_, err := short.Beat(s.t.Context(), s.c)
	ok(s.t, err)
	time.Sleep(time.Millisecond)
}

func (s *subject) describe() string {
	b := s.get(s.b.ID)
	d := string(b.Status())
	if b.ErrorCode != "" {
		d += ", " + b.ErrorCode
	}
	if b.Unreachable(time.Now()) {
		d += ", unreachable"
	}
	return d
}

// Every event in every state, against the table that the doc of the package
// refers to.
func TestEveryEventInEveryState(t *testing.T) {
	golden := filepath.Join("testdata", "states.golden")
	each(t, builds.Options{}, func(t *testing.T, h *house) {
		var out strings.Builder
		fmt.Fprintf(&out, "%-18s %-18s %-14s %s\n", "state", "event", "answer", "state after")
		for _, condition := range conditions {
			for i, event := range events {
				out.WriteString(walk(h, condition.name, condition.bring, event.name, event.do, i))
			}
		}
		if *update {
			ok(t, os.MkdirAll("testdata", 0o755))
			ok(t, os.WriteFile(golden, []byte(out.String()), 0o644))
		}
		want, err := os.ReadFile(golden)
		ok(t, err)
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("run with -update if this is meant:\n%s", diff)
		}
	})
}

func walk(h *house, state string, bring func(*subject), name string, do func(*subject) error, i int) string {
	h.hello("r")
	s := &subject{house: h, b: h.enqueue(fmt.Sprintf("w%d-%s", i, strings.NewReplacer(" ", "-", ",", "").Replace(state)), berth.Start)}
	s.c = builds.Call{Provider: h.Provider.ID, Runner: "r", Build: s.b.ID, Attempt: 1}
	bring(s)
	answer := "yes"
	if err := do(s); err != nil {
		answer = err.Error()
		if code := berth.ErrorCode(err); code != berth.Internal {
			answer = string(code)
		}
	}
	line := fmt.Sprintf("%-18s %-18s %-14s %s\n", state, name, answer, s.describe())
	// The next one finds an empty queue.
	h.q.CancelNow(h.t.Context(), s.b.ID, true, "")
	h.hello("r")
	for {
		job := h.take("r")
		if job == nil {
			return line
		}
		ok(h.t, h.q.Finish(h.t.Context(), call(job), builds.Report{}))
	}
}
