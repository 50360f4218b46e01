package machines

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// One try at a time, for which nobody waits who can be answered without.
func TestGoogleIsAskedAside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tries, takes atomic.Int64 // takes: how long a try takes
		var fails atomic.Bool
		takes.Store(int64(3 * time.Second))
		k := &googleKeys{ask: func(ctx context.Context) (set jose.JSONWebKeySet, err error) {
			n := tries.Add(1)
			select {
			case <-time.After(time.Duration(takes.Load())):
			case <-ctx.Done():
				return set, ctx.Err()
			}
			if fails.Load() {
				return set, errors.New("away")
			}
			return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: fmt.Sprint(n)}}}, nil
		}}
		get := func(what, want string, wait time.Duration) {
			t.Helper()
			begin, got := time.Now(), ""
			set, err := k.get(t.Context())
			if err == nil {
				got = set.Keys[0].KeyID
			}
			if took := time.Since(begin); got != want || took != wait {
				t.Errorf("%s: %q after %v, %v", what, got, took, err)
			}
		}
		// Those who come first wait for one answer, unless they go away before.
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 5 {
			go get("together", "1", 3*time.Second)
		}
		if _, err := k.get(hasty); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who goes away: %v", err)
		}
		time.Sleep(3 * time.Second)
		get("known", "1", 0)

		// Old ones do until there are new ones.
		time.Sleep(googleLife)
		get("old", "1", 0)
		get("old, while it is asked", "1", 0)
		time.Sleep(6 * time.Second)
		get("renewed", "2", 0)

		// Google is away: the old ones do for a day, and it is not asked all the time.
		fails.Store(true)
		time.Sleep(googleLife)
		before := tries.Load()
		for range 100 {
			get("away", "2", 0)
			time.Sleep(time.Second)
		}
		if n := tries.Load() - before; n > 15 {
			t.Errorf("asked %d times in 100 s", n)
		}
		takes.Store(int64(2 * googleTime))
		time.Sleep(googleKept)
		get("away for long", "", googleTime)
		get("and right after", "", 0)
		takes.Store(int64(time.Second))
		fails.Store(false)
		time.Sleep(googlePause)
		get("there again", fmt.Sprint(tries.Load()+1), time.Second)
	})
}
