package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// following runs a watch until it ends, and gives what was sent.
func following(ctx context.Context, stopping chan struct{}, wakes chan struct{}, next step) (string, error) {
	w := httptest.NewRecorder()
	h := &handlers{Services: Services{Stopping: stopping}}
	err := h.steps(ctx, &stream{w, http.NewResponseController(w)}, wakes, next)
	return w.Body.String(), err
}

func authenticating(again func(context.Context) error) context.Context {
	return context.WithValue(context.Background(), requestKey{}, &request{again: again})
}

var valid = func(context.Context) error { return nil }

func TestWatchesLookBeatAndEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		began := time.Now()
		text, err := following(authenticating(valid), nil, nil, func(_ context.Context, s *stream) (bool, error) {
			looks++
			return time.Since(began) >= 10*time.Minute, s.send("tick", "", looks)
		})
		if err != nil {
			t.Error(err)
		}
		if looks < 600 || looks > 680 { // once a second, and at each of the other tickers
			t.Errorf("%d looks in ten minutes", looks)
		}
		if beats := strings.Count(text, ": still here\n\n"); beats < 39 || beats > 40 {
			t.Errorf("%d heartbeats in ten minutes", beats)
		}
		if !strings.HasPrefix(text, ": watching\n\nevent: tick\ndata: 1\n\n") {
			t.Errorf("it begins with %q", text[:40])
		}
	})
}

func TestWatchesLookAtAWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wakes := make(chan struct{}, 1)
		wakes <- struct{}{}
		began := time.Now()
		looks := 0
		following(authenticating(valid), nil, wakes, func(context.Context, *stream) (bool, error) {
			looks++
			return looks == 2, nil
		})
		if took := time.Since(began); took != 0 {
			t.Errorf("the second look came after %v", took)
		}
	})
}

// A token that is taken away ends what it began, within 20 seconds.
func TestWatchesEndWithTheirToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		began := time.Now()
		ctx := authenticating(func(context.Context) error {
			if time.Since(began) > 3*time.Minute {
				return gone
			}
			return nil
		})
		_, err := following(ctx, nil, nil, func(context.Context, *stream) (bool, error) { return false, nil })
		if took := time.Since(began); !errors.Is(err, gone) || took > 3*time.Minute+21*time.Second {
			t.Errorf("ended after %v: %v", took, err)
		}
	})
}

func TestWatchesEndWithTheServerAndTheClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := func(context.Context, *stream) (bool, error) { return false, nil }
		stopping := make(chan struct{})
		close(stopping)
		if _, err := following(authenticating(valid), stopping, nil, never); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(authenticating(valid), time.Hour)
		defer cancel()
		if _, err := following(ctx, nil, nil, never); err != nil {
			t.Error(err)
		}
	})
}

func TestEventsAreWhole(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	s := &stream{w, http.NewResponseController(w)}
	if err := s.send("log", "7", map[string]string{"text": "two\nlines\r\nand data: more\n\nevent: forged"}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Body.String(), "event: log\nid: 7\ndata: {\"text\":\"two\\nlines\\r\\nand data: more\\n\\nevent: forged\"}\n\n"; got != want {
		t.Errorf("got %q", got)
	}
}
