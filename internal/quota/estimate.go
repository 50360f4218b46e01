package quota

import (
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Estimate is what is known of a start's cost before its plan is made. Only the
// plan is judged: an estimate refuses nothing.
type Estimate struct {
	Known     bool // DailyCost, At and Preset mean something
	DailyCost int
	Preset    string // with which it was known; empty: without one
	At        time.Time

	Told    bool            // what follows means something: the actor may know it
	Budget  berth.Allowance // the owner's
	Spent   int             // by the owner's other workspaces; 0 of an unlimited budget
	Counted int             // what the workspace counts for already
	Owner   string          // username; empty: the actor

	Refused string // why a new workspace would be refused whatever it costs; empty: it would not
}

// Asked is a start that is thought of.
type Asked struct {
	Organization berth.OrganizationID
	Owner        berth.User
	Version      berth.VersionID
	Preset       string
	Workspace    berth.Workspace // zero: a new one
	Answers      bool            // answers are given that the workspace did not have
	Restart      bool            // it is stopped first, so that what it counts for is free again
}

// Foresee tells what a start is likely to cost: what the workspace's own last
// start from this version did, or else the last one of anybody with the same
// preset, or without one. What the owner may spend is told to who may know it.
func Foresee(q *store.Query, actor authz.Actor, a Asked) (e Estimate, err error) {
	if err := e.cost(q, a); err != nil {
		return e, err
	}
	if !authz.Can(actor, authz.Read, authz.OfQuota(a.Owner.ID, a.Organization)) {
		return e, nil
	}
	e.Told = true
	if !a.Restart {
		e.Counted = a.Workspace.DailyCost
	}
	if a.Owner.ID != actor.UserID {
		e.Owner = a.Owner.Username
	}
	if e.Budget, _, err = budget(q, a.Organization, a.Owner.ID); err != nil || e.Budget.Unlimited {
		return e, err
	}
	e.Spent, err = q.Spent(a.Organization, a.Owner.ID, a.Workspace.ID)
	return e, err
}

func (e *Estimate) cost(q *store.Query, a Asked) error {
	if a.Workspace.ID != "" && !a.Answers {
		switch b, err := q.LastStart(a.Workspace.ID, a.Version); {
		case err == nil && b.Preset == a.Preset:
			e.Known, e.DailyCost, e.Preset, e.At = true, b.DailyCost, b.Preset, b.CreatedAt
			return nil
		case err != nil && !errors.Is(err, berth.NotFound):
			return err
		}
	}
	presets := []string{a.Preset}
	if a.Preset != "" {
		presets = append(presets, "")
	}
	for _, p := range presets {
		switch c, err := q.VersionCost(a.Version, p); {
		case err == nil:
			e.Known, e.DailyCost, e.Preset, e.At = true, c.DailyCost, p, c.At
			return nil
		case !errors.Is(err, berth.NotFound):
			return err
		}
	}
	return nil
}

// Left is what the start leaves of the budget; less than 0 when it is too much.
func (e Estimate) Left() int { return e.Budget.Amount - e.Spent - e.DailyCost }

// Fits tells whether the start would be allowed if it cost what is known.
func (e Estimate) Fits() bool {
	return !e.Told || e.Budget.Unlimited || e.DailyCost <= e.Counted || e.Left() >= 0
}

// Says is the estimate in a sentence, without a point; empty when there is nothing
// to say.
func (e Estimate) Says() string {
	limited := e.Told && !e.Budget.Unlimited
	switch {
	case !e.Known && limited:
		return fmt.Sprintf("what this costs is not known yet; %d of %s %d a day are left", max(e.Budget.Amount-e.Spent, 0), e.whose(), e.Budget.Amount)
	case !e.Known || !limited && e.DailyCost == 0:
		return ""
	case !limited:
		return fmt.Sprintf("this costs %d a day", e.DailyCost)
	case !e.Fits():
		return fmt.Sprintf("this costs %d a day, and %d of %s %d are left: unless it turns out to be cheaper it will be refused, and nothing changed; %s",
			e.DailyCost, max(e.Budget.Amount-e.Spent, 0), e.whose(), e.Budget.Amount, cure(e.DailyCost, e.Budget.Amount))
	}
	return fmt.Sprintf("this costs %d of %s %d a day, %d are left", e.DailyCost, e.whose(), e.Budget.Amount, max(e.Left(), 0))
}

func (e Estimate) whose() string {
	if e.Owner == "" {
		return "your"
	}
	return e.Owner + "'s"
}
