package builds

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Waits says in a sentence why a pending build waits; empty for others.
func (q *Queue) Waits(query *store.Query, b berth.Build) (string, error) {
	if b.Status() != berth.BuildPending {
		return "", nil
	}
	provider, err := query.ProviderRef(string(b.ProviderID))
	if err != nil {
		return "", err
	}
	runners, err := query.Runners(b.ProviderID, time.Now().Add(-q.opt.Absence))
	if err != nil {
		return "", err
	}
	slots, problem := ready(runners)
	if slots == 0 {
		return notReady(provider, problem), nil
	}
	held, refills, err := query.Holding(b.ProviderID, berth.ClassRefill)
	if err != nil {
		return "", err
	}
	ahead, err := query.Pending(b)
	if err != nil {
		return "", err
	}
	switch {
	case held >= slots:
		return fmt.Sprintf("all slots of the workspace provider %q are busy (%d of %d)%s", provider.Name, held, slots, behind(ahead)), nil
	case b.Class == berth.ClassRefill && refills >= max(slots/2, 1):
		return fmt.Sprintf("pool refills may hold half of the %d slots of the workspace provider %q, and %d do%s", slots, provider.Name, refills, behind(ahead)), nil
	case ahead > 0:
		return fmt.Sprintf("%s the queue of the workspace provider %q", count(ahead, "build goes first in", "builds go first in"), provider.Name), nil
	}
	return fmt.Sprintf("a runner of the workspace provider %q is about to take it", provider.Name), nil
}

// ready counts the slots of runners that can take builds, and gives the problem
// of one that cannot.
func ready(runners []store.Runner) (slots int, problem string) {
	for _, r := range runners {
		if r.Problem != "" {
			problem = r.Problem
			continue
		}
		slots += r.Slots
	}
	return slots, problem
}

func notReady(p berth.Provider, problem string) string {
	switch {
	case problem != "":
		return fmt.Sprintf("the workspace provider %q is not ready: %s", p.Name, problem)
	case p.SeenAt.IsZero():
		return fmt.Sprintf("no runner of the workspace provider %q has ever reported: start one", p.Name)
	}
	return fmt.Sprintf("no runner of the workspace provider %q reports; the last did at %s: see whether it runs and reaches this server",
		p.Name, p.SeenAt.Format("2006-01-02 15:04:05 MST"))
}

func behind(ahead int) string {
	if ahead == 0 {
		return ""
	}
	return "; " + count(ahead, "build goes", "builds go") + " first"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
