package tunnel

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

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
