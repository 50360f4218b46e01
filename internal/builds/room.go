package builds

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Room is how much a workspace provider can take of what nobody waits for.
type Room struct {
	Slots     int    // of runners that can take builds now
	Why       string // a sentence with the cure, when there are none
	Scheduled int    // builds by rules that are pending
}

// RoomOf is the room of a workspace provider.
func (q *Queue) RoomOf(query *store.Query, id berth.ProviderID, now time.Time) (r Room, err error) {
	runners, err := query.Runners(id, now.Add(-q.opt.Absence))
	if err != nil {
		return r, err
	}
	slots, problem := ready(runners)
	if r.Slots = slots; slots == 0 {
		provider, err := query.ProviderRef(string(id))
		if err != nil {
			return r, err
		}
		r.Why = notReady(provider, problem)
		return r, nil
	}
	r.Scheduled, err = query.Waiting(id, berth.ClassScheduled)
	return r, err
}
