package schedules

import (
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

// FactsOf is what a decision about a workspace rests on, as it is written down:
// nobody was asked.
func (s *Service) FactsOf(q *store.Query, id berth.WorkspaceID) (lifecycle.Facts, error) {
	return s.factsAt(q, id, time.Now(), s.newRooms())
}

// FactsOfMany is FactsOf for several workspaces, by a few queries for all of
// them. It leaves out those that there are not.
func (s *Service) FactsOfMany(q *store.Query, ids []berth.WorkspaceID) (map[berth.WorkspaceID]lifecycle.Facts, error) {
	return s.factsOf(q, ids, time.Now(), s.newRooms())
}

func (s *Service) factsAt(q *store.Query, id berth.WorkspaceID, now time.Time, rooms *rooms) (lifecycle.Facts, error) {
	found, err := s.factsOf(q, []berth.WorkspaceID{id}, now, rooms)
	if f, ok := found[id]; ok || err != nil {
		return f, err
	}
	return lifecycle.Facts{}, berth.Errorf(berth.NotFound, "there is no such workspace")
}

func (s *Service) factsOf(q *store.Query, ids []berth.WorkspaceID, now time.Time, rooms *rooms) (map[berth.WorkspaceID]lifecycle.Facts, error) {
	found, err := s.settings(q, ids)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	recent := make(map[berth.WorkspaceID][]berth.Evidence, len(found))
	for id := range found {
		recent[id] = s.opt.Recent(id) // before the database, as it says
	}
	seen, err := q.ActivityOf(ids)
	if err != nil {
		return nil, err
	}
	holds, err := q.HoldsOf(ids, now)
	if err != nil {
		return nil, err
	}
	for id, f := range found {
		f.Seen = berth.NewActivity(append(seen[id], recent[id]...), holds[id], f.Organization.IdleCounts, now)
		if f.Place, err = rooms.place(q, f.Workspace.ProviderID, now); err != nil {
			return nil, err
		}
		found[id] = f
	}
	return found, nil
}

// settings is facts without what is known of the use of workspaces and of their
// providers.
func (s *Service) settings(q *store.Query, ids []berth.WorkspaceID) (map[berth.WorkspaceID]lifecycle.Facts, error) {
	lives, err := q.Lives(ids)
	if err != nil || len(lives) == 0 {
		return nil, err
	}
	owners, err := q.UsersOf(lives)
	if err != nil {
		return nil, err
	}
	templates, err := q.TemplatesOf(lives)
	if err != nil {
		return nil, err
	}
	organizations, err := q.OrganizationsOf(lives)
	if err != nil {
		return nil, err
	}
	found := make(map[berth.WorkspaceID]lifecycle.Facts, len(lives))
	for _, l := range lives {
		w := l.Workspace
		found[w.ID] = lifecycle.Facts{Workspace: w, Organization: organizations[w.OrganizationID], Template: templates[w.TemplateID],
			Owner: owners[w.OwnerID], Build: l.Build, Run: l.Run, Site: s.opt.Site}
	}
	return found, nil
}

// withAnswer is the facts with what agents said when they were asked.
func withAnswer(f lifecycle.Facts, a *activity.Answer) lifecycle.Facts {
	if a == nil {
		return f
	}
	f.Seen = berth.NewActivity(append(f.Seen.All, a.All...), f.Seen.Holds, f.Seen.IdleCounts, f.Seen.At)
	f.Asked, f.Answered = true, a.Known
	return f
}

// rooms is how much workspace providers can take, as it was read a moment ago
// and counted on since: that is near enough, and keeps transactions from waiting
// for each other. It is safe for use by many goroutines.
type rooms struct {
	of func(q *store.Query, id berth.ProviderID, now time.Time) (builds.Room, error)

	mu    sync.Mutex
	known map[berth.ProviderID]builds.Room
}

func (s *Service) newRooms() *rooms {
	return &rooms{of: s.opt.Room, known: map[berth.ProviderID]builds.Room{}}
}

func (r *rooms) place(q *store.Query, id berth.ProviderID, now time.Time) (lifecycle.Place, error) {
	r.mu.Lock()
	room, ok := r.known[id]
	r.mu.Unlock()
	if !ok {
		var err error
		if room, err = r.of(q, id, now); err != nil {
			return lifecycle.Place{}, err
		}
		r.mu.Lock()
		r.known[id] = room
		r.mu.Unlock()
	}
	return lifecycle.Place{Ready: room.Slots > 0, Why: room.Why, Full: room.Slots > 0 && room.Scheduled >= 2*room.Slots}, nil
}

// took counts a build that was queued.
func (r *rooms) took(id berth.ProviderID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	room := r.known[id]
	room.Scheduled++
	r.known[id] = room
}
