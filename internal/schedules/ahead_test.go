package schedules_test

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestWhatIsBeingStoppedHasNoStopAhead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.for8h()
		id := h.running("web")
		ahead := func() (set bool) {
			t.Helper()
			a, err := h.schedules.Show(t.Context(), h.mel, id)
			must(t, err)
			return !a.Stop.At.IsZero()
		}
		if !ahead() {
			t.Error("a workspace that runs has no stop ahead")
		}
		_, err := h.workspaces.Build(t.Context(), h.mel, id, workspaces.BuildInput{Transition: berth.Stop})
		must(t, err)
		if ahead() {
			t.Error("a workspace that is being stopped has a stop ahead")
		}
		h.run(builds.Report{})
		if ahead() {
			t.Error("a workspace that is stopped has a stop ahead")
		}
	})
}
