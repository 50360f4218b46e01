package lifecycle

import (
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth"
)

// Check tells what is wrong with a step that somebody wants to take at now; nil
// if nothing is. It shares no code with Next, so that a mistake there does no
// harm: what stops, puts to sleep or deletes has to hold here too.
func Check(f Facts, s Step, now time.Time) error {
	builds := s.Do == Start || s.Do == Stop || s.Do == Delete
	switch w := f.Workspace; {
	case s.Do == Nothing && !s.Look.IsZero() && !s.Look.After(now):
		return errors.New("it is to be looked at again at a time that is over")
	case s.Do == Nothing:
		return nil
	case w.Prebuild:
		return errors.New("it is a prebuild, which no rule reaches")
	case !w.DeletedAt.IsZero():
		return errors.New("it is deleted")
	case f.Build.CompletedAt.IsZero():
		return errors.New("its newest build has not ended")
	case s.Why == "" || s.Rule == "":
		return errors.New("nobody would know why")
	case (s.Do == Wait || s.Do == PutOff) && !s.Look.After(now):
		return errors.New("it waits for a time that is over")
	case builds && s.Ask:
		return errors.New("the agents were not asked whether it is used")
	case builds && (!f.Place.Ready || f.Place.Full):
		return errors.New("its workspace provider cannot take a build")
	}
	switch s.Do {
	case Start:
		return checkStart(f, s, now)
	case Stop:
		return checkStop(f, s, now)
	case Dormant:
		return checkDormant(f, now)
	case Delete:
		return checkDelete(f, s, now)
	case Remind:
		ends := s.Rule == RuleDeletion && s.Due.IsZero() && (f.Template.Policy.DormancyThreshold <= 0 || f.Template.Policy.DormancyAutoDeletion <= 0)
		if !s.Due.After(now) && !ends {
			return errors.New("a reminder of what is over")
		}
	}
	return nil
}

func checkStart(f Facts, s Step, now time.Time) error {
	w, b := f.Workspace, f.Build
	again := b.Transition == berth.Start && b.Reason == berth.ReasonAutostart && b.Error != ""
	switch {
	case s.Reason != berth.ReasonAutostart || s.Rule != RuleSchedule:
		return errors.New("only a schedule starts a workspace")
	case !w.DormantAt.IsZero():
		return errors.New("what sleeps does not start by itself")
	case f.Owner.Status != berth.UserActive:
		return errors.New("its owner is not active")
	case w.Autostart == "" || !f.Template.Policy.AllowUserAutostart:
		return errors.New("it has no schedule that holds")
	case f.Run != nil && (!again || f.Run.ID != b.ID):
		return errors.New("it may be running")
	case b.Transition == berth.Delete && !b.StartedAt.IsZero():
		return errors.New("a delete of it was begun")
	case again && !s.Due.Before(b.CompletedAt) && s.Due.Sub(b.CompletedAt) < time.Hour:
		return nil // tried again
	}
	slots, err := berth.ParseSchedule("", w.Autostart)
	if err != nil {
		return err
	}
	slots = slots.On(f.Organization.AutostartDays & f.Template.Policy.AutostartDays)
	switch within := f.Organization.AutostartUsedWithin; {
	case !slots.Next(s.Due.Add(-time.Second)).Equal(s.Due):
		return fmt.Errorf("%s is no time of its schedule on a day that is allowed", s.Due)
	case s.Due.After(now.Add(5*time.Minute)) || s.Due.Before(now.Add(-12*time.Hour)):
		return fmt.Errorf("%s is not now", s.Due)
	case !s.Due.After(b.CreatedAt):
		return fmt.Errorf("it was built since %s", s.Due)
	case within > 0 && !usedSince(f, s.Due.Add(-within)):
		return errors.New("it was not used for too long")
	}
	return nil
}

// usedSince tells whether anything that counts as use was at or after a time.
func usedSince(f Facts, t time.Time) bool {
	signs := []time.Time{f.Seen.Newest.At, f.Workspace.LastUsedAt, f.Workspace.CreatedAt}
	if _, automatic := f.Build.Reason.Automatic(); !automatic {
		signs = append(signs, f.Build.CreatedAt)
	}
	for _, at := range signs {
		if !at.Before(t) {
			return true
		}
	}
	return false
}

func checkStop(f Facts, s Step, now time.Time) error {
	if f.Run == nil {
		return errors.New("nothing runs")
	}
	begin, seen, t := f.Run.CompletedAt, f.Seen.Newest.At, f.Template.Policy
	switch s.Rule {
	case RuleSuspended:
		if f.Owner.Status != berth.UserSuspended || s.Reason != berth.ReasonSuspended {
			return errors.New("its owner is not suspended")
		}
		return nil
	case RuleFailedStop:
		if f.Build.Transition != berth.Stop || f.Build.Error == "" {
			return errors.New("no stop failed")
		}
		return nil
	case RuleRequiredStop:
		stood := f.Run.Policy != nil && f.Run.Policy.AutostopDays != 0
		if t.AutostopDays == 0 && !stood {
			return errors.New("no stop is required")
		}
		if now.Sub(begin) < 2*time.Hour {
			return errors.New("a required stop leaves two hours at least")
		}
		return nil
	}

	for _, h := range f.Seen.Holds {
		if h.Until.After(now) {
			return errors.New("a hold keeps it")
		}
	}
	if f.Workspace.ExtendedUntil.After(now) {
		return errors.New("somebody extended its time")
	}
	if s.Reason != berth.ReasonAutostop && (s.Rule != RuleDormancy || s.Reason != berth.ReasonDormancy) {
		return fmt.Errorf("%q is no reason for that", s.Reason)
	}

	var unused time.Duration // how long nobody must have used it
	switch s.Rule {
	case RuleTTL:
		lives, bump := shortest(f, func(p berth.Policy) time.Duration { return p.TTL }), shortest(f, func(p berth.Policy) time.Duration { return p.Bump })
		if lives <= 0 || now.Sub(begin) < lives {
			return errors.New("its time to live is not over")
		}
		if t.ActivityBump == 0 && (f.Run.Policy == nil || f.Run.Policy.Bump == 0) {
			return nil // use does not move it
		}
		unused = bump
	case RuleAutoOff:
		if unused = shortest(f, func(p berth.Policy) time.Duration { return p.AutoOff }); unused <= 0 {
			return errors.New("it has no auto-off")
		}
	case RuleVersion:
		if unused = 15 * time.Minute; f.Run.VersionID == f.Template.ActiveVersionID {
			return errors.New("it runs the active version")
		}
	case RuleFailedStart:
		if f.Run.Error == "" && f.Run.CanceledAt.IsZero() || t.FailureTTL <= 0 {
			return errors.New("no start failed that is cleaned up")
		}
		if now.Sub(begin) < t.FailureTTL || now.Sub(seen) < t.FailureTTL {
			return errors.New("it is not time to clean up")
		}
		return nil
	case RuleDormancy:
		if !f.Workspace.DormantAt.IsZero() {
			return nil
		}
		if unused = t.DormancyThreshold; unused <= 0 || usedSince(f, now.Add(-unused).Add(1)) {
			return errors.New("it was used too lately to sleep")
		}
	default:
		return fmt.Errorf("%q stops nothing", s.Rule)
	}
	grace := f.Site.UnknownGrace
	outwaited := grace > 0 && !f.Workspace.UnknownSince.IsZero() && now.Sub(f.Workspace.UnknownSince) >= grace && s.Rule != RuleDormancy
	switch {
	case now.Sub(seen) < unused:
		return errors.New("somebody uses it")
	case !f.Asked:
		return errors.New("the agents were not asked whether it is used")
	case !f.Answered && !outwaited:
		return errors.New("the agents did not say whether it is used")
	}
	return nil
}

// shortest is the shorter of a length as it stood when the run began and as it
// is now, of those that are not never.
func shortest(f Facts, of func(berth.Policy) time.Duration) time.Duration {
	t, w := f.Template.Policy, f.Workspace
	own := berth.Policy{TTL: t.DefaultTTL, Bump: t.ActivityBump, AutoOff: f.Organization.AutoOff}
	if t.AllowUserAutostop {
		own.TTL = w.TTL
	}
	if f.Organization.AutoOffByUser && w.AutoOff != nil {
		own.AutoOff = *w.AutoOff
	}
	d := of(own)
	if p := f.Run.Policy; p != nil && of(*p) > 0 && (d <= 0 || of(*p) < d) {
		d = of(*p)
	}
	return d
}

func checkDormant(f Facts, now time.Time) error {
	threshold := f.Template.Policy.DormancyThreshold
	switch {
	case f.Run != nil:
		return errors.New("it may be running")
	case !f.Workspace.DormantAt.IsZero():
		return errors.New("it sleeps already")
	case threshold <= 0:
		return errors.New("its template puts nothing to sleep")
	case usedSince(f, now.Add(-threshold).Add(1)):
		return errors.New("it was used too lately to sleep")
	}
	return nil
}

func checkDelete(f Facts, s Step, now time.Time) error {
	w, p := f.Workspace, f.Template.Policy
	notice := p.DormancyAutoDeletion
	if notice > 24*time.Hour {
		notice = 24 * time.Hour
	}
	switch {
	case s.Reason != berth.ReasonAutodelete || s.Rule != RuleDeletion:
		return errors.New("only what slept for too long is deleted")
	case f.Run != nil:
		return errors.New("it may be running")
	case w.DormantAt.IsZero() || w.DeletingAt.IsZero() || w.DeletingAt.After(now):
		return errors.New("it has no date of deletion that is over")
	case p.DormancyThreshold <= 0 || p.DormancyAutoDeletion <= 0 || now.Sub(w.DormantAt) < p.DormancyAutoDeletion:
		return errors.New("it did not sleep for long enough")
	case w.NoticedAt.IsZero() || w.NoticedAt.Before(w.DormantAt) || now.Sub(w.NoticedAt) < notice || w.DeletingAt.Sub(w.NoticedAt) < notice:
		return errors.New("its owner was not told in time")
	case f.Owner.Status == berth.UserSuspended:
		return errors.New("its owner is suspended and could read no notice")
	case f.Seen.Newest.At.After(w.DormantAt.Add(time.Hour)) && now.Sub(f.Seen.Newest.At) < p.DormancyAutoDeletion:
		return errors.New("it was used since it sleeps")
	case f.Build.Transition == berth.Delete && now.Sub(f.Build.CompletedAt) < 24*time.Hour:
		return errors.New("a delete failed less than a day ago")
	}
	return nil
}
