package activity

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/shell"
)

// told is a server that hears of activity.
type told struct {
	mu      sync.Mutex
	reports []api.AgentActivity
	away    error
}

func (s *told) send(_ context.Context, in api.AgentActivity) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away == nil {
		s.reports = append(s.reports, in)
	}
	return s.away
}

func (s *told) be(away error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *told) all() []api.AgentActivity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reports
}

// kinds are what a report says of, joined.
func kinds(r api.AgentActivity) string {
	var list []string
	for _, s := range r.Seen {
		list = append(list, string(s.Kind))
	}
	return strings.Join(list, " ")
}

func withActivity(t *testing.T, test func(t *testing.T, a *Collector, s *told)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &told{}
		a := New(slog.New(slog.DiscardHandler), s.send)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); a.Run(ctx) }()
		test(t, a, s)
		cancel()
		<-done
	})
}

// Somebody types for ten minutes: the server hears of it at once, each minute,
// and no more after the last.
func TestActivityIsToldOnceAMinute(t *testing.T) {
	t.Parallel()
	withActivity(t, func(t *testing.T, a *Collector, s *told) {
		use := a.Open(shell.Opened{Kind: shell.KindTerminal})
		use.In(1)
		synctest.Wait()
		if got := s.all(); len(got) != 1 || kinds(got[0]) != "ssh" {
			t.Fatalf("after the first byte: %+v", got)
		}
		for range 600 {
			time.Sleep(time.Second)
			use.Out(80)
		}
		use.Close()
		if n := len(s.all()); n < 10 || n > 11 {
			t.Errorf("%d reports of ten minutes", n)
		}
		time.Sleep(2 * time.Minute)
		before := len(s.all())
		last := s.all()[before-1].Seen[0]
		if began := time.Duration(last.Began) * time.Millisecond; began < 9*time.Minute || began > 11*time.Minute {
			t.Errorf("the spell began %v before its last report", began)
		}
		time.Sleep(time.Hour)
		if n := len(s.all()); n != before {
			t.Errorf("%d reports of an hour in which nothing happened", n-before)
		}
		use.In(1)
		synctest.Wait()
		if got := s.all(); len(got) != before+1 || got[before].Seen[0].Began > 10 {
			t.Errorf("after a pause a new spell begins at once: %+v", got[len(got)-1])
		}
	})
}

// After another link, perhaps to a server that was killed, what was told lately
// is told again, and what is long ago is not.
func TestActivityIsToldAgain(t *testing.T) {
	t.Parallel()
	withActivity(t, func(t *testing.T, a *Collector, s *told) {
		a.Note(berth.EvidenceTerminal, "", time.Now())
		time.Sleep(berth.SpellGap)
		a.Again()
		synctest.Wait()
		if n := len(s.all()); n != 2 {
			t.Errorf("%d reports after another link", n)
		}
		time.Sleep(time.Hour)
		a.Again()
		time.Sleep(time.Hour)
		if n := len(s.all()); n != 2 {
			t.Errorf("%d reports after a link much later", n)
		}
	})
}

// An open connection is kept apart, and is told of as long as it is open.
func TestAnOpenConnectionIsKeptApart(t *testing.T) {
	t.Parallel()
	withActivity(t, func(t *testing.T, a *Collector, s *told) {
		gone := a.Connected()
		time.Sleep(time.Hour)
		synctest.Wait()
		got := s.all()
		if n := len(got); n < 10 || n > 16 {
			t.Errorf("%d reports of an hour", n)
		}
		last := got[len(got)-1]
		if kinds(last) != "connection" || last.Seen[0].Detail != "1 open" || time.Duration(last.Seen[0].Began)*time.Millisecond < 50*time.Minute {
			t.Errorf("last %+v", last)
		}
		again := a.Connected()
		gone()
		gone() // once is enough
		time.Sleep(10 * time.Minute)
		again()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		before := len(s.all())
		time.Sleep(time.Hour)
		if n := len(s.all()); n != before {
			t.Errorf("%d reports after the last connection ended", n-before)
		}
		if seen := a.seen(time.Now()).Seen[0]; time.Duration(seen.Last)*time.Millisecond < time.Hour {
			t.Errorf("it ended more than an hour ago: %+v", seen)
		}
	})
}

// While the server is away nothing is lost, and it is not asked more often.
func TestActivityWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	withActivity(t, func(t *testing.T, a *Collector, s *told) {
		s.be(errors.New("away"))
		a.Note(berth.EvidenceTerminal, "", time.Now())
		time.Sleep(30 * time.Minute)
		s.be(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		got := s.all()
		if len(got) != 1 || kinds(got[0]) != "terminal" || got[0].Seen[0].Last < (30*time.Minute).Milliseconds() {
			t.Errorf("told %+v", got)
		}
	})
}

// An editor that nobody uses, and a forwarded port that a program keeps open,
// move a few bytes all day. Opening them is use, and so is working with them.
func TestATrickleIsNobody(t *testing.T) {
	t.Parallel()
	for _, opened := range []shell.Opened{{Kind: shell.KindCommand, Client: "vscode"}, {Kind: shell.KindForward}, {Kind: shell.KindForward, Client: "jetbrains"}} {
		synctest.Test(t, func(t *testing.T) {
			a := New(slog.New(slog.DiscardHandler), nil)
			use := a.Open(opened)
			use.Out(13)
			seen := func() api.Seen { return a.seen(time.Now()).Seen[0] }
			if s := seen(); s.Last != 0 {
				t.Errorf("%+v: its opening was %d ms ago", opened, s.Last)
			}
			for range 60 * 12 { // every 5 s for an hour
				time.Sleep(5 * time.Second)
				use.In(13)
				use.Out(13)
			}
			if s := seen(); s.Last < (59 * time.Minute).Milliseconds() {
				t.Errorf("%+v: a trickle was taken for use: %+v", opened, s)
			}
			use.In(3000)
			if s := seen(); s.Last != 0 || s.Kind == berth.EvidenceIDE != (opened.Client != "") || s.Detail != opened.Client {
				t.Errorf("%+v: after it was used: %+v", opened, s)
			}
		})
	}
}

// In a shell every byte counts.
func TestEveryByteOfAShellCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := New(slog.New(slog.DiscardHandler), nil)
		for kind, detail := range map[shell.Kind]string{shell.KindTerminal: "", shell.KindCommand: "", shell.KindSFTP: "file transfer"} {
			use := a.Open(shell.Opened{Kind: kind})
			time.Sleep(time.Hour)
			use.In(0)
			use.Out(1)
			if s := a.seen(time.Now()).Seen[0]; s.Kind != berth.EvidenceSSH || s.Last != 0 || s.Detail != detail {
				t.Errorf("%s: %+v", kind, s)
			}
			use.Close()
		}
	})
}

func TestActivityOnTheLink(t *testing.T) {
	t.Parallel()
	a := New(slog.New(slog.DiscardHandler), nil)
	a.Note(berth.EvidenceSSH, "x", time.Now())
	w := httptest.NewRecorder()
	a.Serve(w, httptest.NewRequest(http.MethodGet, "/activity", nil))
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, `"kind":"ssh"`) || !strings.Contains(body, `"last_ms":`) {
		t.Errorf("%d %s", w.Code, body)
	}
}
