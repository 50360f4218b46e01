package tunnel

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// ResumeFor is how long a network may be away without ending the streams
	// that resume.
	ResumeFor = 5 * time.Minute
	// The dialing side tries a little longer, since what lies between has to
	// find together again too, and the serving side waits until that is over:
	// one of them may have noticed the loss well before the other.
	resumeGrace = 30 * time.Second
	keepFor     = ResumeFor + time.Minute
	closeWait   = time.Second
)

// Keeper knows the streams that an agent serves, over all its links. One that
// was opened to be resumed is kept for a while when its link is lost. What the
// kept ones hold is bounded: there are never more than MaxStreams streams, kept
// ones included, and each holds at most Window in either direction.
type Keeper struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	live   map[string]*entry // by id
}

// entry is one stream. What it is called may not change when it is resumed.
type entry struct {
	actor, kind string
	s           *Stream // nil: it does not resume
}

// NewKeeper makes a Keeper, for the Handlers of one agent.
func NewKeeper() *Keeper {
	k := &Keeper{live: map[string]*entry{}}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k
}

// End ends all streams at once, kept ones too, and tells those who are still
// connected why. New ones can be opened. It gives those that it ended.
func (k *Keeper) End(reason string) []*Stream {
	k.mu.Lock()
	var all []*Stream
	for _, e := range k.live {
		if e.s != nil {
			all = append(all, e.s)
		}
	}
	k.mu.Unlock()
	for _, s := range all {
		s.endNow(reason)
	}
	return all
}

// Close is End, and no stream is opened any more. It waits a moment for those
// that are connected, so that what they sent last arrives.
func (k *Keeper) Close(reason string) {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	all := k.End(reason)
	k.cancel()
	late := time.After(closeWait)
	for _, s := range all {
		select {
		case <-s.Done():
		case <-late:
			return
		}
	}
}

// endNow is Reset for a stream that nobody is to resume.
func (s *Stream) endNow(reason string) {
	s.Reset(reason)
	s.mu.Lock()
	s.doomed = true
	suspended := s.carrier == nil
	s.mu.Unlock()
	if suspended {
		s.fail(lost(errors.New(reason)))
		return
	}
	time.AfterFunc(linger, func() { s.fail(lost(errors.New(reason))) })
}

// enter takes a place for a stream; where there is none, that of the one
// which has been suspended for longest.
func (k *Keeper) enter(id string, e *entry) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || k.live[id] != nil {
		return false
	}
	if len(k.live) >= MaxStreams && !k.evict() {
		return false
	}
	k.live[id] = e
	return true
}

// evict makes room for one stream. k.mu is held.
func (k *Keeper) evict() bool {
	var oldest string
	var since time.Time
	for id, e := range k.live {
		if e.s == nil {
			continue
		}
		if at, suspended := e.s.suspendedAt(); suspended && (oldest == "" || at.Before(since)) {
			oldest, since = id, at
		}
	}
	if oldest == "" {
		return false
	}
	e := k.live[oldest]
	delete(k.live, oldest)
	go e.s.endNow("too many other connections")
	return true
}

func (s *Stream) suspendedAt() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.suspended, s.carrier == nil && !s.ended && !s.suspended.IsZero()
}

func (k *Keeper) leave(id string, e *entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.live[id] == e {
		delete(k.live, id)
	}
}

func (k *Keeper) find(id string) *entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.live[id]
}
