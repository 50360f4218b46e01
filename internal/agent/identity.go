package agent

import (
	"encoding/json"
	"net/http"

	"github.com/berthdev/berth/api"
)

// maxIdentity bounds an identity on the wire.
const maxIdentity = 8 << 20

// putIdentity takes whose workspace this is and what it acts with, from the
// relay. It is answered once that is in effect for what starts from then on.
func (a *agent) putIdentity(w http.ResponseWriter, r *http.Request) {
	var id api.Identity
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxIdentity)).Decode(&id); err != nil {
		http.Error(w, "an identity that is not JSON", http.StatusBadRequest)
		return
	}
	a.applying.Lock()
	defer a.applying.Unlock()
	a.identity.Store(&id)
	select {
	case <-a.identified:
	default:
		close(a.identified)
	}
	w.WriteHeader(http.StatusNoContent)
}
