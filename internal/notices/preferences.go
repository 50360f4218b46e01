package notices

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Preference is how somebody is told of a kind.
type Preference struct {
	Kind
	Wants map[berth.Way]bool // of every way, also of those that are not set up
}

// Preferences is how the actor is told of each kind, and which ways there are.
func (s *Service) Preferences(ctx context.Context, actor authz.Actor) (all []Preference, ways []berth.Way, err error) {
	if err := mine(actor, authz.Read); err != nil {
		return nil, nil, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		all, err = preferences(q, actor.UserID)
		return err
	})
	return all, s.all(), err
}

// all are the ways that are set up, the inbox with them.
func (s *Service) all() []berth.Way { return append([]berth.Way{berth.WayInbox}, s.ways()...) }

func preferences(q *store.Query, u berth.UserID) ([]Preference, error) {
	said, err := q.NoticeSwitches(u)
	if err != nil {
		return nil, err
	}
	switches := map[string]map[berth.Way]*bool{}
	for _, w := range said {
		if switches[w.Kind] == nil {
			switches[w.Kind] = map[berth.Way]*bool{}
		}
		switches[w.Kind][w.Way] = &w.Wanted
	}
	all := make([]Preference, len(Kinds))
	for i, k := range Kinds {
		all[i] = Preference{Kind: k, Wants: map[berth.Way]bool{}}
		for _, way := range berth.Ways {
			all[i].Wants[way] = k.wanted(way, switches[k.Name][way])
		}
	}
	return all, nil
}

// Prefer changes how the actor is told of some kinds; what is not named stays.
func (s *Service) Prefer(ctx context.Context, actor authz.Actor, changes map[string]map[berth.Way]bool) (all []Preference, ways []berth.Way, err error) {
	if err := mine(actor, authz.Update); err != nil {
		return nil, nil, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		record := berth.Changes{}
		before, err := preferences(&tx.Query, actor.UserID)
		if err != nil {
			return err
		}
		for _, kind := range slices.Sorted(maps.Keys(changes)) {
			i := slices.IndexFunc(before, func(p Preference) bool { return p.Name == kind })
			if i < 0 {
				return berth.InvalidField("kinds", "there is no kind of notice %q: berth notices preferences lists them", kind)
			}
			for way, wanted := range changes[kind] {
				if err := prefer(tx, actor.UserID, before[i], way, wanted, record); err != nil {
					return err
				}
			}
		}
		if all, err = preferences(&tx.Query, actor.UserID); err != nil || len(record) == 0 {
			return err
		}
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "edit", Kind: "notices", TargetID: string(actor.UserID), TargetName: actor.Username, Changes: record})
	})
	return all, s.all(), err
}

// prefer changes one switch. What everybody has anyway is not kept.
func prefer(tx *store.Tx, u berth.UserID, p Preference, way berth.Way, wanted bool, record berth.Changes) error {
	switch {
	case !slices.Contains(berth.Ways, way):
		return berth.InvalidField("kinds", "%q is no way to be told something: use %s", string(way), listed(berth.Ways))
	case !wanted && slices.Contains(p.Fixed, way):
		return berth.InvalidField("kinds", "%s cannot be switched off in the %s: by it you can still act before something is lost", p.Name, way)
	}
	record.Set(p.Name+" "+string(way), p.Wants[way], wanted)
	if p.wanted(way, nil) == wanted {
		return tx.ClearNoticeSwitch(u, p.Name, way)
	}
	return tx.SetNoticeSwitch(u, store.NoticeSwitch{Kind: p.Name, Way: way, Wanted: wanted})
}

func listed(ways []berth.Way) string {
	words := make([]string, len(ways))
	for i, w := range ways {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}
