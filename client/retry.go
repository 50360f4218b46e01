package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"syscall"
	"time"

	"github.com/berthdev/berth"
)

// repeat does try, and again while it fails in a way that did nothing and may
// pass, for at most c.retry. Only calls that change nothing are repeated.
func (c *Client) repeat(ctx context.Context, safe bool, try func() (*http.Response, error)) (*http.Response, error) {
	end := time.Now().Add(c.retry)
	for n := 0; ; n++ {
		res, err := try()
		if err == nil || !safe || !passing(err) {
			return res, err
		}
		wait := backoff(n)
		if time.Now().Add(wait).After(end) {
			return nil, err
		}
		c.onRetry(err)
		if !pause(ctx, wait) {
			return nil, err
		}
	}
}

// passing tells whether err says that no server was there to do anything.
func passing(err error) bool {
	var e *berth.Error
	if !errors.As(err, &e) || e.Code != berth.Unavailable {
		return false
	}
	var s status
	return errors.Is(e.Err, syscall.ECONNREFUSED) || errors.As(e.Err, &s) && s == http.StatusServiceUnavailable
}

// backoff is the pause after try n (from 0): about 50 ms, doubled each time up
// to about 2 s, and spread so that many clients do not come at once.
func backoff(n int) time.Duration {
	d := 2 * time.Second
	if n < 6 {
		d = min(d, 50*time.Millisecond<<n)
	}
	return d/2 + rand.N(d)
}

// pause waits for d; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
