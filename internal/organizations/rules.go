package organizations

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
)

// rules is the part of an organization that its workspaces live by.
type rules struct {
	IdleCounts    bool
	AutostartDays berth.Weekdays
	UsedWithin    time.Duration
	AutoOff       time.Duration
	AutoOffByUser bool
}

func rulesOf(o berth.Organization) rules {
	return rules{o.IdleCounts, o.AutostartDays, o.AutostartUsedWithin, o.AutoOff, o.AutoOffByUser}
}

func (r rules) of(o berth.Organization) berth.Organization {
	o.IdleCounts, o.AutostartDays, o.AutostartUsedWithin = r.IdleCounts, r.AutostartDays, r.UsedWithin
	o.AutoOff, o.AutoOffByUser = r.AutoOff, r.AutoOffByUser
	return o
}

func ruleChanges(c berth.Changes, was, is rules) {
	c.Set("idle_counts", was.IdleCounts, is.IdleCounts)
	c.Set("autostart_days", was.AutostartDays.Names(), is.AutostartDays.Names())
	c.Set("autostart_used_within", was.UsedWithin.String(), is.UsedWithin.String())
	c.Set("auto_off", was.AutoOff.String(), is.AutoOff.String())
	c.Set("auto_off_by_user", was.AutoOffByUser, is.AutoOffByUser)
}

// judge tells what new rules do, nil where none changes, if that may be.
func (s *Service) judge(tx *store.Tx, before, after berth.Organization, how policies.How) (*berth.Effects, error) {
	if rulesOf(before) == rulesOf(after) && !how.Now {
		return nil, nil
	}
	effects, err := s.guard.OrganizationEffects(&tx.Query, before, after, how.Now)
	if err != nil || how.DryRun {
		return &effects, err
	}
	return &effects, how.Judge(effects)
}

// settle does what new rules want besides being stored, and notes them so that
// they can be taken back.
func (s *Service) settle(tx *store.Tx, actor authz.Actor, before, after berth.Organization, how policies.How, effects berth.Effects) error {
	if err := tx.LookAgainOrganization(after.ID); err != nil {
		return err
	}
	if err := s.guard.OrganizationEdited(tx, before, after, how.Now); err != nil {
		return err
	}
	return policies.Record(tx, target(after), actor.UserID, rulesOf(before), rulesOf(after), effects)
}

func target(o berth.Organization) policies.Target {
	return policies.Target{Kind: "organization", ID: string(o.ID), Name: "the organization " + o.Name, Organization: o.ID}
}

// Undo takes back the newest edit of an organization's rules. What it did already
// stays, and has to be confirmed; so has what taking it back stops, puts to sleep
// or deletes sooner.
func (s *Service) Undo(ctx context.Context, actor authz.Actor, ref string, how policies.How) (done Edited, err error) {
	err = how.In(s.db)(ctx, func(tx *store.Tx) error {
		before, err := Find(&tx.Query, actor, authz.Update, ref)
		if err != nil {
			return err
		}
		var was rules
		last, err := policies.Last(&tx.Query, target(before), rulesOf(before), &was, tx.Now)
		if err != nil {
			return err
		}
		if err := last.Judge(how); err != nil {
			return err
		}
		o := was.of(before)
		effects, err := s.judge(tx, before, o, how)
		if done = (Edited{o, effects}); err != nil || how.DryRun {
			return err
		}
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		if err := tx.LookAgainOrganization(o.ID); err != nil {
			return err
		}
		if err := s.guard.OrganizationEdited(tx, before, o, how.Now); err != nil {
			return err
		}
		if err := tx.UndonePolicyChange(last.ID); err != nil {
			return err
		}
		done.UpdatedAt = tx.Now
		row := audited(actor, "undo", "organization", o.ID, string(o.ID), o.Name)
		row.Changes, row.Detail = berth.Changes{}, map[string]any{"edited_at": last.At}
		ruleChanges(row.Changes, rulesOf(before), was)
		return tx.InsertAudit(row)
	})
	return done, err
}
