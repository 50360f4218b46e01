package agent

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/shell"
)

// maxAnnouncement bounds what the server may have shown, in bytes.
const maxAnnouncement = 4 << 10

// announce shows one line in every open shell, of SSH and of the browser.
func (a *agent) announce(w http.ResponseWriter, r *http.Request) {
	var in api.Announcement
	if json.NewDecoder(io.LimitReader(r.Body, maxAnnouncement)).Decode(&in) != nil {
		http.Error(w, "this is not an announcement", http.StatusBadRequest)
		return
	}
	line := shell.OneLine(in.Text)
	if line == "" {
		http.Error(w, "there is nothing to announce", http.StatusBadRequest)
		return
	}
	a.sessions.Announce(line)
	a.terminals.Announce(line)
	w.WriteHeader(http.StatusNoContent)
}
