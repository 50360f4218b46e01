package agent

import (
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// activity collects evidence that this workspace is used: the newest spell of
// each kind. It keeps times with the clock that only goes forward.
type activity struct {
	mu     sync.Mutex
	spells map[berth.EvidenceKind]berth.Evidence
}

func newActivity() *activity {
	return &activity{spells: map[berth.EvidenceKind]berth.Evidence{}}
}

// Note says that something uses the workspace now, which is time.Now().
func (a *activity) Note(kind berth.EvidenceKind, detail string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := berth.Evidence{Kind: kind, Detail: detail, Since: now, At: now}
	if known, ok := a.spells[kind]; ok {
		seen = known.Merge(seen)
	}
	a.spells[kind] = seen
}

// seen is everything as it is told to the server.
func (a *activity) seen(now time.Time) []api.Seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []api.Seen
	for _, kind := range berth.EvidenceKinds {
		if e, ok := a.spells[kind]; ok {
			all = append(all, api.Seen{Kind: kind, Detail: e.Detail, Began: now.Sub(e.Since).Milliseconds(), Last: now.Sub(e.At).Milliseconds()})
		}
	}
	return all
}
