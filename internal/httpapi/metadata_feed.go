package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

const (
	// maxMetadataLine bounds one value as the agent sends it, in bytes.
	maxMetadataLine = 64 << 10
	// maxMetadataItems bounds what one agent can make a server hold.
	maxMetadataItems = 200
	// metadataSilence is how long an agent may say nothing, beats included.
	metadataSilence = time.Minute
)

// feeds are the watched agents' metadata: one request to each, however many
// watch. It is all in memory; nothing of it is ever written down.
type feeds struct {
	call func(agent berth.AgentID, r *http.Request) (*http.Response, error)

	mu  sync.Mutex
	all map[berth.AgentID]*feed
}

// feed is one agent's metadata.
type feed struct {
	stop context.CancelFunc

	mu       sync.Mutex
	watchers map[chan struct{}]bool
	serial   int64
	values   map[string]fed
	order    []string // keys, as they came first
	away     string   // why nothing comes; empty: it does, or may soon
}

type fed struct {
	api.MetadataValue
	serial int64
}

// watch joins the watchers of an agent; wakes rings when there is something new.
func (f *feeds) watch(agent berth.AgentID) (one *feed, wakes chan struct{}, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one = f.all[agent]
	if one == nil {
		ctx, cancel := context.WithCancel(context.Background())
		one = &feed{stop: cancel, watchers: map[chan struct{}]bool{}, values: map[string]fed{}}
		if f.all == nil {
			f.all = map[berth.AgentID]*feed{}
		}
		f.all[agent] = one
		go one.run(ctx, func(r *http.Request) (*http.Response, error) { return f.call(agent, r) })
	}
	wakes = make(chan struct{}, 1)
	one.mu.Lock()
	one.watchers[wakes] = true
	one.mu.Unlock()
	return one, wakes, sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		one.mu.Lock()
		defer one.mu.Unlock()
		if delete(one.watchers, wakes); len(one.watchers) == 0 {
			one.stop()
			delete(f.all, agent)
		}
	})
}

// run asks the agent, again and again when it is away, until ctx ends.
func (f *feed) run(ctx context.Context, call func(*http.Request) (*http.Response, error)) {
	for wait := time.Second; ; wait = min(2*wait, 10*time.Second) {
		heard, err := f.listen(ctx, call)
		if ctx.Err() != nil {
			return
		}
		f.set(sentenceOf(err))
		if heard {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func sentenceOf(err error) string {
	if berth.ErrorCode(err) == berth.Internal {
		return "The connection to the workspace's agent was lost."
	}
	return err.Error()
}

// listen takes values until the agent's answer ends.
func (f *feed) listen(ctx context.Context, call func(*http.Request) (*http.Response, error)) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/metadata", nil)
	if err != nil {
		return false, err
	}
	silent := time.AfterFunc(metadataSilence, cancel)
	defer silent.Stop()
	resp, err := call(r)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, berth.Errorf(berth.Unavailable, "the workspace's agent is too old to know metadata: restart the workspace to get this server's agent")
	}
	f.set("")
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxMetadataLine)
	for lines.Scan() {
		silent.Reset(metadataSilence)
		var v api.MetadataValue
		if len(bytes.TrimSpace(lines.Bytes())) > 0 && json.Unmarshal(lines.Bytes(), &v) == nil {
			f.take(v)
		}
	}
	return true, berth.Errorf(berth.Unavailable, "The connection to the workspace's agent was lost.")
}

func (f *feed) take(v api.MetadataValue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.values[v.Key]
	if !ok && len(f.order) >= maxMetadataItems || ok && known.MetadataValue == v {
		return // the same again, after the agent was away
	}
	if !ok {
		f.order = append(f.order, v.Key)
	}
	f.serial++
	f.values[v.Key] = fed{v, f.serial}
	f.ring()
}

func (f *feed) set(away string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away != away {
		f.away = away
		f.ring()
	}
}

func (f *feed) ring() {
	for w := range f.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// after gives the values behind a place in the order, the place of the last,
// and why nothing comes.
func (f *feed) after(serial int64) (fresh []api.MetadataValue, last int64, away string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range f.order {
		if v := f.values[key]; v.serial > serial {
			fresh = append(fresh, v.MetadataValue)
		}
	}
	return fresh, f.serial, f.away
}
