package builds_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

// Every step is a transaction on a disk, so fewer runs than usual; a soak gives
// the flag.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		f.Value.Set("20")
	}
	os.Exit(m.Run())
}

// modelBuild is what a build ought to be.
type modelBuild struct {
	id       berth.BuildID
	ws       int
	class    berth.Class
	attempt  int
	runner   string // who holds it; empty: pending, or ended
	judged   bool
	canceled bool
	ended    berth.BuildStatus // empty while active
}

func (m *modelBuild) status() berth.BuildStatus {
	switch {
	case m.ended != "":
		return m.ended
	case m.canceled:
		return berth.BuildCanceling
	case m.runner != "":
		return berth.BuildRunning
	}
	return berth.BuildPending
}

// model is a queue without a database, and the queue that is compared with it.
type model struct {
	*house
	wss     []berth.WorkspaceID
	serials []int64 // of the current states
	builds  []*modelBuild
	calls   []builds.Call // that were ever valid
	finals  map[builds.Call]bool
}

const (
	modelWorkspaces = 4
	modelAttempts   = 3
)

var modelRunners = []string{"r", "s"}

// The queue does what the model does, whatever is done to it in whatever order,
// with calls of takings that are over mixed in.
func TestModel(t *testing.T) {
	each(t, builds.Options{Attempts: modelAttempts}, func(t *testing.T, h *house) {
		rapid.Check(t, func(rt *rapid.T) {
			m := newModel(rt, h)
			rt.Repeat(map[string]func(*rapid.T){
				"":        m.check,
				"enqueue": m.enqueue,
				"take":    m.take,
				"beat":    m.beat,
				"judge":   m.judge,
				"state":   m.state,
				"finish":  m.finish,
				"cancel":  m.cancel,
				"hello":   m.hello,
			})
		})
	})
}

// newModel gives each run a provider and workspaces of its own.
func newModel(rt *rapid.T, h *house) *model {
	own := *h
	own.Provider = berth.Provider{ID: berth.NewID[berth.Provider](), Name: shortName(), CreatedAt: h.Provider.CreatedAt}
	h.write(func(tx *store.Tx) error { return tx.InsertProvider(own.Provider, nil) })
	m := &model{house: &own, serials: make([]int64, modelWorkspaces), finals: map[builds.Call]bool{}}
	for range modelWorkspaces {
		m.wss = append(m.wss, own.Workspace(h.t, h.db, shortName()).ID)
	}
	for _, r := range modelRunners {
		own.hello(m.runner(r))
	}
	return m
}

func shortName() string {
	id := string(berth.NewID[any]())
	return "n" + id[len(id)-12:]
}

// runner is the id of a runner: they belong to one provider for ever.
func (m *model) runner(name string) string { return name + string(m.Provider.ID) }

func (m *model) expect(rt *rapid.T, err error, want berth.Code) {
	rt.Helper()
	if got := berth.ErrorCode(err); got != want {
		rt.Fatalf("got %v, want code %q", err, want)
	}
}

func (m *model) active(ws int) *modelBuild {
	for _, b := range m.builds {
		if b.ws == ws && b.ended == "" {
			return b
		}
	}
	return nil
}

func (m *model) enqueue(rt *rapid.T) {
	ws := rapid.IntRange(0, modelWorkspaces-1).Draw(rt, "workspace")
	reason := rapid.SampledFrom([]berth.Reason{berth.ReasonInitiator, berth.ReasonAutostop, berth.ReasonPrebuild}).Draw(rt, "reason")
	b := m.Build(m.wss[ws], berth.Start)
	b.Reason = reason
	err := m.db.Write(rt.Context(), func(tx *store.Tx) (err error) {
		b, err = m.q.Enqueue(tx, b)
		return err
	})
	if m.active(ws) != nil {
		m.expect(rt, err, berth.Conflict)
		return
	}
	m.expect(rt, err, "")
	m.builds = append(m.builds, &modelBuild{id: b.ID, ws: ws, class: b.Class})
}

func (m *model) take(rt *rapid.T) {
	runner := m.runner(rapid.SampledFrom(modelRunners).Draw(rt, "runner"))
	refills := rapid.Bool().Draw(rt, "refills")
	job, err := m.q.Take(rt.Context(), m.Provider.ID, runner, 0, refills)
	m.expect(rt, err, "")
	var want *modelBuild // made in order of time, so the first of the best class
	for _, b := range m.builds {
		if b.status() == berth.BuildPending && (refills || b.class < berth.ClassRefill) && (want == nil || b.class < want.class) {
			want = b
		}
	}
	if want == nil {
		if job != nil {
			rt.Fatalf("took %s of nothing", job.Build.ID)
		}
		return
	}
	want.attempt++
	want.runner, want.judged = runner, false
	if job == nil || job.Build.ID != want.id || job.Build.Attempt != want.attempt {
		rt.Fatalf("took %+v, want %+v", job, want)
	}
	m.calls = append(m.calls, call(job))
}

// call draws one that is or was valid, with its build; holds tells whether it is.
func (m *model) call(rt *rapid.T) (c builds.Call, b *modelBuild, holds bool) {
	if len(m.calls) == 0 {
		rt.Skip("nothing was taken")
	}
	c = rapid.SampledFrom(m.calls).Draw(rt, "call")
	i := slices.IndexFunc(m.builds, func(b *modelBuild) bool { return b.id == c.Build })
	b = m.builds[i]
	return c, b, b.ended == "" && b.runner == c.Runner && b.attempt == c.Attempt
}

func code(holds bool) berth.Code {
	if holds {
		return ""
	}
	return berth.Conflict
}

func (m *model) beat(rt *rapid.T) {
	c, b, holds := m.call(rt)
	o, err := m.q.Beat(rt.Context(), c)
	m.expect(rt, err, code(holds))
	if holds && o.Cancel != b.canceled {
		rt.Fatalf("ordered %+v", o)
	}
}

func (m *model) judge(rt *rapid.T) {
	c, b, holds := m.call(rt)
	v, err := m.q.Judge(rt.Context(), c, berth.Plan{})
	m.expect(rt, err, code(holds))
	if !holds {
		return
	}
	if v.Allow == b.canceled {
		rt.Fatalf("verdict %+v", v)
	}
	b.judged = b.judged || v.Allow
}

func (m *model) state(rt *rapid.T) {
	c, b, holds := m.call(rt)
	serial := rapid.Int64Range(1, 20).Draw(rt, "serial")
	err := m.q.State(rt.Context(), c, "l", serial, fmt.Appendf(nil, "state %d", serial))
	m.expect(rt, err, code(holds))
	if holds && serial > m.serials[b.ws] {
		m.serials[b.ws] = serial
	}
}

func (m *model) finish(rt *rapid.T) {
	c, b, holds := m.call(rt)
	r := rapid.SampledFrom([]builds.Report{{}, {Error: "no"}, {Canceled: true}}).Draw(rt, "report")
	err := m.q.Finish(rt.Context(), c, r)
	if b.ended != "" && b.runner == c.Runner && b.attempt == c.Attempt {
		m.expect(rt, err, "") // sent again
		return
	}
	m.expect(rt, err, code(holds))
	if !holds {
		return
	}
	switch {
	case r.Error != "":
		b.ended = berth.BuildFailed
	case r.Canceled:
		b.ended = berth.BuildCanceled
	default:
		b.ended = berth.BuildSucceeded
	}
}

func (m *model) cancel(rt *rapid.T) {
	if len(m.builds) == 0 {
		rt.Skip("nothing was enqueued")
	}
	b := rapid.SampledFrom(m.builds).Draw(rt, "build")
	_, err := m.q.CancelNow(rt.Context(), b.id, rapid.Bool().Draw(rt, "force"), "")
	m.expect(rt, err, code(b.ended == ""))
	switch {
	case b.ended != "":
	case b.runner == "":
		b.ended = berth.BuildCanceled
	default:
		b.canceled = true
	}
}

func (m *model) hello(rt *rapid.T) {
	runner := m.runner(rapid.SampledFrom(modelRunners).Draw(rt, "runner"))
	var names []builds.Held
	for _, c := range m.calls {
		if rapid.Bool().Draw(rt, "named") {
			names = append(names, held(c))
		}
	}
	yours, err := m.q.Hello(rt.Context(), m.Provider.ID, builds.Hello{Runner: runner, Slots: 1, Holds: names})
	m.expect(rt, err, "")
	var want []builds.Held
	for _, b := range m.builds {
		if b.ended != "" || b.runner != runner {
			continue
		}
		is := builds.Held{Build: b.id, Attempt: b.attempt}
		switch {
		case slices.Contains(names, is):
			want = append(want, is)
		case b.judged:
			b.ended = berth.BuildFailed
		case b.canceled:
			b.ended = berth.BuildCanceled
		case b.attempt >= modelAttempts:
			b.ended = berth.BuildFailed
		default:
			b.runner = ""
		}
	}
	for _, held := range want {
		if !slices.Contains(yours, held) {
			rt.Fatalf("welcomed with %v, want %v", yours, want)
		}
	}
	if len(yours) != len(want) {
		rt.Fatalf("welcomed with %v, want %v", yours, want)
	}
}

// check compares all that is stored with the model.
func (m *model) check(rt *rapid.T) {
	err := m.db.Read(rt.Context(), func(q *store.Query) error {
		for _, want := range m.builds {
			b, err := q.Build(want.id)
			if err != nil {
				return err
			}
			if b.Status() != want.status() || b.Attempt != want.attempt || want.ended == "" && b.RunnerID != want.runner {
				rt.Fatalf("stored %s attempt %d of %q, want %s %d %q", b.Status(), b.Attempt, b.RunnerID, want.status(), want.attempt, want.runner)
			}
			if (want.ended == "" && want.runner != "") != !b.LeaseAt.IsZero() {
				rt.Fatalf("a %s build of %q has the lease %v", b.Status(), b.RunnerID, b.LeaseAt)
			}
		}
		for i, ws := range m.wss {
			state, err := m.q.CurrentState(q, ws)
			if err != nil {
				return err
			}
			want := ""
			if m.serials[i] > 0 {
				want = fmt.Sprintf("state %d", m.serials[i])
			}
			if string(state) != want {
				rt.Fatalf("the state is %q, want %q", state, want)
			}
		}
		return nil
	})
	m.expect(rt, err, "")
}
