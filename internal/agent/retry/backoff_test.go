package retry

import (
	"fmt"
	"log/slog"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := Backoff{Log: slog.New(slog.DiscardHandler)}
	var waits []string
	for range 12 {
		wait := b.Next(now, false)
		waits = append(waits, fmt.Sprint(wait))
		if wait < shortestWait/2 || wait > longestWait {
			t.Fatalf("%v", waits)
		}
	}
	if b.wait != longestWait {
		t.Errorf("does not reach %v: %v", longestWait, waits)
	}
	if wait := b.Next(now, true); wait > refusedWait {
		t.Errorf("refused: waits %v at first", wait)
	}
	for range 10 {
		b.Next(now.Add(time.Hour), true)
	}
	if b.wait != refusedSlow {
		t.Errorf("refused for long: %v", b.wait)
	}
}
