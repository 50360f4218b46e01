package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// syncWait is the longest that one call waits; the caller repeats it.
const syncWait = 30 * time.Second

// syncer lets the scripts of a start wait for each other. What it knows lasts as
// long as the agent's process: each start begins anew.
type syncer struct {
	mu      sync.Mutex
	units   units
	changed chan struct{} // closed and replaced when a unit is completed
}

func newSyncer() *syncer { return &syncer{units: units{}, changed: make(chan struct{})} }

// routes offers the syncer on the agent's local socket.
func (s *syncer) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /sync/want", answer(func(_ context.Context, in api.SyncUnit) (api.SyncWaits, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return api.SyncWaits{}, s.units.want(in.Unit, in.Wants)
	}))
	mux.HandleFunc("POST /sync/start", answer(s.start))
	mux.HandleFunc("POST /sync/complete", answer(func(_ context.Context, in api.SyncUnit) (api.SyncWaits, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		err := s.units.complete(in.Unit)
		close(s.changed)
		s.changed = make(chan struct{})
		return api.SyncWaits{}, err
	}))
	mux.HandleFunc("GET /sync/status", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.status(), nil) })
}

// start starts a unit, waiting for what it wants for as long as the caller
// says, but at most 30 s; what it answers then is what it still waits for.
func (s *syncer) start(ctx context.Context, in api.SyncUnit) (api.SyncWaits, error) {
	ctx, cancel := context.WithTimeout(ctx, min(max(time.Duration(in.Wait)*time.Millisecond, 0), syncWait))
	defer cancel()
	for {
		s.mu.Lock()
		waits, err := s.units.start(in.Unit)
		changed := s.changed
		s.mu.Unlock()
		if err != nil || len(waits) == 0 {
			return api.SyncWaits{}, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return api.SyncWaits{For: waits}, nil
		}
	}
}

func (s *syncer) status() api.SyncStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out api.SyncStatus
	for _, name := range slices.Sorted(maps.Keys(s.units)) {
		u := s.units[name]
		out.Units = append(out.Units, api.SyncState{Unit: name, State: string(u.state), Wants: slices.Clone(u.wants)})
	}
	return out
}

// answer is a handler that reads JSON and answers JSON, or a Problem.
func answer[In, Out any](f func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in); err != nil {
			reply(w, nil, berth.Errorf(berth.Invalid, "the request cannot be read: %v", err))
			return
		}
		out, err := f(r.Context(), in)
		reply(w, out, err)
	}
}

func reply(w http.ResponseWriter, out any, err error) {
	if err == nil {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
		return
	}
	p := api.Problem{Status: http.StatusInternalServerError, Code: string(berth.ErrorCode(err)), Detail: err.Error()}
	var e *berth.Error
	if errors.As(err, &e) {
		p.Detail, p.Field = e.Message, e.Field
		if status, ok := statuses[e.Code]; ok {
			p.Status = status
		}
	}
	p.Title = strings.ReplaceAll(p.Code, "_", " ")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

var statuses = map[berth.Code]int{
	berth.Invalid: http.StatusUnprocessableEntity, berth.NotFound: http.StatusNotFound, berth.Conflict: http.StatusConflict,
	berth.Limit: http.StatusTooManyRequests, berth.Unavailable: http.StatusServiceUnavailable, berth.Unauthenticated: http.StatusUnauthorized,
	berth.Forbidden: http.StatusForbidden,
}
