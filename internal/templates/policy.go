package templates

import (
	"context"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
)

// PolicyEdit is what to change of what a template says about the lives of its
// workspaces; what is nil stays. A length of 0 is never.
type PolicyEdit struct {
	DefaultTTL           *time.Duration
	ActivityBump         *time.Duration
	AutostopDays         *berth.Weekdays
	AutostopWeeks        *int
	AutostartDays        *berth.Weekdays
	FailureTTL           *time.Duration
	DormancyThreshold    *time.Duration
	DormancyAutoDeletion *time.Duration
	AllowUserAutostart   *bool
	AllowUserAutostop    *bool
	AllowUserCancel      *bool
	RequireActive        *bool
	Rollout              *berth.Rollout
	AutostopNotify       *time.Duration
	Deprecated           *string
}

func (e PolicyEdit) applied(p berth.TemplatePolicy) berth.TemplatePolicy {
	set(&p.DefaultTTL, e.DefaultTTL)
	set(&p.ActivityBump, e.ActivityBump)
	set(&p.AutostopDays, e.AutostopDays)
	set(&p.AutostopWeeks, e.AutostopWeeks)
	if p.AutostopDays == 0 && e.AutostopWeeks == nil {
		p.AutostopWeeks = 1 // of no days in so many weeks nothing is left
	}
	set(&p.AutostartDays, e.AutostartDays)
	set(&p.FailureTTL, e.FailureTTL)
	set(&p.DormancyThreshold, e.DormancyThreshold)
	set(&p.DormancyAutoDeletion, e.DormancyAutoDeletion)
	set(&p.AllowUserAutostart, e.AllowUserAutostart)
	set(&p.AllowUserAutostop, e.AllowUserAutostop)
	set(&p.AllowUserCancel, e.AllowUserCancel)
	set(&p.RequireActive, e.RequireActive)
	set(&p.Rollout, e.Rollout)
	set(&p.AutostopNotify, e.AutostopNotify)
	if e.Deprecated != nil {
		p.Deprecated = strings.TrimSpace(*e.Deprecated)
	}
	return p
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// policyChanges notes what differs between two policies.
func policyChanges(c berth.Changes, was, is berth.TemplatePolicy) {
	c.Set("policy.default_ttl", was.DefaultTTL.String(), is.DefaultTTL.String())
	c.Set("policy.activity_bump", was.ActivityBump.String(), is.ActivityBump.String())
	c.Set("policy.autostop_days", was.AutostopDays.Names(), is.AutostopDays.Names())
	c.Set("policy.autostop_weeks", was.AutostopWeeks, is.AutostopWeeks)
	c.Set("policy.autostart_days", was.AutostartDays.Names(), is.AutostartDays.Names())
	c.Set("policy.failure_ttl", was.FailureTTL.String(), is.FailureTTL.String())
	c.Set("policy.dormancy_threshold", was.DormancyThreshold.String(), is.DormancyThreshold.String())
	c.Set("policy.dormancy_auto_deletion", was.DormancyAutoDeletion.String(), is.DormancyAutoDeletion.String())
	c.Set("policy.allow_user_autostart", was.AllowUserAutostart, is.AllowUserAutostart)
	c.Set("policy.allow_user_autostop", was.AllowUserAutostop, is.AllowUserAutostop)
	c.Set("policy.allow_user_cancel", was.AllowUserCancel, is.AllowUserCancel)
	c.Set("policy.require_active", was.RequireActive, is.RequireActive)
	c.Set("policy.rollout", was.Rollout, is.Rollout)
	c.Set("policy.autostop_notify", was.AutostopNotify.String(), is.AutostopNotify.String())
	c.Set("policy.deprecated", was.Deprecated, is.Deprecated)
}

// editPolicy puts the policy of after in the place of before's, unless it is a
// dry run, and tells what that does; nil where nothing of it changes. What
// changes is added to c.
func (s *Service) editPolicy(tx *store.Tx, actor authz.Actor, before, after berth.Template, in Edit, c berth.Changes) (*berth.Effects, error) {
	if in.Policy == (PolicyEdit{}) {
		return nil, nil
	}
	if err := after.Policy.Validate("policy."); err != nil {
		return nil, err
	}
	if tightened(before.Policy, after.Policy) {
		after.Policy.TightenedAt = tx.Now
	}
	effects, err := s.guard.TemplateEffects(&tx.Query, before, after, in.How.Now)
	if err != nil || in.How.DryRun {
		return &effects, err
	}
	changed := berth.Changes{}
	policyChanges(changed, before.Policy, after.Policy)
	if len(changed) == 0 && !in.How.Now {
		return &effects, nil
	}
	if err := in.How.Judge(effects); err != nil {
		return nil, err
	}
	for field, change := range changed {
		c[field] = change
	}
	if in.How.Now {
		c["policy.apply"] = berth.FieldChange{New: policies.Now}
	}
	if err := tx.SetTemplatePolicy(after.ID, after.Policy); err != nil {
		return nil, err
	}
	if err := s.guard.TemplateEdited(tx, before, after, in.How.Now); err != nil {
		return nil, err
	}
	return &effects, policies.Record(tx, target(after), actor.UserID, settled(before), settled(after), effects)
}

// tightened tells whether an edit makes something act sooner that asks for no
// start in between.
func tightened(was, is berth.TemplatePolicy) bool {
	sooner := func(was, is time.Duration) bool { return is > 0 && (was == 0 || is < was) }
	return sooner(was.DormancyThreshold, is.DormancyThreshold) || sooner(was.FailureTTL, is.FailureTTL) ||
		is.Rollout != was.Rollout && is.Rollout != berth.RolloutNextStart
}

func target(t berth.Template) policies.Target {
	return policies.Target{Kind: "template", ID: string(t.ID), Name: "the template " + t.Name, Organization: t.OrganizationID, Template: t.ID}
}

// settled is the part of a policy that edits change.
func settled(t berth.Template) berth.TemplatePolicy {
	t.Policy.ActivatedAt, t.Policy.TightenedAt = time.Time{}, time.Time{}
	return t.Policy
}

// Undo takes back the newest edit of a template's policy. What it did already
// stays, and has to be confirmed; so has what taking it back stops, puts to sleep
// or deletes sooner.
func (s *Service) Undo(ctx context.Context, actor authz.Actor, organization, template string, how policies.How) (v View, err error) {
	err = how.In(s.db)(ctx, func(tx *store.Tx) error {
		t, err := Find(&tx.Query, actor, authz.Update, organization, template)
		if err != nil {
			return err
		}
		after := t
		last, err := policies.Last(&tx.Query, target(t), settled(t), &after.Policy, tx.Now)
		if err != nil {
			return err
		}
		after.Policy.ActivatedAt, after.Policy.TightenedAt = t.Policy.ActivatedAt, t.Policy.TightenedAt
		if tightened(t.Policy, after.Policy) { // to take an edit back is an edit
			after.Policy.TightenedAt = tx.Now
		}
		if err := last.Judge(how); err != nil {
			return err
		}
		effects, err := s.guard.TemplateEffects(&tx.Query, t, after, how.Now)
		if err != nil {
			return err
		}
		if !how.DryRun {
			if err := how.Judge(effects); err != nil {
				return err
			}
			if err := s.takeBack(tx, actor, t, after, last, how); err != nil {
				return err
			}
		}
		r, err := tx.TemplateRow(t.ID)
		v = viewOf(r)
		v.Template.Policy, v.Effects = after.Policy, &effects
		return err
	})
	return v, err
}

func (s *Service) takeBack(tx *store.Tx, actor authz.Actor, t, after berth.Template, last policies.Undone, how policies.How) error {
	if err := tx.SetTemplatePolicy(t.ID, after.Policy); err != nil {
		return err
	}
	if err := s.guard.TemplateEdited(tx, t, after, how.Now); err != nil {
		return err
	}
	if err := tx.UndonePolicyChange(last.ID); err != nil {
		return err
	}
	c := berth.Changes{}
	policyChanges(c, t.Policy, after.Policy)
	return audit(tx, actor, "undo", t, c, map[string]any{"edited_at": last.At})
}
