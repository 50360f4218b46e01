package simulations

import (
	"container/heap"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth/internal/store"
)

// live lives all of the time.
func (y *year) live() {
	next := y.begin
	for {
		at := next
		if soon, ok := y.agenda.next(); ok && soon.Before(at) {
			at = soon
		}
		if at = later(at, y.down); !at.Before(y.end) {
			return
		}
		time.Sleep(time.Until(at))
		now := time.Now()
		for soon, ok := y.agenda.next(); ok && !soon.After(now) && !y.down.After(now); soon, ok = y.agenda.next() {
			heap.Pop(&y.agenda).(plan).do()
		}
		if y.down.After(now) {
			continue
		}
		if y.look {
			y.look, next = false, y.minute(now)
		}
		if !next.After(now) {
			next = y.tick(now)
		}
	}
}

// tick is what servers do each time that they look, and tells when they have to do it again:
// in between nothing is due, and they would find nothing.
func (y *year) tick(now time.Time) time.Time {
	y.beat(now)
	y.count["ticks"]++
	var did int64
	if y.chance(0.1) { // at the same moment
		var ticking sync.WaitGroup
		var mu sync.Mutex
		for _, r := range y.replicas {
			ticking.Go(func() {
				n, err := r.Tick(y.t.Context(), now)
				mu.Lock()
				defer mu.Unlock()
				if did += n; err != nil {
					y.t.Errorf("%s: a tick: %v", now.UTC(), err)
				}
			})
		}
		ticking.Wait()
	} else {
		n, err := y.replicas[y.rng.IntN(len(y.replicas))].Tick(y.t.Context(), now)
		if did = n; err != nil {
			y.t.Errorf("%s: a tick: %v", now.UTC(), err)
		}
	}
	y.count["things done"] += int(did)
	if did > 0 || y.wants {
		y.wants = false
		y.take()
	}
	return y.minute(later(y.due(), now.Add(time.Second)))
}

// beat has the runners tell that they are there, about as often as they must.
func (y *year) beat(now time.Time) {
	if now.Sub(y.beaten) < 50*time.Second {
		return
	}
	y.beaten = now
	y.write(func(tx *store.Tx) error {
		for _, p := range y.places {
			if p.isAway(now) {
				continue
			}
			if _, err := tx.SeeRunner(p.ID, p.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// due is when a workspace is due next.
func (y *year) due() (at time.Time) {
	y.must(y.db.Read(y.t.Context(), func(q *store.Query) error {
		first, err := q.Due(y.end, store.Due{}, 1)
		if at = y.end; len(first) > 0 {
			at = first[0].Look
		}
		return err
	}))
	return at
}

// told is what the year was.
func (y *year) told() string {
	y.count["asked"] = int(y.asked.Load())
	var words []string
	for _, k := range slices.Sorted(maps.Keys(y.count)) {
		words = append(words, fmt.Sprintf("%s %d", k, y.count[k]))
	}
	running, asleep := 0, 0
	for _, s := range y.spaces {
		if s.up != nil {
			running++
		}
		if !s.asleep.IsZero() && !s.gone {
			asleep++
		}
	}
	return fmt.Sprintf("%d workspaces, at the end %d running and %d asleep; %s", len(y.spaces), running, asleep, strings.Join(words, ", "))
}
