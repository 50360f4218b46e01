package workspaces

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

// maxAgentLog is how many bytes of one agent's log are kept.
const maxAgentLog = 1 << 20

var errAgent = berth.Errorf(berth.Unauthenticated, "the agent's token is unknown: the workspace was stopped or deleted, or its build has not ended yet")

// AgentByToken tells which agent speaks, for reports: lifecycle and logs, also
// while its workspace is being stopped.
func (s *Service) AgentByToken(ctx context.Context, token string) (AgentIdentity, error) {
	return s.identify(ctx, token, func(newest berth.Build) error {
		if newest.Transition != berth.Start && !newest.Active() {
			return berth.Errorf(berth.Forbidden, "the workspace was stopped: nothing more is taken from its agent")
		}
		return nil
	})
}

// AgentForLink is AgentByToken for the manifest and links, which are refused
// once the newest build is a stop or delete.
func (s *Service) AgentForLink(ctx context.Context, token string) (AgentIdentity, error) {
	return s.identify(ctx, token, func(newest berth.Build) error {
		if newest.Transition != berth.Start {
			return berth.Errorf(berth.Forbidden, "the newest build of the workspace is a %s: its agent may not link", newest.Transition)
		}
		return nil
	})
}

// AnyAgent is AgentByToken without any condition: of an agent that may do
// nothing, for it to say what troubles it.
func (s *Service) AnyAgent(ctx context.Context, token string) (AgentIdentity, error) {
	return s.find(ctx, token, func(berth.User, berth.Build) error { return nil })
}

// identify finds an agent by its token and asks may about the newest build of
// its workspace.
func (s *Service) identify(ctx context.Context, token string, may func(newest berth.Build) error) (who AgentIdentity, err error) {
	return s.find(ctx, token, func(owner berth.User, newest berth.Build) error {
		if owner.Status == berth.UserSuspended {
			return berth.Errorf(berth.Forbidden, "the owner of the workspace is suspended: its agents may not link")
		}
		return may(newest)
	})
}

// find finds an agent by its token and asks may about its owner and the newest
// build of its workspace.
func (s *Service) find(ctx context.Context, token string, may func(owner berth.User, newest berth.Build) error) (who AgentIdentity, err error) {
	if token == "" || len(token) > 200 {
		return who, errAgent
	}
	hash := sha256.Sum256([]byte(token))
	err = s.db.Read(ctx, func(q *store.Query) error {
		if who.Agent, err = q.AgentByToken(hash[:]); err != nil {
			return err
		}
		row, err := q.WorkspaceRow(who.Agent.WorkspaceID)
		if err != nil {
			return err
		}
		who.Workspace, who.Owner, who.Organization = row.Workspace, row.Owner, row.Organization
		if !row.DeletedAt.IsZero() {
			return errAgent
		}
		if err := may(row.Owner, row.Build.Build); err != nil {
			return err
		}
		if who.Build, err = q.Build(who.Agent.BuildID); err != nil {
			return err
		}
		who.Provider, err = q.ProviderRef(string(who.Agent.ProviderID))
		return err
	})
	if errors.Is(err, berth.NotFound) {
		err = errAgent
	}
	if err != nil {
		return AgentIdentity{}, err
	}
	return who, nil
}

// StartedBefore tells whether the agent's workspace had a start that succeeded
// before the agent's own.
func (s *Service) StartedBefore(ctx context.Context, who AgentIdentity) (before bool, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		before, err = q.StartedBefore(who.Workspace.ID, who.Build.Number)
		return err
	})
	return before, err
}

// AgentHello records what the agent's process says of itself at its start. boot
// numbers processes; an older one than the last is a conflict.
func (s *Service) AgentHello(ctx context.Context, who AgentIdentity, version, directory string, boot int64) error {
	return s.report(ctx, who.Workspace.ID, func(tx *store.Tx) error {
		return tx.GreetAgent(who.Agent.ID, boot, version, directory)
	})
}

// Displaces tells whether the process boot would take the place of one that is
// linked.
func (s *Service) Displaces(ctx context.Context, who AgentIdentity, boot int64) (yes bool, err error) {
	if who.Agent.Status(time.Now()) != berth.AgentConnected {
		return false, nil
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		last, err := q.AgentBoot(who.Agent.ID)
		yes = last != 0 && boot > last
		return err
	})
	return yes, err
}

// lifecycles are the words that agents may report.
var lifecycles = []berth.AgentLifecycle{berth.AgentCreated, berth.AgentStarting, berth.AgentReady, berth.AgentStartError, berth.AgentStartTimeout,
	berth.AgentShuttingDown, berth.AgentOff, berth.AgentShutdownError, berth.AgentShutdownTimeout}

// started are the states in which the start is over.
var started = []berth.AgentLifecycle{berth.AgentReady, berth.AgentStartError, berth.AgentStartTimeout}

// AgentLifecycle records how far the agent's process boot is with its scripts.
// Its clock is believed only in the past.
func (s *Service) AgentLifecycle(ctx context.Context, who AgentIdentity, boot int64, state berth.AgentLifecycle, at time.Time) error {
	if !slices.Contains(lifecycles, state) {
		return berth.InvalidField("lifecycle", "%q is not a state of an agent: the agent is newer than this server, or not ours", state)
	}
	return s.report(ctx, who.Workspace.ID, func(tx *store.Tx) error {
		when := at
		if when.Before(who.Agent.CreatedAt) || when.After(tx.Now) {
			when = tx.Now
		}
		ok, err := tx.AgentLifecycle(who.Agent.ID, boot, state, when)
		if err == nil && !ok {
			return berth.Errorf(berth.Conflict, "a newer process of this agent is running: end this one")
		}
		if err != nil || !slices.Contains(started, state) {
			return err
		}
		if err := s.tookUntil(tx, who.Agent, when); err != nil {
			return err
		}
		return builds.KeepTimings(tx, who.Workspace.ID)
	})
}

// tookUntil counts what an agent needed after the build that made it into how
// long starts of its workspace take, with the weight that the last start has in
// that. A process that begins again later does not count.
func (s *Service) tookUntil(tx *store.Tx, a berth.Agent, ready time.Time) error {
	b, err := tx.Build(a.BuildID)
	if err != nil || b.CompletedAt.IsZero() || !ready.After(b.CompletedAt) {
		return err
	}
	d, err := tx.BuildDetail(b.ID)
	if err != nil || berth.WasReady(d.Inside, a) {
		return err
	}
	more := ready.Sub(b.CompletedAt)
	if b.Number > 1 {
		more /= 3 // see smoothed in internal/schedules
	}
	return tx.StartTookMore(a.WorkspaceID, more)
}

// maxSteps is how many steps of one start are kept.
const maxSteps = 200

// stepStatuses are the words that agents may report of a step.
var stepStatuses = []berth.StepStatus{berth.StepRunning, berth.StepDone, berth.StepWarning, berth.StepFailed, berth.StepTimeout}

// AgentSteps records the steps of the start of the agent's process boot, in
// place of those that it reported before. More than 200 are left out.
func (s *Service) AgentSteps(ctx context.Context, who AgentIdentity, boot int64, steps []berth.Step) error {
	steps = steps[:min(len(steps), maxSteps)]
	for _, step := range steps {
		if !slices.Contains(stepStatuses, step.Status) {
			return berth.InvalidField("steps", "%q is not the status of a step: the agent is newer than this server, or not ours", step.Status)
		}
	}
	return s.report(ctx, who.Workspace.ID, func(tx *store.Tx) error {
		ok, err := tx.AgentSteps(who.Agent.ID, boot, steps)
		if err == nil && !ok {
			return berth.Errorf(berth.Conflict, "a newer process of this agent is running: end this one")
		}
		if err != nil || who.Agent.ReadyAt.IsZero() {
			return err
		}
		return builds.KeepTimings(tx, who.Workspace.ID) // they come late
	})
}

// AppendAgentLogs keeps lines of the agent's log. Lines that are there already
// are kept once; when the log is full the rest is dropped and full is true.
func (s *Service) AppendAgentLogs(ctx context.Context, who AgentIdentity, boot int64, lines []berth.Log) (full bool, err error) {
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		var ok bool
		full, ok, err = tx.AppendAgentLogs(who.Agent.ID, boot, lines, maxAgentLog)
		if err == nil && !ok {
			return berth.Errorf(berth.Conflict, "a newer process of this agent is running: end this one")
		}
		return err
	})
	return full, err
}

// report writes something down that a workspace's page shows.
func (s *Service) report(ctx context.Context, id berth.WorkspaceID, write func(*store.Tx) error) error {
	return s.db.Guarded(ctx, func(tx *store.Tx) error {
		tx.Wake(store.WorkspaceTopic(id))
		return write(tx)
	})
}

// Linked records that the agent has a link.
func (s *Service) Linked(ctx context.Context, id berth.AgentID) error {
	return s.presence(ctx, id, func(tx *store.Tx) error { return tx.LinkAgent(id) })
}

// Unlinked records that the agent's last link has ended. An agent that is gone
// changes nothing.
func (s *Service) Unlinked(ctx context.Context, id berth.AgentID) error {
	return ignore(s.presence(ctx, id, func(tx *store.Tx) error { return tx.UnlinkAgent(id) }), berth.NotFound)
}

func (s *Service) presence(ctx context.Context, id berth.AgentID, write func(*store.Tx) error) error {
	return s.db.Guarded(ctx, func(tx *store.Tx) error {
		a, err := tx.Agent(id)
		if err != nil {
			return err
		}
		tx.Wake(store.WorkspaceTopic(a.WorkspaceID))
		return write(tx)
	})
}

// Seen records signs of life of linked agents. It wakes nobody: it comes every
// few seconds for all of them.
func (s *Service) Seen(ctx context.Context, ids []berth.AgentID) error {
	return s.db.Guarded(ctx, func(tx *store.Tx) error { return tx.SeeAgents(ids) })
}
