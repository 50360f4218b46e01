package organizations

import (
	"context"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
)

// Edit is what to change of an organization; what is nil stays.
type Edit struct {
	Name          *string
	DisplayName   *string
	Description   *string
	ConnectStarts *bool // connections may start stopped workspaces that let them
	IdleCounts    *bool // an open and idle connection is activity
	Sharing       *bool // people may share their workspaces
	AutostartDays *berth.Weekdays
	AutoOff       *time.Duration // 0: never
	AutoOffByUser *bool
	UsedWithin    *time.Duration // auto-start wants that a workspace was used within this; 0: it does not
	Limits        EditLimits
	How           policies.How
}

// EditLimits is what to change of the limits; 0 is no limit.
type EditLimits struct{ Workspaces, Running, WorkspacesPerUser, RunningPerUser *int }

const (
	maxDisplayName = 64
	maxDescription = 1024
	minAutoOff     = 5 * time.Minute
	maxAutoOff     = 365 * 24 * time.Hour
	minUsedWithin  = 24 * time.Hour
	maxLimit       = 1_000_000
)

// apply makes the changes and tells which there are.
func (e Edit) apply(o *berth.Organization) berth.Changes {
	changes, before := berth.Changes{}, *o
	set(changes, "name", &o.Name, e.Name)
	set(changes, "display_name", &o.DisplayName, trimmed(e.DisplayName))
	set(changes, "description", &o.Description, trimmed(e.Description))
	set(changes, "connect_starts", &o.ConnectStarts, e.ConnectStarts)
	set(changes, "sharing", &o.Sharing, e.Sharing)
	if e.AutostartDays != nil {
		o.AutostartDays = *e.AutostartDays
	}
	if e.AutoOff != nil {
		o.AutoOff = *e.AutoOff
	}
	if e.AutoOffByUser != nil {
		o.AutoOffByUser = *e.AutoOffByUser
	}
	if e.UsedWithin != nil {
		o.AutostartUsedWithin = *e.UsedWithin
	}
	if e.IdleCounts != nil {
		o.IdleCounts = *e.IdleCounts
	}
	ruleChanges(changes, rulesOf(before), rulesOf(*o))
	set(changes, "limits.workspaces", &o.Limits.Workspaces, e.Limits.Workspaces)
	set(changes, "limits.running", &o.Limits.Running, e.Limits.Running)
	set(changes, "limits.workspaces_per_user", &o.Limits.WorkspacesPerUser, e.Limits.WorkspacesPerUser)
	set(changes, "limits.running_per_user", &o.Limits.RunningPerUser, e.Limits.RunningPerUser)
	return changes
}

// set changes one field, if it is to change, and notes that.
func set[T any](changes berth.Changes, field string, to *T, from *T) {
	if from != nil {
		changes.Set(field, *to, *from)
		*to = *from
	}
}

func trimmed(s *string) *string {
	if s == nil {
		return nil
	}
	t := strings.TrimSpace(*s)
	return &t
}

// validate checks an organization as it would be.
func validate(o berth.Organization) error {
	if err := berth.ValidateName("name", o.Name); err != nil {
		return err
	}
	if berth.IsID(o.Name) {
		return berth.InvalidField("name", "%q looks like an id: choose a name", o.Name)
	}
	if strings.EqualFold(o.Name, berth.DefaultOrganization) && !o.Default {
		return berth.InvalidField("name", "%q names the default organization: choose another name", o.Name)
	}
	if err := validateTexts(o.DisplayName, o.Description); err != nil {
		return err
	}
	if o.AutoOff != 0 && (o.AutoOff < minAutoOff || o.AutoOff > maxAutoOff) {
		return berth.InvalidField("auto_off_seconds", "workspaces are stopped after 5 minutes to 365 days without activity; 0 is never")
	}
	if o.AutostartUsedWithin != 0 && (o.AutostartUsedWithin < minUsedWithin || o.AutostartUsedWithin > maxAutoOff) {
		return berth.InvalidField("autostart_used_within_seconds", "workspaces start by themselves if they were used in the last 1 to 365 days; 0 is whether they were used or not")
	}
	for _, l := range []struct {
		field string
		value int
	}{
		{"limits.workspaces", o.Limits.Workspaces}, {"limits.running", o.Limits.Running},
		{"limits.workspaces_per_user", o.Limits.WorkspacesPerUser}, {"limits.running_per_user", o.Limits.RunningPerUser},
	} {
		if l.value < 0 || l.value > maxLimit {
			return berth.InvalidField(l.field, "a limit is between 1 and %d; 0 is none", maxLimit)
		}
	}
	return nil
}

func validateTexts(displayName, description string) error {
	switch {
	case len(displayName) > maxDisplayName:
		return berth.InvalidField("display_name", "it is too long: at most %d characters", maxDisplayName)
	case len(description) > maxDescription:
		return berth.InvalidField("description", "it is too long: at most %d characters", maxDescription)
	}
	return nil
}

// Edited is an organization as an edit made it, and what its new rules do to
// workspaces, nil where none of them changed.
type Edited struct {
	berth.Organization
	Effects *berth.Effects
}

// Edit changes the organization of a name or id. A dry run changes nothing, and
// answers the organization as it would be.
func (s *Service) Edit(ctx context.Context, actor authz.Actor, ref string, e Edit) (done Edited, err error) {
	err = e.How.In(s.db)(ctx, func(tx *store.Tx) error {
		before, err := Find(&tx.Query, actor, authz.Update, ref)
		if err != nil {
			return err
		}
		o := before
		changes := e.apply(&o)
		if err := validate(o); err != nil {
			return err
		}
		effects, err := s.judge(tx, before, o, e.How)
		if done = (Edited{o, effects}); err != nil || e.How.DryRun {
			return err
		}
		if len(changes) == 0 && !e.How.Now {
			return nil
		}
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		if effects != nil {
			if err := s.settle(tx, actor, before, o, e.How, *effects); err != nil {
				return err
			}
		}
		done.UpdatedAt = tx.Now
		row := audited(actor, "edit", "organization", o.ID, string(o.ID), before.Name)
		if row.Changes = changes; e.How.Now {
			row.Changes["apply"] = berth.FieldChange{New: policies.Now}
		}
		return tx.InsertAudit(row)
	})
	return done, err
}
