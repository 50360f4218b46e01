package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/client"
)

// Every line arrives once and in order, though the connection breaks between
// any two of them, in the middle of an event and with lines said twice.
func TestWatchGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	cl := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		after := r.URL.Query().Get("after")
		line := func(n int) { fmt.Fprintf(w, "event: log\nid: %d\ndata: {\"seq\":%d,\"text\":\"l%d\"}\n\n", n, n, n) }
		switch n := calls.Add(1); {
		case n == 1:
			io.WriteString(w, ": watching\n\nevent: build\ndata: {\"status\":\"running\"}\n\n")
			line(1)
			line(2)
			io.WriteString(w, "event: log\ndata: {\"seq\":3,\"te")
			panic(http.ErrAbortHandler)
		case n == 2:
			problem(w, 503, `{"code":"unavailable","detail":"restarting"}`)
		case n == 3 && after == "2":
			line(2)
			line(3)
		case n >= 4 && after == "3":
			line(4)
			io.WriteString(w, "event: news\ndata: unknown\n\nevent: build\ndata: {\"status\":\"succeeded\",\ndata: \"completed_at\":\"2026-01-02T03:04:05Z\"}\n\n")
			line(5) // nobody listens any more
		default:
			t.Errorf("call %d after %q", n, after)
		}
	}, client.WithRetry(0))
	var got string
	for e, err := range cl.WatchBuild(t.Context(), "b", 0) {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Log != nil:
			got += fmt.Sprint(e.Log.Seq, " ")
		case e.Build != nil:
			got += e.Build.Status + " "
		}
	}
	if got != "running 1 2 3 4 succeeded " {
		t.Error(got)
	}
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		cl := inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
			problem(w, 404, `{"code":"not_found","detail":"gone"}`)
		})
		for _, err := range cl.WatchWorkspace(t.Context(), "w") {
			if !errors.Is(err, berth.NotFound) {
				t.Error(err)
			}
		}
	})
	t.Run("server stays away", func(t *testing.T) {
		t.Parallel()
		retries := 0
		cl := inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
			problem(w, 503, `{"code":"unavailable","detail":"away"}`)
		}, client.WithRetry(0), client.WithRewatch(500*time.Millisecond), client.OnRetry(func(error) { retries++ }))
		for _, err := range cl.WatchBuild(t.Context(), "b", 0) {
			if !errors.Is(err, berth.Unavailable) {
				t.Error(err)
			}
		}
		if retries == 0 {
			t.Error("it was not tried again")
		}
	})
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		ended := make(chan struct{})
		cl := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "event: workspace\ndata: {}\n\n")
			<-r.Context().Done()
			close(ended)
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, err := range cl.WatchWorkspace(ctx, "w") {
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			cancel()
		}
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Error("the handler was not told")
		}
	})
	t.Run("left", func(t *testing.T) {
		t.Parallel()
		ended := make(chan struct{})
		cl := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			for {
				if _, err := io.WriteString(w, "event: workspace\ndata: {}\n\n"); err != nil {
					return
				}
			}
		})
		for range cl.WatchWorkspace(t.Context(), "w") {
			break
		}
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Error("the handler's writes did not end")
		}
	})
}
