package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// everything is the topic that wakes all who wait.
const everything = "*"

// hub hands wakes to who waits for their topic, in this process and, on
// PostgreSQL, in the other replicas.
type hub struct {
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool
	stop    context.CancelFunc // ends listening
	done    chan struct{}      // listening has ended
}

func newHub() *hub { return &hub{waiting: map[string]map[chan struct{}]bool{}} }

func (h *hub) listen(d dialect) {
	ctx, stop := context.WithCancel(context.Background())
	h.stop, h.done = stop, make(chan struct{})
	go func() {
		defer close(h.done)
		d.listen(ctx, func(topics string) {
			for topic := range strings.SplitSeq(topics, "\n") {
				h.wake(topic)
			}
		})
	}()
}

func (h *hub) close() {
	if h.stop != nil {
		h.stop()
		<-h.done
	}
}

func (h *hub) wake(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if topic == everything {
		for _, chans := range h.waiting {
			ring(chans)
		}
		return
	}
	ring(h.waiting[topic])
}

func ring(chans map[chan struct{}]bool) {
	for c := range chans {
		select {
		case c <- struct{}{}:
		default: // it is rung already and will look
		}
	}
}

// Wake tells everybody who waits for one of the topics to look again. It is a
// hint: it may be lost on its way to other replicas.
func (db *DB) Wake(topics ...string) {
	if len(topics) == 0 {
		return
	}
	for _, t := range topics {
		db.hub.wake(t)
	}
	if db.hub.stop != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		for some := range slices.Chunk(topics, topicsAtOnce) {
			db.dialect.notify(ctx, db.writer, strings.Join(some, "\n"))
		}
	}
}

// topicsAtOnce is how many topics one notification carries: PostgreSQL takes
// less than 8,000 bytes, and a topic has some 50.
const topicsAtOnce = 100

// Waits gives a channel that is rung after a Wake of one of the topics, and what
// ends the waiting. Take it before looking, or a wake in between is missed.
func (db *DB) Waits(topics ...string) (<-chan struct{}, func()) {
	h, c := db.hub, make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, topic := range topics {
		if h.waiting[topic] == nil {
			h.waiting[topic] = map[chan struct{}]bool{}
		}
		h.waiting[topic][c] = true
	}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, topic := range topics {
			delete(h.waiting[topic], c)
			if len(h.waiting[topic]) == 0 {
				delete(h.waiting, topic)
			}
		}
	}
}
