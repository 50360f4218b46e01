package schedules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/store"
)

// newest is the newest build of a workspace.
func (h *house) newest(id berth.WorkspaceID) (b berth.Build) {
	h.Helper()
	must(h.T, h.db.Read(h.Context(), func(q *store.Query) (err error) {
		b, err = q.NewestBuild(id)
		return err
	}))
	return b
}

// is fails unless the newest build of a workspace is that.
func (h *house) is(id berth.WorkspaceID, number int, tr berth.Transition, reason berth.Reason) berth.Build {
	h.Helper()
	b := h.newest(id)
	if b.Number != number || b.Transition != tr || b.Reason != reason {
		h.Fatalf("the newest build is %d, %s for %s; want %d, %s for %s; acts %+v", b.Number, b.Transition, b.Reason, number, tr, reason, h.acts(id))
	}
	return b
}

// until lets time pass, and the rules be asked whenever somebody is due, for at
// most d.
func (h *house) until(d time.Duration, done func() bool) {
	h.Helper()
	for end := time.Now().Add(d); ; h.nap(end) {
		h.tick()
		if done() {
			return
		}
		if !time.Now().Before(end) {
			h.Fatalf("it did not happen within %v", d)
		}
	}
}

// through is until without anything that is waited for.
func (h *house) through(d time.Duration) {
	h.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); h.nap(end) {
		h.tick()
	}
	h.tick()
}

// nap lets time pass, a minute at least, until somebody is due, or the end.
func (h *house) nap(end time.Time) {
	h.Helper()
	var due []store.Due
	must(h.T, h.db.Read(h.Context(), func(q *store.Query) (err error) {
		due, err = q.Due(end, store.Due{}, 1)
		return err
	}))
	next := end
	if len(due) > 0 {
		next = due[0].Look
	}
	time.Sleep(max(time.Until(next), time.Minute))
}

// A workspace is stopped when its time is over, once, and the record says why.
func TestStops(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.ActivityBump = 2*time.Hour, 0 })
		id := h.running("web")
		began := time.Now()
		h.until(3*time.Hour, func() bool { return h.newest(id).Transition == berth.Stop })
		if ran := time.Since(began); ran < 2*time.Hour || ran > 2*time.Hour+2*time.Minute {
			t.Errorf("it ran for %v", ran)
		}
		b := h.is(id, 2, berth.Stop, berth.ReasonAutostop)
		if n := h.tick(); n != 0 {
			t.Errorf("%d things done while the build waits", n)
		}
		acts := h.acts(id)
		if len(acts) != 2 || acts[0].Did != "stop" || acts[0].Rule != "ttl" || acts[0].BuildID != b.ID || acts[0].Why == "" || acts[0].Facts["due"] == nil || acts[1].Did != "remind" {
			t.Errorf("acts %+v", acts)
		}
		must(t, h.db.Read(t.Context(), func(q *store.Query) error {
			rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}, Classes: []berth.AuditClass{berth.AuditAutomatic}, Kinds: []string{"workspace"}}, store.Page{Limit: 10})
			if len(rows) != 1 || rows[0].Reason != acts[0].Why || rows[0].Action != "stop" {
				t.Errorf("audit %+v", rows)
			}
			return err
		}))
		h.run(builds.Report{})
		h.until(time.Hour, func() bool { return h.facts(id).Workspace.NextLook.IsZero() }) // nothing more to come
		if h.newest(id).Number != 2 || h.asked != 0 {
			t.Errorf("%d builds, agents asked %d times", h.newest(id).Number, h.asked)
		}
	})
}

// What is for want of use asks first: a use that the database does not know of
// keeps the workspace; agents that do not answer put the stop off, at most for
// the grace; what comes back in between is believed.
func TestAsks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) {
			p.DefaultTTL, p.ActivityBump, p.AutostopNotify = 2*time.Hour, time.Hour, 0
		})
		id := h.running("web")
		used := time.Now()
		h.agent = func(berth.WorkspaceID) (activity.Answer, error) {
			return saw(berth.Evidence{Kind: berth.EvidenceSSH, Since: used, At: time.Now().Add(-time.Minute)}), nil
		}
		for range 6 {
			time.Sleep(time.Hour)
			if n := h.tick(); n != 0 {
				t.Fatalf("stopped while it is used: %+v", h.acts(id))
			}
		}
		if h.asked == 0 {
			t.Fatal("nobody was asked")
		}
		h.agent = func(berth.WorkspaceID) (activity.Answer, error) {
			return activity.Answer{Activity: berth.Activity{At: time.Now()}}, nil
		}
		h.until(2*time.Hour, func() bool { return !h.facts(id).Workspace.UnknownSince.IsZero() })
		since := h.facts(id).Workspace.UnknownSince
		h.through(time.Hour)
		if f := h.facts(id); !f.Workspace.UnknownSince.Equal(since) || f.Build.Number != 1 {
			t.Fatalf("put off since %v, then %v; build %d", since, f.Workspace.UnknownSince, f.Build.Number)
		}
		if acts := h.acts(id); len(acts) != 1 || acts[0].Did != "put-off" {
			t.Errorf("one act each time: %+v", acts)
		}
		h.agent = func(berth.WorkspaceID) (activity.Answer, error) {
			return saw(berth.Evidence{Kind: berth.EvidenceSSH, Since: used, At: time.Now()}), nil
		}
		h.until(time.Hour, func() bool { return h.facts(id).Workspace.UnknownSince.IsZero() })
		h.agent = func(berth.WorkspaceID) (activity.Answer, error) {
			return activity.Answer{Activity: berth.Activity{At: time.Now()}}, nil
		}
		h.until(2*time.Hour, func() bool { return !h.facts(id).Workspace.UnknownSince.IsZero() })
		since = h.facts(id).Workspace.UnknownSince
		h.until(25*time.Hour, func() bool { return h.newest(id).Number == 2 })
		if d := time.Since(since); d < 24*time.Hour || d > 24*time.Hour+7*time.Minute {
			t.Errorf("stopped after %v of ignorance", d)
		}
	})
}

// An answer that was given too long before it is used is asked for again.
func TestStaleAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) {
			p.DefaultTTL, p.ActivityBump, p.AutostopNotify = 2*time.Hour, time.Hour, 0
		})
		id := h.running("web")
		time.Sleep(3 * time.Hour)
		h.agent = func(berth.WorkspaceID) (activity.Answer, error) {
			if h.asked > 1 {
				return saw(berth.Evidence{Kind: berth.EvidenceSSH, Since: time.Now(), At: time.Now()}), nil
			}
			defer time.Sleep(time.Minute) // meanwhile somebody comes
			return saw(), nil
		}
		if n := h.tick(); n != 0 || h.asked != 2 || h.newest(id).Number != 1 {
			t.Errorf("%d things done, asked %d times", n, h.asked)
		}
	})
}

// Several servers that tick at once make each build once, and nothing else is
// doubled.
func TestReplicas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.AutostopNotify = time.Minute, 0 })
		const many = 30
		var all []berth.WorkspaceID
		for i := range many {
			all = append(all, h.running(fmt.Sprintf("w%d", i)))
		}
		var servers []*schedules.Service
		for range 3 {
			servers = append(servers, h.replica())
		}
		time.Sleep(2 * time.Hour)
		h.hello(50)
		did := make([]int64, len(servers))
		var ticking sync.WaitGroup
		for i, s := range servers {
			ticking.Go(func() {
				n, err := s.Tick(t.Context(), time.Now())
				if err != nil {
					t.Error(err)
				}
				did[i] = n
			})
		}
		ticking.Wait()
		total := did[0] + did[1] + did[2]
		if total != many {
			t.Errorf("%v things done, want %d in all", did, many)
		}
		for _, id := range all {
			if b := h.newest(id); b.Number != 2 || b.Transition != berth.Stop {
				t.Errorf("build %d is a %s", b.Number, b.Transition)
			}
			if acts := h.acts(id); len(acts) != 1 {
				t.Errorf("acts %+v", acts)
			}
		}
	})
}

// A server that dies before it commits leaves nothing; the next one does all of
// it. Cut anywhere, a tick is as if it had not been.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.AutostopNotify = time.Hour, 0 })
		var all []berth.WorkspaceID
		for i := range 8 {
			all = append(all, h.running(fmt.Sprintf("w%d", i)))
		}
		time.Sleep(2 * time.Hour)
		count := func() (stops int) {
			t.Helper()
			for _, id := range all {
				b, acts := h.newest(id), h.acts(id)
				if (b.Number == 2) != (len(acts) == 1) || b.Number > 2 || len(acts) > 1 {
					t.Fatalf("build %d with %d acts", b.Number, len(acts))
				}
				stops += b.Number - 1
			}
			return stops
		}
		for n := 1; count() < len(all); n++ {
			ctx, kill := context.WithCancel(t.Context())
			var asked atomic.Int64
			h.agent = func(berth.WorkspaceID) (activity.Answer, error) {
				if asked.Add(1) >= int64(n) {
					kill()
				}
				return saw(), nil
			}
			h.seen()
			_, _ = h.schedules.Tick(ctx, time.Now())
			kill()
			time.Sleep(20 * time.Second)
			if n > 100 {
				t.Fatal("it never comes to an end")
			}
		}
	})
}

// While the database is away nothing is decided; when it is back everything is.
func TestDatabaseAway(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.AutostopNotify = time.Hour, 0 })
		id := h.running("web")
		time.Sleep(2 * time.Hour)
		away, cancel := context.WithCancel(t.Context())
		cancel()
		if n, err := h.schedules.Tick(away, time.Now()); err == nil || n != 0 {
			t.Errorf("%d done without a database: %v", n, err)
		}
		h.agent = func(berth.WorkspaceID) (activity.Answer, error) {
			return activity.Answer{}, errors.New("the database is away")
		}
		h.seen()
		if n, err := h.schedules.Tick(t.Context(), time.Now()); err == nil || n != 0 || h.newest(id).Number != 1 {
			t.Errorf("%d done by who could not ask: %v", n, err)
		}
		h.agent = nil
		h.until(time.Hour, func() bool { return h.newest(id).Number == 2 })
	})
}

// After a day without a server each workspace is started once, no more at a time
// than runners can take.
func TestCatchUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var all []berth.WorkspaceID
		for i := range 12 {
			id := h.stopped(fmt.Sprintf("w%d", i))
			all = append(all, id)
			h.write(func(tx *store.Tx) error {
				w, err := tx.Workspace(id)
				if err != nil {
					return err
				}
				w.Autostart = "CRON_TZ=UTC 0 * * * *" // every hour
				return tx.SetLifecycle(id, w.Lifecycle)
			})
		}
		h.tick()
		time.Sleep(24 * time.Hour)
		h.hello(2)
		n := h.tick()
		if n < 4 || n > 8 { // some write side by side
			t.Errorf("%d starts at once on 2 slots", n)
		}
		for range 40 {
			for {
				h.seen()
				j, err := h.queue.Take(t.Context(), h.provider.ID, "runner", 0, true)
				must(t, err)
				if j == nil {
					break
				}
				must(t, h.queue.Finish(t.Context(), builds.Call{Provider: h.provider.ID, Runner: "runner", Build: j.Build.ID, Attempt: j.Build.Attempt}, builds.Report{}))
			}
			time.Sleep(30 * time.Second)
			h.tick()
		}
		for _, id := range all {
			h.is(id, 3, berth.Start, berth.ReasonAutostart)
		}
	})
}

// No runner: nothing is queued, the reason is written down once, and it goes on
// when one is there.
func TestNoRunner(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.ActivityBump, p.AutostopNotify = time.Hour, 0, 0 })
		id := h.running("web")
		time.Sleep(2 * time.Hour)
		for range 10 {
			_, err := h.schedules.Tick(t.Context(), time.Now())
			must(t, err)
			time.Sleep(time.Minute)
		}
		if acts := h.acts(id); h.newest(id).Number != 1 || len(acts) != 1 || acts[0].Did != "wait" || !strings.Contains(acts[0].Why, "no runner") {
			t.Fatalf("acts %+v", acts)
		}
		h.until(time.Hour, func() bool { return h.newest(id).Number == 2 })
	})
}

// A change while rules are being asked is not lost, in whatever order they are
// written down.
func TestChangeMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		due := store.Due{ID: id, Look: h.facts(id).Workspace.NextLook}
		h.write(func(tx *store.Tx) error { return tx.LookAgain(id) }) // at the same moment even
		h.write(func(tx *store.Tx) error {
			n, err := tx.Looked([]store.Look{{Due: due}})
			if n != 0 {
				t.Error("what was read before the change counts")
			}
			return err
		})
		if f := h.facts(id); f.Workspace.NextLook.IsZero() || f.Workspace.NextLook.After(time.Now()) {
			t.Errorf("looked at again %v", f.Workspace.NextLook)
		}
	})
}

// What a suspended user left running is stopped at once and until that works;
// nobody else's is.
func TestSuspended(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		h.tick()
		h.suspend(berth.UserSuspended)
		h.tick()
		h.is(id, 2, berth.Stop, berth.ReasonSuspended)
		h.run(builds.Report{Error: "the cloud is away"})
		h.tick()
		h.is(id, 2, berth.Stop, berth.ReasonSuspended)
		h.until(5*time.Minute, func() bool { return h.newest(id).Number == 3 })
		if b := h.is(id, 3, berth.Stop, berth.ReasonSuspended); b.Tries != 2 {
			t.Errorf("try %d", b.Tries)
		}
		h.run(builds.Report{})
		time.Sleep(24 * time.Hour)
		h.tick()
		h.is(id, 3, berth.Stop, berth.ReasonSuspended)
	})
}

func (h *house) suspend(status berth.UserStatus) {
	h.Helper()
	h.write(func(tx *store.Tx) error {
		u, err := tx.User(h.mel.UserID)
		if err != nil {
			return err
		}
		u.Status, u.SuspendedAt = status, tx.Now
		return tx.UpdateUser(u)
	})
}

// Who cancels a stop keeps the workspace for an hour at least.
func TestCanceledStop(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.ActivityBump, p.AutostopNotify = time.Hour, 0, 0 })
		id := h.running("web")
		h.until(2*time.Hour, func() bool { return h.newest(id).Number == 2 })
		_, err := h.workspaces.Cancel(t.Context(), h.mel, h.newest(id).ID, false, "")
		must(t, err)
		at := time.Now()
		h.until(3*time.Hour, func() bool { return h.newest(id).Number == 3 })
		if d := time.Since(at); d < time.Hour || d > time.Hour+2*time.Minute {
			t.Errorf("stopped again after %v", d)
		}
		h.run(builds.Report{})
		if !h.facts(id).Workspace.ExtendedUntil.IsZero() {
			t.Error("the next run is extended too")
		}
	})
}

// A start that cannot be made is recorded and told once; nothing is hammered.
func TestBlockedStart(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.stopped("web")
		h.push("dev", "v2", berth.Parameter{Name: "region", Type: "string", Required: true, Mutable: true})
		h.policy(func(p *berth.TemplatePolicy) { p.RequireActive = true })
		h.write(func(tx *store.Tx) error {
			w, err := tx.Workspace(id)
			if err != nil {
				return err
			}
			w.Autostart = "CRON_TZ=UTC 0 12 * * *"
			return tx.SetLifecycle(id, w.Lifecycle)
		})
		h.until(13*time.Hour, func() bool { return len(h.acts(id)) > 0 })
		h.through(2 * time.Hour)
		if acts := h.acts(id); len(acts) != 1 || acts[0].Did != "wait" || !strings.Contains(acts[0].Why, "region") {
			t.Errorf("acts %+v", acts)
		}
		h.is(id, 2, berth.Stop, berth.ReasonInitiator)
	})
}

// What is wrong with one workspace keeps no other one waiting.
func TestOneBadRow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.AutostopNotify = time.Hour, 0 })
		bad, good := h.running("bad"), h.running("good")
		time.Sleep(2 * time.Hour)
		h.agent = func(id berth.WorkspaceID) (activity.Answer, error) {
			if id == bad {
				return activity.Answer{}, errors.New("a relay in flames")
			}
			return saw(), nil
		}
		h.seen()
		if _, err := h.schedules.Tick(t.Context(), time.Now()); err == nil || !strings.Contains(err.Error(), string(bad)) {
			t.Errorf("the error is %v", err)
		}
		if h.newest(good).Number != 2 || h.newest(bad).Number != 1 {
			t.Errorf("good %d, bad %d", h.newest(good).Number, h.newest(bad).Number)
		}
		h.agent = nil
		h.until(time.Hour, func() bool { return h.newest(bad).Number == 2 })
	})
}
