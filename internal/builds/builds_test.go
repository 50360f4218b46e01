package builds_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// house is a queue with a little world around it.
type house struct {
	storetest.World
	t     *testing.T
	db    *store.DB
	q     *builds.Queue
	kinds builds.Kinds
}

// open makes a house on an empty database. The kinds allow everything; change
// them with set.
func newHouse(t *testing.T, db *store.DB, opt builds.Options) *house {
	t.Helper()
	keys, err := seal.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	kind := builds.Kind{
		Job: func(*store.Query, berth.Build) (builds.Input, error) {
			return builds.Input{Archive: "00", Env: map[string]string{"A": "b"}, Timeout: time.Hour}, nil
		},
		Judge: func(*store.Tx, berth.Build, berth.Plan) (berth.Verdict, error) {
			return berth.Verdict{Allow: true}, nil
		},
	}
	h := &house{World: storetest.Seed(t, db), t: t, db: db, kinds: builds.Kinds{Workspace: kind, Import: kind}}
	h.kinds.Import.Judge = nil
	h.q = builds.New(db, keys, h.kinds, opt)
	return h
}

// with changes what the queue does for builds of workspaces.
func (h *house) with(change func(k *builds.Kind)) {
	change(&h.kinds.Workspace)
	h.q.SetKinds(h.kinds)
}

func (h *house) write(f func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.db.Write(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// enqueue adds a build of a new workspace of that name.
func (h *house) enqueue(name string, transition berth.Transition) berth.Build {
	h.t.Helper()
	time.Sleep(time.Microsecond) // in a bubble, two would be of the same moment
	ws := h.Workspace(h.t, h.db, name)
	return h.again(ws.ID, transition)
}

// again adds a build of a workspace that is there.
func (h *house) again(ws berth.WorkspaceID, transition berth.Transition) (b berth.Build) {
	h.t.Helper()
	h.write(func(tx *store.Tx) (err error) {
		b, err = h.q.Enqueue(tx, h.Build(ws, transition))
		return err
	})
	return b
}

func (h *house) hello(runner string, holds ...builds.Held) []builds.Held {
	h.t.Helper()
	yours, err := h.q.Hello(h.t.Context(), h.Provider.ID, builds.Hello{Runner: runner, Slots: 4, Holds: holds})
	if err != nil {
		h.t.Fatal(err)
	}
	return yours
}

// take takes the next build at once; nil when there is none.
func (h *house) take(runner string) *builds.Job {
	h.t.Helper()
	job, err := h.q.Take(h.t.Context(), h.Provider.ID, runner, 0, true)
	if err != nil {
		h.t.Fatal(err)
	}
	return job
}

func (h *house) get(id berth.BuildID) (b berth.Build) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(q *store.Query) (err error) {
		b, err = q.Build(id)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return b
}

func (h *house) state(ws berth.WorkspaceID) string {
	h.t.Helper()
	var state []byte
	if err := h.db.Read(h.t.Context(), func(q *store.Query) (err error) {
		state, err = h.q.CurrentState(q, ws)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return string(state)
}

// call is what the holder of a job says who it is.
func call(j *builds.Job) builds.Call {
	return builds.Call{Provider: j.Build.ProviderID, Runner: j.Build.RunnerID, Build: j.Build.ID, Attempt: j.Build.Attempt}
}

func is(t *testing.T, err error, code berth.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// each runs a test on both engines.
func each(t *testing.T, opt builds.Options, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		test(t, newHouse(t, open(t), opt))
	})
}

// kept lists the serials of the kept revisions, newest first.
func (h *house) kept(ws berth.WorkspaceID) (serials []string) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(q *store.Query) error {
		revisions, err := q.States(ws)
		for _, r := range revisions {
			s := strconv.FormatInt(r.Serial, 10)
			if r.Current {
				s += " current"
			}
			serials = append(serials, s)
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return serials
}
