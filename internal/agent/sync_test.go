package agent

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// Whatever scripts say in whatever order: nothing waits for itself, nothing
// starts before what it wants, a refused word changes nothing, and units that
// are completed one after the other all come to start.
func TestUnitsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := units{}
		name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		for range rapid.IntRange(1, 40).Draw(t, "words") {
			n := name.Draw(t, "unit")
			before := copyUnits(u)
			switch rapid.IntRange(0, 3).Draw(t, "word") {
			case 0, 1:
				deps := rapid.SliceOfN(name, 1, 3).Draw(t, "deps")
				if err := u.want(n, deps); err != nil {
					if !equalUnits(u, before) {
						t.Fatalf("a refused want changed something: %v", err)
					}
					if before[n] == nil && !strings.Contains(err.Error(), "would wait for itself") {
						t.Fatalf("a new unit's want was refused: %v", err)
					}
				}
			case 2:
				waits, err := u.start(n)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range u[n].wants {
					done := u[d].state == unitCompleted
					if u[n].state == unitStarted && before[n].state != unitStarted && !done {
						t.Fatalf("%s started before %s", n, d)
					}
				}
				if (len(waits) > 0) == (u[n].state == unitStarted || u[n].state == unitCompleted) {
					t.Fatalf("%s is %s and waits for %v", n, u[n].state, waits)
				}
			case 3:
				if err := u.complete(n); err != nil {
					t.Fatal(err)
				}
			}
			for a := range u {
				for _, d := range u[a].wants {
					if path := u.path(d, a); path != nil {
						t.Fatalf("%s waits for itself: %v", a, path)
					}
				}
			}
		}
		for range u { // no cycles: each round at least one can go
			for n := range u {
				if waits, _ := u.start(n); len(waits) == 0 {
					u.complete(n)
				}
			}
		}
		for n := range u {
			if u[n].state != unitCompleted {
				t.Fatalf("%s never came to its turn", n)
			}
		}
	})
}

func copyUnits(u units) units {
	out := units{}
	for n, x := range u {
		out[n] = &unit{state: x.state, wants: slices.Clone(x.wants)}
	}
	return out
}

func equalUnits(a, b units) bool {
	return maps.EqualFunc(a, b, func(x, y *unit) bool { return x.state == y.state && slices.Equal(x.wants, y.wants) })
}

func TestUnitsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	u := units{}
	if err := u.want("a", []string{"b"}); err != nil {
		t.Fatal(err)
	}
	if err := u.want("b", []string{"c"}); err != nil {
		t.Fatal(err)
	}
	if err := u.want("c", []string{"x", "a"}); err == nil || !strings.Contains(err.Error(), "c → a → b → c") || u["x"] != nil {
		t.Error(err)
	}
	if err := u.want("a", []string{"a"}); err == nil || !strings.Contains(err.Error(), "a → a") {
		t.Error(err)
	}
	u.start("z")
	if err := u.want("z", []string{"y"}); berth.ErrorCode(err) != berth.Conflict {
		t.Error(err)
	}
	for _, bad := range []string{"", "a b", "a\n", "\x1b[31m", strings.Repeat("x", 201)} {
		if _, err := u.start(bad); berth.ErrorCode(err) != berth.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for n := range 2 * maxUnits {
		u.complete(fmt.Sprint("n", n))
	}
	if len(u) > maxUnits || berth.ErrorCode(u.want("more", []string{"most"})) != berth.Limit {
		t.Errorf("%d units", len(u))
	}
}

func TestSyncWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSyncer()
		s.units.want("app", []string{"db"})
		begin := time.Now()
		got, err := s.start(t.Context(), api.SyncUnit{Unit: "app", Wait: 5000})
		if err != nil || fmt.Sprint(got.For) != "[db (unknown)]" || time.Since(begin) != 5*time.Second {
			t.Errorf("%v, %v after %v", got, err, time.Since(begin))
		}
		if _, err := s.start(t.Context(), api.SyncUnit{Unit: "app", Wait: 1 << 60}); err != nil || time.Since(begin) > time.Minute {
			t.Errorf("an endless wait: %v after %v", err, time.Since(begin))
		}
		started := make(chan api.SyncWaits)
		go func() {
			got, _ := s.start(t.Context(), api.SyncUnit{Unit: "app", Wait: 20000})
			started <- got
		}()
		time.Sleep(time.Second)
		s.mu.Lock()
		s.units.complete("db")
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
		if got := <-started; len(got.For) != 0 || s.status().Units[0].State != "started" {
			t.Errorf("%v, %+v", got, s.status())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.units.want("late", []string{"never"})
		if got, _ := s.start(ctx, api.SyncUnit{Unit: "late", Wait: 20000}); len(got.For) != 1 {
			t.Error("a caller that left still waits")
		}
	})
}
