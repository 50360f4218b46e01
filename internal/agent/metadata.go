package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/retry"
)

const (
	// stagger is between the first runs of two items.
	stagger = 100 * time.Millisecond
	// metadataBeat keeps a silent stream of values alive.
	metadataBeat = 20 * time.Second
)

// metadata collects what the template's metadata scripts print, each at its
// interval, while somebody watches. The last values stay here, and nowhere else.
type metadata struct {
	agent *agent

	mu       sync.Mutex
	values   map[string]collected
	serial   int64
	watchers map[chan struct{}]bool
	stop     context.CancelFunc // ends the collecting; nil while there is none
	done     chan struct{}      // closed when the last collecting has ended
}

// collected is a value and its place in the order of all.
type collected struct {
	api.MetadataValue
	serial int64
}

func newMetadata(a *agent) *metadata {
	done := make(chan struct{})
	close(done)
	return &metadata{agent: a, values: map[string]collected{}, watchers: map[chan struct{}]bool{}, done: done}
}

// serve answers GET /metadata: a JSON object on each line, first for every value
// that there is, then for each that comes, until the caller leaves. An empty line
// says that nothing is new.
func (m *metadata) serve(w http.ResponseWriter, r *http.Request) {
	wakes, leave := m.watch()
	defer leave()
	w.Header().Set("Content-Type", "application/x-ndjson")
	conn, lines := http.NewResponseController(w), json.NewEncoder(w)
	beats := time.NewTicker(metadataBeat)
	defer beats.Stop()
	for sent := int64(0); ; {
		var fresh []api.MetadataValue
		fresh, sent = m.after(sent)
		for _, v := range fresh {
			if lines.Encode(v) != nil {
				return
			}
		}
		if conn.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-wakes:
		case <-beats.C:
			if _, err := w.Write([]byte("\n")); err != nil {
				return
			}
		}
	}
}

// watch begins to collect, with the first who calls, until the last has left.
func (m *metadata) watch() (wakes chan struct{}, leave func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wakes = make(chan struct{}, 1)
	m.watchers[wakes] = true
	if m.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		before, done := m.done, make(chan struct{})
		m.stop, m.done = cancel, done
		go func() {
			defer close(done)
			<-before // no script runs twice at once
			m.collect(ctx)
		}()
	}
	return wakes, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watchers, wakes)
		if len(m.watchers) == 0 {
			m.stop()
			m.stop = nil
		}
	}
}

// collect runs the scripts of all items until ctx ends.
func (m *metadata) collect(ctx context.Context) {
	var all sync.WaitGroup
	for i, item := range m.agent.manifest.Load().Agent.Metadata {
		all.Go(func() { m.collectItem(ctx, item, time.Duration(i)*stagger) })
	}
	all.Wait()
}

func (m *metadata) collectItem(ctx context.Context, item berth.AgentMetadata, first time.Duration) {
	every := time.Duration(max(item.Interval, 1)) * time.Second
	wait := first
	m.mu.Lock()
	if last, ok := m.values[item.Key]; ok {
		wait = min(every, max(wait, every-time.Since(last.CollectedAt))) // clocks jump
	}
	m.mu.Unlock()
	for retry.Pause(ctx, wait) {
		began := time.Now()
		v := m.agent.runMetadata(ctx, item)
		if ctx.Err() != nil {
			return
		}
		m.store(v)
		wait = max(0, every-time.Since(began))
	}
}

func (m *metadata) store(v api.MetadataValue) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serial++
	m.values[v.Key] = collected{v, m.serial}
	for w := range m.watchers {
		retry.Wake(w)
	}
}

// after gives the values behind a place in the order, and the place of the last.
func (m *metadata) after(serial int64) (fresh []api.MetadataValue, last int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, item := range m.agent.manifest.Load().Agent.Metadata {
		if v, ok := m.values[item.Key]; ok && v.serial > serial {
			fresh = append(fresh, v.MetadataValue)
		}
	}
	return fresh, m.serial
}

// close ends the collecting for good.
func (m *metadata) close() {
	m.mu.Lock()
	if m.stop != nil {
		m.stop()
	}
	done := m.done
	m.mu.Unlock()
	<-done
}
