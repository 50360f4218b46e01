package activity

import (
	"context"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// askTime is how long agents may take to answer.
const askTime = 5 * time.Second

// Answer is what is known of the use of a workspace.
//
// Who wants to stop, forget or delete a workspace because nobody uses it asks
// just before, and acts only if Known is true, no hold lasts, and Newest is as
// old as their rule wants. Known is false when the workspace may be running and
// one of its agents did not answer: that is not idleness but ignorance, and the
// act is put off. The rest is then what was known before.
type Answer struct {
	Known   bool
	Running bool // its newest build is a start
	berth.Activity
}

// Activity is Ask for somebody who may see the workspace.
func (b *Book) Activity(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (Answer, error) {
	err := b.db.Read(ctx, func(q *store.Query) error {
		_, err := sharing.Find(q, actor, authz.Read, id)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	return b.Ask(ctx, id)
}

// Ask asks a workspace's agents what they saw, at this moment, and puts it
// together with what is known. It takes at most a few seconds. An error means
// that the database is away, which is as good as not known.
func (b *Book) Ask(ctx context.Context, id berth.WorkspaceID) (Answer, error) {
	var row store.WorkspaceRow
	var agents []berth.Agent
	err := b.db.Read(ctx, func(q *store.Query) (err error) {
		if row, err = q.WorkspaceRow(id); err != nil {
			return err
		}
		agents, err = q.Agents(id)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	known := b.askAgents(ctx, row, agents)
	recent := b.Recent(id) // before the database, as it says
	var a berth.Activity
	err = b.db.Read(ctx, func(q *store.Query) error {
		now := time.Now()
		stored, err := q.Activity(id)
		if err != nil {
			return err
		}
		holds, err := q.Holds(id, now)
		a = berth.NewActivity(append(stored, recent...), holds, row.OrganizationIdleCounts, now)
		return err
	})
	return Answer{Known: known, Running: row.Build.Transition == berth.Start, Activity: a}, err
}

// askAgents asks all agents at once and tells whether all that may be seeing
// something answered.
func (b *Book) askAgents(ctx context.Context, row store.WorkspaceRow, agents []berth.Agent) (known bool) {
	if row.Build.Transition != berth.Start && row.Build.Status() == berth.BuildSucceeded {
		return true // it is stopped: there is nothing to see
	}
	if len(agents) == 0 {
		return !row.Build.Active() // it has none, or they are yet to come
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answers := make([]bool, len(agents))
	var asking sync.WaitGroup
	for i, agent := range agents {
		asking.Go(func() {
			seen, err := b.o.Agent(ctx, agent.ID)
			if err != nil {
				b.o.Log.Debug("an agent did not say what it saw", "agent", agent.ID, "error", err)
				return
			}
			b.Report(row.ID, seen)
			answers[i] = true
		})
	}
	asking.Wait()
	for _, answered := range answers {
		if !answered {
			return false
		}
	}
	return true
}
