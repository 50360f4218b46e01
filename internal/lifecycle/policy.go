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
// run began and as it is now, the later stop of the two. A setting that somebody
// put on what ran already holds alone, and is the same in both.
type terms struct {
	stood, now berth.Policy
	// When the settings of each rule were put on the run; zero: they were not.
	ttlAt, autoOffAt, requiredAt time.Time
	// from is when the run began, for required stops: days that were put on it
	// later count from then.
	from time.Time
}

func termsOf(f Facts) terms {
	begin := f.Run.CompletedAt
	put := func(ats ...time.Time) (at time.Time) {
		for _, a := range ats {
			if a.After(begin) {
				at = later(at, a)
			}
		}
		return at
	}
	t := terms{now: PolicyOf(f), from: begin}
	if f.Run.Policy != nil {
		t.stood = *f.Run.Policy
		t.ttlAt, t.autoOffAt, t.requiredAt = t.stood.PutAt, t.stood.PutAt, t.stood.DaysAt
		t.from = later(begin, t.stood.DaysAt)
	}
	template, workspace, quiet := put(f.Template.Policy.PolicyAt), put(f.Workspace.PolicyAt), put(f.Owner.QuietHoursAt)
	if !template.IsZero() {
		t.stood.Bump, t.stood.AutostopDays, t.stood.AutostopWeeks = t.now.Bump, t.now.AutostopDays, t.now.AutostopWeeks
		t.ttlAt, t.requiredAt, t.from = template, template, template
	}
	source := template
	if f.Template.Policy.AllowUserAutostop {
		source = workspace
	}
	if !source.IsZero() {
		t.stood.TTL, t.ttlAt = t.now.TTL, later(t.ttlAt, source)
	}
	source = put(f.Organization.PolicyAt)
	if ownAutoOff(f) {
		source = later(source, workspace)
	}
	if !source.IsZero() {
		t.stood.AutoOff, t.autoOffAt = t.now.AutoOff, source
	}
	if !quiet.IsZero() {
		t.stood.QuietHours, t.requiredAt = t.now.QuietHours, later(t.requiredAt, quiet)
	}
	return t
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
