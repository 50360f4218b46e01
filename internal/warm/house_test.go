package warm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth/internal/journal"
)

// fake is a plugin that does nothing.
type fake struct {
	pid  int
	once sync.Once
	done chan struct{}
}

func (f *fake) Pid() int              { return f.pid }
func (f *fake) Done() <-chan struct{} { return f.done }
func (f *fake) Kill()                 { f.once.Do(func() { close(f.done) }) }

// stable is a house of fakes.
type stable struct {
	*House
	t       *testing.T
	weight  int64
	mu      sync.Mutex
	started []*fake
	ended   []string
	fail    error
}

func newStable(t *testing.T, change func(*Options)) *stable {
	s := &stable{t: t, weight: 10}
	o := Options{Dir: filepath.Join(t.TempDir(), "warm"), Sets: 3, Memory: 1000, MaxAge: time.Hour, MaxBuilds: 5, MaxIdle: 10 * time.Minute,
		Launch: func(_ context.Context, c journal.Command) (Process, journal.Upstream, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.fail != nil {
				return nil, journal.Upstream{}, s.fail
			}
			f := &fake{pid: len(s.started) + 1, done: make(chan struct{})}
			s.started = append(s.started, f)
			socket := filepath.Join(c.Temp, "plugin1")
			return f, journal.Upstream{Source: c.Source, Protocol: 5, Address: socket}, os.WriteFile(socket, nil, 0o600)
		},
		End: func(_ context.Context, set string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ended = append(s.ended, set)
			return nil
		},
		Weigh: func(int) int64 { return s.weight },
	}
	if change != nil {
		change(&o)
	}
	var err error
	if s.House, err = Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *stable) take(build, template string) Lease {
	s.t.Helper()
	l, err := s.Take(s.t.Context(), Want{Build: build, Key: Key{Template: template}, Plugins: []Plugin{{Source: "x/y/docker", Path: "/docker"}}})
	if err != nil {
		s.t.Fatalf("%s: %v", build, err)
	}
	return l
}

func (s *stable) alive() int {
	n := 0
	for _, f := range s.started {
		select {
		case <-f.done:
		default:
			n++
		}
	}
	return n
}

func TestSetsAreUsedAgain(t *testing.T) {
	t.Parallel()
	s := newStable(t, nil)
	first := s.take("a", "one")
	if other := s.take("b", "one"); other.Set == first.Set {
		t.Fatal("two builds have one set")
	}
	for _, name := range []string{"seat/terraform.tfstate", "home/.netrc", "tmp/left"} {
		if err := os.WriteFile(filepath.Join(s.o.Dir, first.Set, name), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.Symlink("/etc", filepath.Join(first.Seat, "etc"))
	s.Return("a", true)
	again := s.take("c", "one")
	if again.Set != first.Set || !slices.Equal(again.Plugins, first.Plugins) {
		t.Errorf("a waiting set was not used again")
	}
	var left []string
	filepath.WalkDir(filepath.Join(s.o.Dir, first.Set), func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if rel, _ := filepath.Rel(filepath.Join(s.o.Dir, first.Set), path); !d.IsDir() {
			left = append(left, rel)
		}
		return nil
	})
	if !slices.Equal(left, []string{"lease", "tmp/plugin1"}) {
		t.Errorf("left of the build before: %v", left)
	}
	if _, err := os.Stat("/etc/passwd"); err != nil {
		t.Fatal("a link was followed")
	}
	if got := Left(s.o.Dir); len(got) != 2 || got[first.Set] != "c" {
		t.Errorf("what the next house would find: %v", got)
	}
}

func TestSetsAreNotShared(t *testing.T) {
	t.Parallel()
	s := newStable(t, nil)
	first := s.take("a", "one")
	s.Return("a", true)
	if other := s.take("b", "two"); other.Set == first.Set {
		t.Error("two templates share a set")
	}
	l, err := s.Take(t.Context(), Want{Build: "c", Key: Key{Template: "one"}, Plugins: []Plugin{{Source: "x/y/docker", Path: "/newer"}}})
	if err != nil || l.Set == first.Set {
		t.Errorf("another binary got the set of the old one: %v", err)
	}
}

func TestSetsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Options)
		do     func(s *stable)
		alive  int
	}{
		"a build that failed":  {do: func(s *stable) { s.take("a", "x"); s.Return("a", false) }},
		"another one's return": {do: func(s *stable) { s.take("a", "x"); s.Return("b", false) }, alive: 1},
		"a seat that is gone":  {do: func(s *stable) { os.RemoveAll(s.take("a", "x").Seat); s.Return("a", true) }},
		"a seat that is a link": {do: func(s *stable) {
			l := s.take("a", "x")
			os.RemoveAll(l.Seat)
			os.Symlink("/etc", l.Seat)
			s.Return("a", true)
		}},
		"too many builds": {do: func(s *stable) {
			for range 5 {
				s.take("a", "x")
				s.Return("a", true)
			}
		}},
		"long unused": {do: func(s *stable) { s.take("a", "x"); s.Return("a", true); time.Sleep(11 * time.Minute) }},
		"old": {change: func(o *Options) { o.MaxIdle = 24 * time.Hour }, do: func(s *stable) {
			s.take("a", "x")
			s.Return("a", true)
			time.Sleep(61 * time.Minute)
		}},
		"old, but in use": {do: func(s *stable) { s.take("a", "x"); time.Sleep(3 * time.Hour) }, alive: 1},
		"memory": {change: func(o *Options) { o.Memory = 25 }, do: func(s *stable) {
			for _, n := range []string{"a", "b", "c"} {
				s.take(n, n)
			}
			for _, n := range []string{"a", "b", "c"} {
				s.Return(n, true)
			}
		}, alive: 2},
		"places": {do: func(s *stable) {
			for _, n := range []string{"a", "b", "c", "d"} {
				s.take(n, n)
				s.Return(n, true)
			}
		}, alive: 3},
		"the end of the house":       {do: func(s *stable) { s.take("a", "x"); s.take("b", "x"); s.Return("b", true); s.Close() }, alive: 1},
		"a return to a closed house": {do: func(s *stable) { s.take("a", "x"); s.Close(); s.Return("a", true) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStable(t, c.change)
				c.do(s)
				synctest.Wait()
				if n := s.alive(); n != c.alive || len(s.ended) != len(s.started)-c.alive {
					t.Errorf("%d live, %d of %d were ended; want %d living", n, len(s.ended), len(s.started), c.alive)
				}
				if left := Left(s.o.Dir); len(left) != c.alive {
					t.Errorf("directories: %v", left)
				}
				s.Close()
			})
		})
	}
}

func TestDeadSetsAreNotGiven(t *testing.T) {
	t.Parallel()
	s := newStable(t, func(o *Options) { o.Sets = 1 })
	first := s.take("a", "x")
	s.Return("a", true)
	s.started[0].Kill()
	if l := s.take("b", "x"); l.Set == first.Set {
		t.Error("a dead plugin was given out")
	}
}

func TestNoPlaceIsNoLease(t *testing.T) {
	t.Parallel()
	s := newStable(t, func(o *Options) { o.Sets = 1 })
	s.take("a", "x")
	if _, err := s.Take(t.Context(), Want{Build: "b", Plugins: []Plugin{{Path: "/p"}}}); err == nil {
		t.Error("more sets than there may be")
	}
	s.Return("a", true)
	s.fail = errors.New("no such plugin")
	if _, err := s.Take(t.Context(), Want{Build: "b", Plugins: []Plugin{{Path: "/p"}}}); !errors.Is(err, s.fail) {
		t.Errorf("%v", err)
	}
	if left := Left(s.o.Dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
