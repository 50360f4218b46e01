package schedules_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// A person who wonders reads why it stopped, or when it will; who may not see the
// workspace reads nothing.
func TestExplain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.ActivityBump = time.Hour, 0 })
		id := h.running("web")
		e, err := h.schedules.Explain(t.Context(), h.mel, id)
		must(t, err)
		if len(e.Now) == 0 || !strings.Contains(e.Now[0], "1 h after its start") || len(e.Acts) != 0 {
			t.Errorf("while it runs: %q, %v", e.Now, e.Acts)
		}
		time.Sleep(time.Hour + time.Minute)
		h.tick()
		e, err = h.schedules.Explain(t.Context(), h.mel, id)
		must(t, err)
		if len(e.Acts) == 0 || e.Acts[0].Did != "stop" || e.Acts[0].Rule != "ttl" || e.Acts[0].Build != 2 || e.Acts[0].Why == "" || e.Acts[0].Facts["run"] == nil {
			t.Errorf("once it was stopped: %+v", e.Acts)
		}
		if !slices.ContainsFunc(e.Now, func(s string) bool { return strings.Contains(s, "Its stop is under way") }) {
			t.Errorf("while it is stopped: %q", e.Now)
		}
		stranger := h.person("sue")
		if _, err := h.schedules.Explain(t.Context(), stranger, id); !errors.Is(err, berth.NotFound) {
			t.Errorf("to a stranger: %v", err)
		}
		if _, _, err := h.schedules.Acts(t.Context(), stranger, id, "", 0); !errors.Is(err, berth.NotFound) {
			t.Errorf("acts to a stranger: %v", err)
		}
	})
}

func TestActsPaged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		for range 5 {
			h.write(func(tx *store.Tx) error {
				return tx.InsertAct(berth.Act{WorkspaceID: id, Did: "wait", Rule: "ttl", Why: "It waits."})
			})
		}
		var seen []berth.ActID
		for after := ""; ; {
			acts, next, err := h.schedules.Acts(t.Context(), h.mel, id, after, 2)
			must(t, err)
			for _, a := range acts {
				seen = append(seen, a.ID)
			}
			if after = next; next == "" {
				break
			}
		}
		var all []berth.ActID
		for _, a := range h.acts(id) {
			all = append(all, a.ID)
		}
		if len(all) != 5 || !slices.Equal(seen, all) {
			t.Errorf("%v, want %v", seen, all)
		}
	})
}

// Who is in a workspace reads when it stops, and what puts that off.
func TestReminder(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.ActivityBump = time.Hour, 0 })
		line, err := h.schedules.Reminder(t.Context(), h.running("web"))
		must(t, err)
		if !strings.HasPrefix(line, "Berth: the workspace web stops on ") || !strings.HasSuffix(line, "berth schedule extend web 2h") {
			t.Errorf("%q", line)
		}
	})
}
