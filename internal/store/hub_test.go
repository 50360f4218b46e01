package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func rung(c <-chan struct{}, within time.Duration) bool {
	select {
	case <-c:
		return true
	case <-time.After(within):
		return false
	}
}

func TestWakes(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	a, endA := db.Waits("a")
	b, endB := db.Waits("b")
	defer endB()
	db.Wake("a")
	db.Wake("a", "c")
	if !rung(a, time.Minute) || rung(a, 0) || rung(b, 0) {
		t.Error("a was not rung once, or b was")
	}
	both, endBoth := db.Waits("a", "b")
	db.Wake("b")
	if !rung(both, time.Minute) || !rung(b, time.Minute) {
		t.Error("who waits for two was not rung for one")
	}
	endBoth()
	db.Wake("a")
	if rung(both, 0) || !rung(a, time.Minute) {
		t.Error("rung after the end, or another one was not")
	}
	endA()
	db.Wake("a")
	if rung(a, 0) {
		t.Error("rung after the end")
	}
	// A transaction wakes once it is there, and not when it is not.
	seen := false
	db.Write(t.Context(), func(tx *store.Tx) error {
		tx.Wake("b")
		seen = rung(b, 0)
		return nil
	})
	if seen || !rung(b, time.Minute) {
		t.Error("woken too early or not at all")
	}
	db.Write(t.Context(), func(tx *store.Tx) error {
		tx.Wake("b")
		return errors.New("no")
	})
	if rung(b, 0) {
		t.Error("woken by what is not there")
	}
}

// Wakes reach other replicas where the engine can carry them.
func TestWakesReachOtherReplicas(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		if url[:7] == "sqlite:" {
			t.Skip("SQLite has one replica")
		}
		one, err := store.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		two, err := store.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		c, end := two.Waits("topic")
		defer end()
		for deadline := time.Now().Add(10 * time.Second); ; {
			one.Wake("topic")
			if rung(c, 100*time.Millisecond) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("never woken")
			}
		}
		if err := two.Close(); err != nil { // ends its listening
			t.Error(err)
		}
	})
}
