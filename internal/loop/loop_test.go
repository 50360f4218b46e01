package loop

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// quiet is a logger whose text a test can read after the loops ended.
func quiet() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}

func TestRunsAtOnceAndThenByPeriod(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		l := &Loop{Name: "count", Every: time.Minute, Run: func(context.Context) (Status, error) {
			runs++
			return Status{}, nil
		}}
		log, _ := quiet()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		Serve(ctx, log, l)
		if runs < 54 || runs > 68 {
			t.Errorf("%d runs in an hour of a loop that runs every minute", runs)
		}
	})
}

func TestWakesDuringARunBecomeOneMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs, running int
		l := &Loop{Name: "slow", Every: 24 * time.Hour}
		l.Run = func(context.Context) (Status, error) {
			runs++
			running++
			defer func() { running-- }()
			if running != 1 {
				t.Errorf("%d runs at once", running)
			}
			time.Sleep(10 * time.Second)
			return Status{}, nil
		}
		log, _ := quiet()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); Serve(ctx, log, l) }()

		time.Sleep(time.Second)
		for range 100 {
			l.Wake()
		}
		time.Sleep(time.Hour)
		cancel()
		<-done
		if runs != 2 {
			t.Errorf("%d runs after the first and many wakes in it, want 2", runs)
		}
	})
}

func TestWakeBeforeServing(t *testing.T) {
	t.Parallel()
	l := &Loop{Name: "early", Every: time.Hour}
	l.Wake()
	l.Wake() // must not block
}

func TestOneBadLoopStopsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good := 0
		loops := []*Loop{
			{Name: "panics", Every: time.Minute, Run: func(context.Context) (Status, error) { panic("the roof is on fire") }},
			{Name: "fails", Every: time.Minute, Run: func(context.Context) (Status, error) { return Status{}, errors.New("no database") }},
			{Name: "hangs", Every: time.Minute, Run: func(ctx context.Context) (Status, error) {
				<-ctx.Done()
				return Status{}, ctx.Err()
			}},
			{Name: "works", Every: time.Minute, Run: func(context.Context) (Status, error) {
				good++
				return Status{Did: "swept 3 rows"}, nil
			}},
		}
		log, text := quiet()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute+time.Second)
		defer cancel()
		Serve(ctx, log, loops...)

		if good < 8 {
			t.Errorf("the working loop ran %d times", good)
		}
		for i, want := range []string{"the roof is on fire", "no database", "", ""} {
			r := loops[i].Report()
			if r.Name == "hangs" {
				continue // ended in its run; it only has to let the others go on
			}
			if (want == "") != (r.Error == "") || !strings.Contains(r.Error, want) {
				t.Errorf("%s: error %q, want %q", r.Name, r.Error, want)
			}
			if r.LastRun.IsZero() || r.Every != time.Minute {
				t.Errorf("%s: report %+v", r.Name, r)
			}
		}
		if n := strings.Count(text.String(), "no database"); n != 1 {
			t.Errorf("a lasting failure was logged %d times", n)
		}
	})
}

func TestReportKeepsWhatWasDoneLast(t *testing.T) {
	t.Parallel()
	log, text := quiet()
	answers := []Status{{Did: "removed 2 tokens"}, {}}
	l := &Loop{Name: "sweep", Every: time.Hour, Run: func(context.Context) (Status, error) {
		s := answers[0]
		answers = answers[1:]
		return s, nil
	}}
	l.runOnce(t.Context(), log)
	l.runOnce(t.Context(), log)
	if r := l.Report(); r.Did != "removed 2 tokens" || r.Error != "" {
		t.Errorf("report %+v", r)
	}
	if n := strings.Count(text.String(), "loop ran"); n != 1 {
		t.Errorf("logged %d runs, want only the one that did something", n)
	}
}

func TestStoppingIsNoFailure(t *testing.T) {
	t.Parallel()
	log, text := quiet()
	ctx, cancel := context.WithCancel(t.Context())
	l := &Loop{Name: "stopped", Every: time.Hour, Run: func(ctx context.Context) (Status, error) {
		cancel()
		<-ctx.Done()
		return Status{}, ctx.Err()
	}}
	Serve(ctx, log, l)
	if r := l.Report(); r.Error != "" || text.Len() != 0 {
		t.Errorf("report %+v, log %q", r, text)
	}
}
