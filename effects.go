package berth

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Effects is what an edit of settings would do to the workspaces that are there,
// as things are: against what would happen without it.
type Effects struct {
	Stops   Effect `json:"stops" doc:"Running ones that are stopped, or sooner"`
	Sleeps  Effect `json:"sleeps" doc:"Ones that become dormant, or sooner"`
	Deletes Effect `json:"deletes" doc:"Ones that are deleted, or sooner: those that are dormant, and those that would be, if nobody uses them until then"`
	// Later counts those that run, stay awake or stay longer.
	Later int `json:"later" doc:"Ones that run, stay awake or are kept longer"`
	// NextStart counts the running ones that it does not reach before they start
	// the next time.
	NextStart int `json:"next_start" doc:"Running ones that it reaches at their next start"`
}

// Effect is one thing that an edit does to workspaces.
type Effect struct {
	Count int           `json:"count"`
	First time.Time     `json:"first,omitzero" doc:"When the first one would be"`
	Some  []EffectedBy  `json:"some,omitempty" doc:"At most 10 of them, the first ones"`
	All   []WorkspaceID `json:"-"` // every one, in no order
}

// EffectedBy is a workspace that an edit reaches.
type EffectedBy struct {
	WorkspaceID WorkspaceID `json:"workspace_id"`
	Owner       string      `json:"owner"`
	Name        string      `json:"name"`
	At          time.Time   `json:"at" doc:"When it would be"`
	Was         time.Time   `json:"was,omitzero" doc:"When it would be without the edit; left out: never"`
	Why         string      `json:"why,omitempty"`
}

// EffectsNamed is how many workspaces an Effect names at most.
const EffectsNamed = 10

// Add counts a workspace in.
func (e *Effect) Add(w EffectedBy) {
	e.Count++
	e.All = append(e.All, w.WorkspaceID)
	if e.First.IsZero() || w.At.Before(e.First) {
		e.First = w.At
	}
	i, _ := slices.BinarySearchFunc(e.Some, w, func(a, b EffectedBy) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(string(a.WorkspaceID), string(b.WorkspaceID))
	})
	if i < EffectsNamed {
		e.Some = slices.Insert(e.Some, i, w)
		e.Some = e.Some[:min(len(e.Some), EffectsNamed)]
	}
}

// Harm tells whether anything is stopped, put to sleep or deleted, or sooner: an
// edit that does wants to be confirmed.
func (e Effects) Harm() bool { return e.Stops.Count+e.Sleeps.Count+e.Deletes.Count > 0 }

// String says in one sentence what the edit would do.
func (e Effects) String() string {
	var parts []string
	for _, p := range []struct {
		effect Effect
		one    string
		many   string
	}{
		{e.Deletes, "is deleted", "are deleted"}, {e.Stops, "is stopped", "are stopped"}, {e.Sleeps, "becomes dormant", "become dormant"},
	} {
		if p.effect.Count == 0 {
			continue
		}
		text := fmt.Sprintf("%d workspaces %s sooner than without it", p.effect.Count, p.many)
		if p.effect.Count == 1 {
			text = "1 workspace " + p.one + " sooner than without it"
		}
		if len(p.effect.Some) > 0 {
			first := p.effect.Some[0]
			text += fmt.Sprintf(" (the first is %s/%s at %s)", first.Owner, first.Name, first.At.UTC().Format("2006-01-02 15:04 MST"))
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "no workspace is stopped, becomes dormant or is deleted sooner than without it"
	}
	return strings.Join(parts, "; ")
}
