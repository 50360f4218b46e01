package simulations

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

// take has the runners take what is pending, each as much as it has slots for,
// and looks at it.
func (y *year) take() {
	now := time.Now()
	for _, p := range y.places {
		if p.isAway(now) {
			y.wants = true
			continue
		}
		var taken []berth.Build
		busy := 0
		for _, runs := range y.ending {
			for _, r := range runs {
				if r.ProviderID == p.ID {
					busy++
				}
			}
		}
		more := false
		y.write(func(tx *store.Tx) error {
			taken, more = nil, false
			r, err := tx.Runner(p.Name)
			if err != nil {
				return err
			}
			for busy+len(taken) < slots {
				b, ok, _, err := tx.TakeBuild(r, berth.ClassRefill, time.Hour)
				if err != nil || !ok {
					return err
				}
				if judged(b) {
					if _, err := tx.AllowBuild(store.Taking{Build: b.ID, Attempt: b.Attempt, Runner: r.ID, Provider: p.ID}); err != nil {
						return err
					}
				}
				taken = append(taken, b)
			}
			more = true
			return nil
		})
		for _, b := range taken {
			y.took(p, b)
		}
		if more {
			y.agenda.add(y.minute(now.Add(time.Second)).Add(5*time.Second), y.take)
		}
	}
}

// took is what will become of a build.
func (y *year) took(p *place, b berth.Build) {
	now := time.Now()
	s := y.byID[b.WorkspaceID]
	r := &run{Build: b, s: s}
	y.watch(s, r)
	s.newest = r
	length := y.between(40*time.Second, 6*time.Minute)
	r.failed = y.chance(0.02) || !judged(b)
	switch b.Transition {
	case berth.Start:
		r.failed = r.failed || p.isBroke(now)
	case berth.Stop:
		length /= 3
		r.failed = r.failed || s.stubborn.After(now)
		if y.chance(0.01) && s.habit.name != "server" { // somebody does not want that
			_, err := y.workspaces.Cancel(y.t.Context(), s.owner.actor, b.ID, false, "")
			y.must(err)
			r.cancel, r.failed, s.wanted = true, false, now
			s.extended = later(s.extended, now.Add(max(s.template.Policy.ActivityBump, time.Hour)))
			y.count["canceled"]++
		}
	}
	if b.Transition != berth.Start { // whoever was in it is thrown out
		if n := len(s.uses); n > 0 && s.uses[n-1].to.After(now) && !r.cancel {
			s.uses[n-1].to = later(b.CreatedAt, s.uses[n-1].from)
			y.count["thrown out"]++
		}
	}
	r.ends = y.minute(now.Add(length)).Add(15 * time.Second)
	if y.ending[r.ends] == nil {
		y.agenda.add(r.ends, func() { y.finish(r.ends) })
	}
	y.ending[r.ends] = append(y.ending[r.ends], r)
}

// finish ends all builds that end at a time, in one transaction.
func (y *year) finish(at time.Time) {
	runs := y.ending[at]
	delete(y.ending, at)
	y.write(func(tx *store.Tx) error {
		for _, r := range runs {
			e, report := store.Ended{Canceled: r.cancel}, builds.Report{Canceled: r.cancel}
			if r.failed {
				e.ErrorCode, e.Error = "terraform", "the cloud says no"
				if !judged(r.Build) {
					e.ErrorCode, e.Error = "quota", "the owner may not spend that"
				}
				report.ErrorCode, report.Error = e.ErrorCode, e.Error
			}
			if err := tx.EndBuild(r.ID, r.Attempt, e); err != nil {
				return err
			}
			b, err := tx.Build(r.ID)
			if err != nil {
				return err
			}
			r.Build = b
			if err := y.kind.Finish(tx, b, report); err != nil {
				return err
			}
			if err := y.replicas[0].Finished(tx, b); err != nil {
				return err
			}
		}
		return nil
	})
	for _, r := range runs {
		y.ended(r)
	}
	y.count["builds"] += len(runs)
	y.look = true
	y.take() // somebody may have waited for the slot
}

// ended is what the end of a build means.
func (y *year) ended(r *run) {
	s := r.s
	r.ok = r.Status() == berth.BuildSucceeded
	if r.failed {
		y.count["failed builds"]++
	}
	switch {
	case r.Reason != berth.ReasonAutostart || !r.failed:
		s.failures = 0
	case s.tried.IsZero() || r.CreatedAt.Sub(s.tried) > 3*time.Hour:
		s.failures, s.tried = 1, r.CreatedAt
	default:
		s.failures++
	}
	switch {
	case r.Transition == berth.Start && judged(r.Build):
		s.up, s.extended = r, time.Time{}
		s.policy, s.orgThen, s.put = s.template.Policy, s.template.org.Organization, time.Time{}
	case r.ok && r.Transition == berth.Stop:
		s.up, s.open, s.extended = nil, false, time.Time{}
	case r.ok && r.Transition == berth.Delete:
		s.up, s.gone = nil, true
		y.count["deleted"]++
	}
}

func (p *place) isAway(at time.Time) bool {
	for _, a := range p.away {
		if a.has(at) {
			return true
		}
	}
	return false
}

func (p *place) isBroke(at time.Time) bool {
	for _, a := range p.broke {
		if a.has(at) {
			return true
		}
	}
	return false
}

// judged tells whether a build is allowed what it plans; a few starts are not.
func judged(b berth.Build) bool {
	sum := 0
	for _, c := range []byte(b.ID) {
		sum = sum*31 + int(c)
	}
	return b.Transition != berth.Start || b.Number == 1 || sum&0xff != 0
}
