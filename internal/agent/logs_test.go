package agent

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// Safety: however often the server fails, what it took, with repeated lines
// left out by their number, is every line once and in order.
func TestLinesArriveOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fails := rapid.SliceOfN(rapid.SampledFrom([]string{"", "before", "after"}), 0, 12).Draw(rt, "failures")
		sizes := rapid.SliceOfN(rapid.IntRange(0, 40<<10), 0, 30).Draw(rt, "sizes")
		synctest.Test(t, func(t *testing.T) {
			var took []berth.Log
			calls := 0
			q := newLogQueue(slog.New(slog.DiscardHandler), func(_ context.Context, in api.AgentLogs) error {
				fail := ""
				if calls < len(fails) {
					fail = fails[calls]
				}
				calls++
				if fail != "before" {
					for _, l := range in.Lines {
						if l.Seq == int64(len(took))+1 {
							took = append(took, l)
						} else if l.Seq > int64(len(took)) {
							rt.Fatalf("line %d came after %d", l.Seq, len(took))
						}
					}
				}
				if fail != "" {
					return berth.Errorf(berth.Unavailable, "away")
				}
				return nil
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { q.Run(ctx); close(done) }()
			total := 0
			for i, size := range sizes {
				total += size + lineCost
				q.add("info", "start", fmt.Sprint("s", i), strings.Repeat("x", size))
				time.Sleep(time.Duration(i%3) * 100 * time.Millisecond)
			}
			flushing, stop := context.WithTimeout(t.Context(), time.Hour)
			defer stop()
			if !q.Flush(flushing) {
				rt.Fatal("was not flushed")
			}
			cancel()
			<-done
			if total <= maxLogBytes/2 && len(took) != len(sizes) {
				rt.Fatalf("%d lines arrived of %d", len(took), len(sizes))
			}
		})
	})
}

func TestLogIsLimited(t *testing.T) {
	t.Parallel()
	q := newLogQueue(slog.New(slog.DiscardHandler), nil)
	flood := func(source string) {
		for range 20_000 {
			q.add("info", "start", source, strings.Repeat("y", 100))
		}
	}
	size := func() (n int) {
		for _, l := range q.pending {
			n += len(l.Text) + lineCost
		}
		return n
	}
	last := func() string { return q.pending[len(q.pending)-1].Text }
	flood("s")
	if size() > maxLogBytes/2+1000 || !strings.Contains(last(), "The log of s ends here") {
		t.Errorf("%d bytes, last %q", size(), last())
	}
	q.add("info", "start", "t", "still heard")
	if last() != "still heard" {
		t.Error("one that prints without end leaves no room for others")
	}
	for n := range 100 {
		flood(fmt.Sprint("more", n))
	}
	if size() > maxLogBytes+30_000 || !strings.Contains(last(), "The log ends here") {
		t.Errorf("%d bytes, last %q", size(), last())
	}
	n := len(q.pending)
	q.add("info", "start", "u", "more")
	if len(q.pending) != n {
		t.Error("took a line after the end")
	}
	q.allow(stopLogBytes)
	q.add("info", "stop", "s", "bye")
	if len(q.pending) != n+1 {
		t.Error("no room for the stop scripts")
	}
}
