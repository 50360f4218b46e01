package tunnel

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
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

// serveStream answers a request to open or resume a stream, with the stream's
// carrier.
func (a *agent) serveStream(w http.ResponseWriter, r *http.Request) {
	o, err := readOpening(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kind, argument, _ := strings.Cut(o.Kind, ":")
	serve, keeps := a.handler.Streams[kind], a.handler.Keeper != nil
	switch {
	case serve == nil:
		http.Error(w, "this agent has no streams of kind "+strconv.Quote(kind), http.StatusNotFound)
	case keeps && o.Resumes && o.Carrier > 0:
		a.resume(w, r, o)
	case o.From != 0:
		http.Error(w, "this stream cannot be resumed; open a new one", http.StatusGone)
	case keeps && o.Resumes:
		a.openKept(w, r, o, func(ctx context.Context, s *Stream) { serve(ctx, s, argument) })
	default:
		a.openPlain(w, r, o, func(ctx context.Context, s *Stream) { serve(ctx, s, argument) })
	}
}

const taken = "a stream with this id is open already, or too many are"

// openPlain serves a stream that ends with its carrier.
func (a *agent) openPlain(w http.ResponseWriter, r *http.Request, o Opening, serve func(context.Context, *Stream)) {
	e := &entry{}
	if !a.keeper.enter(o.ID, e) {
		http.Error(w, taken, http.StatusConflict)
		return
	}
	defer a.keeper.leave(o.ID, e)
	c, ok := answer(w, r)
	if !ok {
		return
	}
	s := New(c)
	serve(r.Context(), s)
	if r.Context().Err() != nil {
		s.Reset("the connection to the agent ended") // not an end that serve meant
	}
	s.Close()
	<-s.Done()
	c.detach()
}

// openKept serves a stream that outlives its carriers, beside them.
func (a *agent) openKept(w http.ResponseWriter, r *http.Request, o Opening, serve func(context.Context, *Stream)) {
	k := a.keeper
	s := newStream()
	s.resumes, s.keep, s.linger = true, keepFor, keepFor
	e := &entry{actor: o.Actor, kind: o.Kind, s: s}
	if !k.enter(o.ID, e) {
		http.Error(w, taken, http.StatusConflict)
		return
	}
	w.Header().Set(headerReceived, "0")
	c, ok := answer(w, r)
	if !ok {
		k.leave(o.ID, e)
		return
	}
	carrier, err := s.attach(c, 0, 0)
	if err != nil {
		k.leave(o.ID, e)
		return
	}
	go k.serve(o.ID, e, serve)
	<-carrier.gone
	c.detach()
}

// serve is the life of a kept stream.
func (k *Keeper) serve(id string, e *entry, serve func(context.Context, *Stream)) {
	defer k.leave(id, e)
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	go func() {
		select {
		case <-e.s.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	serve(ctx, e.s)
	e.s.Close()
	<-e.s.Done()
}

// resume gives a kept stream the request as its carrier. Whoever is not the
// one that opened it learns no more than that there is none.
func (a *agent) resume(w http.ResponseWriter, r *http.Request, o Opening) {
	e := a.keeper.find(o.ID)
	if e == nil || e.s == nil || e.actor != o.Actor || e.kind != o.Kind {
		http.Error(w, "no such stream to resume; open a new one", http.StatusGone)
		return
	}
	received, err := e.s.release(o.Carrier, o.From)
	switch {
	case errors.Is(err, errStale):
		http.Error(w, err.Error(), http.StatusConflict)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusGone)
		return
	}
	w.Header().Set(headerReceived, strconv.FormatInt(received, 10))
	c, ok := answer(w, r)
	if !ok {
		return // suspended again
	}
	carrier, err := e.s.attach(c, o.Carrier, o.From)
	if err != nil {
		return // a newer one came, or its end
	}
	<-carrier.gone
	c.detach()
}
