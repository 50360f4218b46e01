package terraform

import (
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
)

// glance is how often the state file is looked at while terraform applies.
const glance = 20 * time.Millisecond

// watcher hands on each whole revision of the state as terraform writes it.
// Terraform truncates and rewrites the file in place, so it is often torn.
type watcher struct {
	dir     *directory
	sink    Sink
	lineage string
	serial  int64
	seen    fs.FileInfo
	last    []byte      // newest revision that was handed on
	held    atomic.Bool // what is written is of no worth yet: the plan is still judged
}

// during watches while do runs.
func (w *watcher) during(do func() error) error {
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(glance)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				w.look()
			}
		}
	})
	err := do()
	close(stop)
	done.Wait()
	return err
}

func (w *watcher) look() {
	if w.held.Load() {
		return
	}
	info, err := w.dir.root.Lstat(stateName)
	if err != nil || info.Size() == 0 {
		return
	}
	if w.seen != nil && info.Size() == w.seen.Size() && info.ModTime().Equal(w.seen.ModTime()) {
		return
	}
	text, err := w.dir.read(stateName, maxState)
	if err != nil {
		return
	}
	lineage, serial, err := Header(text)
	if err != nil {
		return // torn; the next look sees it whole
	}
	w.seen = info
	w.offer(lineage, serial, text)
}

// offer hands a revision on unless it is no newer than the last.
func (w *watcher) offer(lineage string, serial int64, state []byte) {
	if lineage == w.lineage && serial <= w.serial {
		return
	}
	state = withLost(state, w.dir.unfound())
	w.lineage, w.serial, w.last = lineage, serial, state
	w.sink.State(lineage, serial, state)
}

// orderly makes calls of a sink wait for each other.
type orderly struct {
	mu   sync.Mutex
	sink Sink
}

func (o *orderly) Log(l berth.Log) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sink.Log(l)
}

func (o *orderly) State(lineage string, serial int64, state []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sink.State(lineage, serial, state)
}
