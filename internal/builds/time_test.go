package builds_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// inBubble is each where time is ours.
func inBubble(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		synctest.Test(t, func(t *testing.T) {
			test(t, newHouse(t, open(t), builds.Options{}))
		})
	})
}

// A waiting Take gets what is enqueued behind it at once, and gives up in time.
func TestTakeWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.hello("r")
		began := time.Now()
		job, err := h.q.Take(t.Context(), h.Provider.ID, "r", 30*time.Second, true)
		if job != nil || err != nil || time.Since(began) != 30*time.Second {
			t.Errorf("%+v, %v after %v", job, err, time.Since(began))
		}
		ws := h.Workspace(t, h.db, "one")
		time.AfterFunc(500*time.Millisecond, func() { h.again(ws.ID, berth.Start) })
		began = time.Now()
		job, err = h.q.Take(t.Context(), h.Provider.ID, "r", 30*time.Second, true)
		if job == nil || err != nil || time.Since(began) != 500*time.Millisecond {
			t.Errorf("%+v, %v after %v", job, err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.q.Take(ctx, h.Provider.ID, "r", 30*time.Second, true); err == nil {
			t.Error("waited on without a caller")
		}
	})
}

// A build that was made on another replica is found without a wake.
func TestTakeLooksByItself(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, storetest.Open(t, url), builds.Options{})
			other := *h
			other.db = storetest.Open(t, url)
			h.hello("r")
			ws := h.Workspace(t, h.db, "one")
			time.AfterFunc(10*time.Second, func() { other.again(ws.ID, berth.Start) })
			began := time.Now()
			job, err := h.q.Take(t.Context(), h.Provider.ID, "r", 30*time.Second, true)
			if job == nil || err != nil || time.Since(began) > 12*time.Second {
				t.Errorf("%+v, %v after %v", job, err, time.Since(began))
			}
		})
	})
}

// A holder that goes silent keeps its build, until somebody gives up on it.
func TestALapsedLease(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		h.hello("s")
		b := h.enqueue("one", berth.Start)
		c := call(h.take("r"))
		for range 60 {
			time.Sleep(10 * time.Second)
			_, err := h.q.Beat(ctx, c)
			ok(t, err)
			if h.get(b.ID).Unreachable(time.Now()) {
				t.Fatal("unreachable though it beats")
			}
		}
		time.Sleep(29 * time.Second)
		if h.get(b.ID).Unreachable(time.Now()) {
			t.Error("unreachable before its lease lapsed")
		}
		time.Sleep(24 * time.Hour)
		if got := h.get(b.ID); !got.Unreachable(time.Now()) || got.Status() != berth.BuildRunning {
			t.Errorf("after a day it is %+v", got)
		}
		if h.take("s") != nil {
			t.Error("it was given to somebody else")
		}
		_, err := h.q.Beat(ctx, c) // the holder is back
		ok(t, err)
		if h.get(b.ID).Unreachable(time.Now()) {
			t.Error("unreachable after a beat")
		}
		_, err = h.q.AbandonNow(ctx, b.ID, h.User.ID)
		is(t, err, berth.Conflict)
		time.Sleep(time.Minute)
		got, err := h.q.AbandonNow(ctx, b.ID, h.User.ID)
		ok(t, err)
		if got.Status() != berth.BuildFailed || got.AbandonAt.IsZero() || !strings.HasPrefix(got.Error, "ada gave up on it: its runner r has not reported since") {
			t.Errorf("abandoned as %+v", got)
		}
		lines, err := h.q.ReadLogs(ctx, b.ID, 0, 0)
		if err != nil || len(lines) != 1 || lines[0].Text != got.Error {
			t.Errorf("the log says %+v, %v", lines, err)
		}
		is(t, h.q.State(ctx, c, "l", 1, []byte("late")), berth.Conflict)
		if h.state(b.WorkspaceID) != "" || len(h.kept(b.WorkspaceID)) != 1 {
			t.Errorf("kept %v", h.kept(b.WorkspaceID))
		}
	})
}

// Time in which no server was up does not count against leases; time in which a
// runner was silent before it does.
func TestDowntime(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		tick := func(replica string) string {
			t.Helper()
			did, err := h.q.Downtime(ctx, replica)
			ok(t, err)
			return did
		}
		tick("one") // nobody was ever up before
		h.hello("r")
		silent, fine := h.enqueue("silent", berth.Start), h.enqueue("fine", berth.Start)
		h.take("r")
		c := call(h.take("r"))
		for range 10 {
			time.Sleep(10 * time.Second)
			_, err := h.q.Beat(ctx, c)
			ok(t, err)
			if did := tick("one"); did != "" {
				t.Errorf("while it was up it %s", did)
			}
		}
		time.Sleep(time.Hour)
		if did := tick("two"); did != "renewed 1 leases after 1h0m0s without a server" {
			t.Errorf("did %q", did)
		}
		if did := tick("three"); did != "" {
			t.Errorf("the next replica %s too", did)
		}
		if !h.get(silent.ID).Unreachable(time.Now()) || h.get(fine.ID).Unreachable(time.Now()) {
			t.Error("the wrong lease was renewed")
		}
		time.Sleep(29 * time.Second)
		if h.get(fine.ID).Unreachable(time.Now()) {
			t.Error("the renewed lease is too short")
		}
	})
}

// When the clock goes back, leases do not last until it has caught up.
func TestTheClockGoesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		c := call(h.take("r"))
		future := builds.New(h.db, nil, h.kinds, builds.Options{Lease: 1000 * time.Hour})
		_, err := future.Beat(ctx, c)
		ok(t, err)
		did, err := h.q.Downtime(ctx, "one")
		if err != nil || did != "shortened 1 leases: the clock went back" {
			t.Errorf("did %q, %v", did, err)
		}
		time.Sleep(31 * time.Second)
		if !h.get(b.ID).Unreachable(time.Now()) {
			t.Error("the lease still lasts")
		}
	})
}

// A canceled build is interrupted first, and killed when it does not end.
func TestCancelBecomesForce(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		c := call(h.take("r"))
		orders := func() builds.Orders {
			t.Helper()
			o, err := h.q.Beat(ctx, c)
			ok(t, err)
			return o
		}
		if o := orders(); o.Cancel || o.Force {
			t.Errorf("ordered %+v", o)
		}
		_, err := h.q.CancelNow(ctx, b.ID, false, berth.BuildRunning)
		ok(t, err)
		if o := orders(); !o.Cancel || o.Force {
			t.Errorf("ordered %+v", o)
		}
		time.Sleep(10*time.Minute + time.Second)
		if o := orders(); !o.Cancel || !o.Force {
			t.Errorf("after the grace ordered %+v", o)
		}
		other := h.enqueue("two", berth.Start)
		c = call(h.take("r"))
		_, err = h.q.CancelNow(ctx, other.ID, true, "")
		ok(t, err)
		if o := orders(); !o.Force {
			t.Errorf("forced, ordered %+v", o)
		}
	})
}

func TestWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		b := h.enqueue("one", berth.Start)
		says := func(b berth.Build, want string) {
			t.Helper()
			ok(t, h.db.Read(t.Context(), func(q *store.Query) error {
				got, err := h.q.Waits(q, b)
				if got != want {
					t.Errorf("says %q, want %q", got, want)
				}
				return err
			}))
		}
		says(b, `no runner of the workspace provider "built-in" has ever reported: start one`)
		_, err := h.q.Hello(t.Context(), h.Provider.ID, builds.Hello{Runner: "r", Slots: 2, Problem: "there is no terraform: install it"})
		ok(t, err)
		says(b, `the workspace provider "built-in" is not ready: there is no terraform: install it`)
		_, err = h.q.Hello(t.Context(), h.Provider.ID, builds.Hello{Runner: "r", Slots: 2})
		ok(t, err)
		says(b, `a runner of the workspace provider "built-in" is about to take it`)
		two := h.enqueue("two", berth.Start)
		says(two, `1 build goes first in the queue of the workspace provider "built-in"`)
		h.take("r")
		h.take("r")
		three, four := h.enqueue("three", berth.Start), h.enqueue("four", berth.Start)
		says(three, `all slots of the workspace provider "built-in" are busy (2 of 2)`)
		says(four, `all slots of the workspace provider "built-in" are busy (2 of 2); 1 build goes first`)
		says(h.get(b.ID), "")
		time.Sleep(2 * time.Minute)
		says(three, `no runner of the workspace provider "built-in" reports; the last did at 2000-01-01 00:00:00 UTC: see whether it runs and reaches this server`)
	})
}

// A holder that waits for orders is told of a cancel, and then of force, in the
// moment of the wish; it is answered in time when there are none.
func TestAwaitOrders(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.hello("r")
		b := h.enqueue("one", berth.Start)
		c := call(h.take("r"))
		await := func(known, want builds.Orders, wait, took time.Duration) {
			t.Helper()
			began := time.Now()
			o, err := h.q.AwaitOrders(ctx, c, known, wait)
			if o != want || err != nil || time.Since(began) != took {
				t.Errorf("ordered %+v, %v after %v", o, err, time.Since(began))
			}
		}
		cancel := func(force bool) {
			time.AfterFunc(500*time.Millisecond, func() {
				if _, err := h.q.CancelNow(ctx, b.ID, force, ""); err != nil {
					t.Error(err)
				}
			})
		}
		nothing, canceled, forced := builds.Orders{}, builds.Orders{Cancel: true}, builds.Orders{Cancel: true, Force: true}
		await(nothing, nothing, 0, 0)
		await(nothing, nothing, 3*time.Second, 3*time.Second)
		await(nothing, nothing, time.Hour, 10*time.Second)
		time.Sleep(29 * time.Second)
		await(nothing, nothing, 10*time.Second, 10*time.Second)
		if h.get(b.ID).Unreachable(time.Now().Add(19 * time.Second)) {
			t.Error("the lease was not renewed")
		}
		cancel(false)
		await(nothing, canceled, 10*time.Second, 500*time.Millisecond)
		await(nothing, canceled, 10*time.Second, 0)
		await(canceled, canceled, 10*time.Second, 10*time.Second)
		cancel(true)
		await(canceled, forced, 10*time.Second, 500*time.Millisecond)
		await(forced, forced, 10*time.Second, 10*time.Second)

		gone, leave := context.WithTimeout(ctx, time.Second)
		defer leave()
		if o, err := h.q.AwaitOrders(gone, c, forced, 10*time.Second); o != forced || err != nil {
			t.Errorf("the caller went: %+v, %v", o, err)
		}
		time.AfterFunc(time.Second, func() {
			if err := h.q.Finish(ctx, c, builds.Report{Canceled: true}); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		_, err := h.q.AwaitOrders(ctx, c, forced, 10*time.Second)
		is(t, err, berth.Conflict)
		if time.Since(began) != time.Second {
			t.Errorf("told of the end after %v", time.Since(began))
		}
	})
}

// A cancel on another replica is found without a wake.
func TestAwaitOrdersLooksByItself(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, storetest.Open(t, url), builds.Options{})
			other := builds.New(storetest.Open(t, url), nil, h.kinds, builds.Options{})
			h.hello("r")
			b := h.enqueue("one", berth.Start)
			c := call(h.take("r"))
			time.AfterFunc(time.Second, func() {
				if _, err := other.CancelNow(t.Context(), b.ID, false, ""); err != nil {
					t.Error(err)
				}
			})
			began := time.Now()
			o, err := h.q.AwaitOrders(t.Context(), c, builds.Orders{}, 10*time.Second)
			if !o.Cancel || err != nil || time.Since(began) > 3*time.Second {
				t.Errorf("%+v, %v after %v", o, err, time.Since(began))
			}
		})
	})
}
