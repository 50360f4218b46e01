package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/berthdev/berth"
)

// Health is what GET /healthz answers.
type Health struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

// healthPatience is how long the database may take to answer.
const healthPatience = 3 * time.Second

// health answers 200 while the database answers, else 503: no traffic should
// come here then.
func (h *handlers) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthPatience)
	defer cancel()
	if err := h.Ready(ctx); err != nil {
		requestOf(r.Context()).err = &berth.Error{Code: berth.Unavailable, Message: "checking the database", Err: err}
		writeHealth(w, Health{Reason: "the database does not answer"})
		return
	}
	writeHealth(w, Health{OK: true})
}

// Starting answers every request while the server is starting.
func Starting(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		writeHealth(w, Health{Reason: "the server is starting"})
		return
	}
	w.Header().Set("Retry-After", "1")
	writeProblem(w, r, berth.Errorf(berth.Unavailable, "the server is starting: try again in a moment"))
}

func writeHealth(w http.ResponseWriter, health Health) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !health.OK {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(health)
}
