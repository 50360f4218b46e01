package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

// PolicyOf is by what a start that ended now would be stopped.
func PolicyOf(f Facts) berth.Policy {
	w, t := f.Workspace, f.Template.Policy
	p := berth.Policy{TTL: t.DefaultTTL, Bump: t.ActivityBump, AutoOff: f.Organization.AutoOff,
		AutostopDays: t.AutostopDays, AutostopWeeks: t.AutostopWeeks, QuietHours: QuietHoursOf(f)}
	if t.AllowUserAutostop {
		p.TTL = w.TTL
	}
	if ownAutoOff(f) {
		p.AutoOff = *w.AutoOff
	}
	return p
}

// QuietHoursOf is the daily schedule of the owner's quiet hours.
func QuietHoursOf(f Facts) string {
	if f.Site.CustomQuietHours && f.Owner.QuietHours != "" {
		return f.Owner.QuietHours
	}
	return f.Site.QuietHours
}

// ownAutoOff tells whether the workspace's own auto-off holds.
func ownAutoOff(f Facts) bool { return f.Organization.AutoOffByUser && f.Workspace.AutoOff != nil }

// terms are by what the present run is stopped: the policy as it stood when the
// run began and as it is now, the later stop of the two. What somebody put on
// the run is in the policy as it stood.
type terms struct {
	stood, now berth.Policy
	// When the settings of each rule were put on the run; zero: they were not.
	putAt, requiredAt time.Time
	// from is when the run began, for required stops: days that were put on it
	// later count from then.
	from time.Time
}

func termsOf(f Facts) terms {
	t := terms{now: PolicyOf(f), from: f.Run.CompletedAt}
	if p := f.Run.Policy; p != nil {
		t.stood, t.putAt, t.requiredAt, t.from = *p, p.PutAt, later(p.DaysAt, p.QuietAt), later(t.from, p.DaysAt)
	}
	return t
}

// Put is which settings somebody puts on a run.
type Put struct {
	TTL, Bump, Required, AutoOff, QuietHours bool
}

// PutOn is by what a run is stopped once some of what holds now is put on it,
// and not only on its next start.
func PutOn(f Facts, what Put, now time.Time) berth.Policy {
	var p berth.Policy
	if f.Run.Policy != nil {
		p = *f.Run.Policy
	}
	present := PolicyOf(f)
	if what.TTL {
		p.TTL = present.TTL
	}
	if what.Bump {
		p.Bump = present.Bump
	}
	if what.AutoOff {
		p.AutoOff = present.AutoOff
	}
	if what.TTL || what.Bump || what.AutoOff {
		p.PutAt = now
	}
	if what.Required && (p.AutostopDays != present.AutostopDays || p.AutostopWeeks != present.AutostopWeeks) {
		p.AutostopDays, p.AutostopWeeks, p.DaysAt = present.AutostopDays, present.AutostopWeeks, now
	}
	if what.QuietHours && p.QuietHours != present.QuietHours {
		p.QuietAt = now
	}
	if what.QuietHours || p.QuietHours == "" {
		p.QuietHours = present.QuietHours
	}
	return p
}

// undoFor is for how long at least a setting that was put on a run stops nothing:
// it can be taken back until then.
const undoFor = time.Hour

// notBefore moves a stop behind the time in which the setting that makes it can
// be taken back.
func (l limit) notBefore(put time.Time) limit {
	if !put.IsZero() && !l.at.IsZero() {
		l.at = later(l.at, put.Add(undoFor))
	}
	return l
}
