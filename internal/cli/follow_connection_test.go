package cli

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berthdev/berth"
)

// An editor that connects again between the stop and the start of an update
// does not make the update fail.
func TestUpdateAfterConnection(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	ours, ended := building("start", "succeeded", "")
	theirs, theirsEnded := ours, ended
	theirs.ID, theirs.Reason = "01980000-0000-7000-8000-000000000099", string(berth.ReasonSSH)
	theirsEnded.ID = theirs.ID
	stopped := web()
	stopped.Status, stopped.Build.Transition = "stopped", "stop"
	starting := web()
	starting.Status, starting.Build = "starting", theirs
	f.answer("GET /users/me/workspaces/web", stopped)
	f.answer("GET /workspaces/{id}", starting)
	var asked atomic.Int32
	f.mux.HandleFunc("POST /api/v1/workspaces/{id}/builds", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			refuse(w, 409, berth.Conflict, "build 4 is running")
			return
		}
		respond(w, ours)
	})
	f.events("GET /builds/"+theirs.ID+"/events", "build", theirsEnded)
	f.events("GET /builds/"+ours.ID+"/events", "build", ended)
	out, errs, code := f.run(t, "update", "web", "-y")
	if code != 0 || asked.Load() != 2 || !strings.Contains(errs, "A connection is starting web") || !strings.Contains(out, "web is running") {
		t.Errorf("exit %d after %d requests: %q %q", code, asked.Load(), out, errs)
	}
}
