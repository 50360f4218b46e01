package providers

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Status is whether a provider can take builds.
type Status string

const (
	Pending Status = "pending" // no runner has called yet
	Ready   Status = "ready"
	Failing Status = "error" // its runners are silent, or say that they cannot
)

// quiet is how long a runner may be silent before it counts as away. It calls
// at least every 30 s.
const quiet = 90 * time.Second

// View is a provider with what its runners last said.
type View struct {
	Provider berth.Provider
	Status   Status
	Reason   string // why it is not ready; a sentence with the cure
	Runners  int    // that called lately
	Slots    int    // of those that can take builds
}

// view judges a provider by its runners that called lately.
func view(p berth.Provider, runners []store.Runner, now time.Time) View {
	v := View{Provider: p, Status: Failing, Runners: len(runners)}
	for _, r := range runners {
		if r.Problem == "" {
			v.Status = Ready
			v.Slots += r.Slots
		} else if v.Reason == "" {
			v.Reason = r.Problem
		}
	}
	switch {
	case v.Status == Ready:
		v.Reason = ""
	case len(runners) > 0: // the reason is what the first of them said
	case p.SeenAt.IsZero():
		v.Status, v.Reason = Pending, fmt.Sprintf("no runner of %s has called yet: %s", p.Name, cure(p))
	default:
		v.Reason = fmt.Sprintf("no runner of %s has called for %s: %s", p.Name, now.Sub(p.SeenAt).Round(time.Second), cure(p))
	}
	return v
}

func cure(p berth.Provider) string {
	if p.Name == berth.BuiltInProvider {
		return "it starts with the server, so look into the server's log"
	}
	return "start it with berth provider run, and see that it reaches this server"
}
