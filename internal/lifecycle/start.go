package lifecycle

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
)

const (
	// earliest is how long before the time of its schedule a workspace is started
	// at most, so that it is ready by then.
	earliest = 5 * time.Minute
	// tooLate is for how long a start that could not be made is still made.
	tooLate = 12 * time.Hour
)

// slotsOf is when the schedule would start the workspace: on those of its days
// alone that the organization and the template allow.
func slotsOf(f Facts) berth.Schedule {
	if f.Workspace.Autostart == "" || !f.Template.Policy.AllowUserAutostart {
		return berth.Schedule{}
	}
	s, err := berth.ParseSchedule("", f.Workspace.Autostart)
	if err != nil {
		return berth.Schedule{}
	}
	return s.On(f.Organization.AutostartDays & f.Template.Policy.AutostartDays)
}

// mayStart is empty if the schedule may start the workspace, and else why not.
func mayStart(f Facts) string {
	w := f.Workspace
	switch {
	case w.Autostart == "":
		return "It has no schedule."
	case !f.Template.Policy.AllowUserAutostart:
		return "Its template does not let workspaces start by themselves."
	case slotsOf(f).IsZero():
		return "Its organization and its template allow a start by itself on none of the days of its schedule."
	case f.Owner.Status != berth.UserActive:
		return fmt.Sprintf("Its owner %s is %s.", f.Owner.Username, f.Owner.Status)
	case w.Dormant():
		return "It is dormant: it starts again when somebody wakes it."
	case deleteFailed(f.Build):
		return "A delete of it was begun and did not end well, so nothing starts it by itself."
	}
	return ""
}

// Autostart is when the schedule starts the workspace next if it is stopped
// then.
func Autostart(f Facts, now time.Time) StartPlan {
	if why := mayStart(f); why != "" {
		return StartPlan{Why: why}
	}
	slots, lead := slotsOf(f), min(max(f.Workspace.StartTakes, 0), earliest)
	spent := f.Build.CreatedAt
	if f.Build.Transition == berth.Start || Personal(f.Build) {
		// It was made for the time that is about to come, or against it.
		spent = spent.Add(earliest)
	}
	// What was said since the build, of the workspace or its owner, is for the
	// times that come: nothing starts at once since somebody set a schedule.
	for _, changed := range []time.Time{f.Workspace.UpdatedAt, f.Owner.UpdatedAt} {
		if changed.After(f.Build.CompletedAt) {
			spent = later(spent, changed)
		}
	}
	plan := StartPlan{Slot: slots.Previous(now.Add(lead + time.Nanosecond)), Schedule: slots.Describe()}
	if !plan.Slot.After(spent) || now.Sub(plan.Slot) > tooLate {
		if plan.Slot.After(spent) {
			plan.Missed = plan.Slot
		}
		plan.Slot = slots.Next(later(now.Add(lead), spent))
	}
	plan.At = plan.Slot.Add(-lead)
	if within := f.Organization.AutostartUsedWithin; within > 0 && LastUse(f).Before(plan.Slot.Add(-within)) {
		return StartPlan{Missed: plan.Missed, Schedule: plan.Schedule,
			Why: fmt.Sprintf("Nobody used it within %s before %s, as its organization wants it for a start by itself.", length(within), moment(plan.Slot, slots.Location()))}
	}
	plan.Why = fmt.Sprintf("Its schedule starts it at %s.", plan.Schedule)
	return plan
}

// takesActive tells whether a start by itself takes the active version.
func takesActive(f Facts) bool {
	return f.Template.Policy.RequireActive || f.Workspace.AutomaticUpdates == berth.UpdatesAlways
}

// scheduleTurn starts what is stopped, and tries again what did not start.
func scheduleTurn(f Facts, now time.Time) turn {
	step := Step{Do: Start, Rule: RuleSchedule, Reason: berth.ReasonAutostart, Update: takesActive(f)}
	if !stopped(f) || f.Workspace.Autostart == "" {
		return turn{}
	}
	if again := startAgain(f, now); !again.IsZero() {
		return turn{at: again, step: func() Step {
			step.Due = again
			step.Why = fmt.Sprintf("Its start by schedule failed, so it is tried again (%d of %d).", tries(f.Build)+1, len(startAgainAfter)+1)
			return step
		}}
	}
	p := Autostart(f, now)
	return turn{at: p.At, step: func() Step {
		step.Due, step.Why = p.Slot, p.Why
		return step
	}}
}

// stopped tells whether nothing runs that a start could disturb: it was stopped,
// or all that there is is what a start by schedule left when it failed, and
// nobody uses that.
func stopped(f Facts) bool { return f.Run == nil || f.Run.ID == f.Build.ID && startFailed(f) }

// startFailed tells whether the newest build is a start by schedule that failed
// and that nobody uses what is left of.
func startFailed(f Facts) bool {
	b := f.Build
	return b.Transition == berth.Start && b.Reason == berth.ReasonAutostart && b.Status() == berth.BuildFailed &&
		!seenUse(f).After(b.CompletedAt) && len(f.Seen.Holds) == 0
}

// startAgain is when a start by schedule that failed is tried again; zero: it is
// not.
func startAgain(f Facts, now time.Time) time.Time {
	b := f.Build
	if !startFailed(f) || !stopped(f) || mayStart(f) != "" || !Transient(b.ErrorCode) || tries(b) > len(startAgainAfter) {
		return time.Time{}
	}
	at := b.CompletedAt.Add(startAgainAfter[tries(b)-1])
	if now.Sub(at) > tooLate {
		return time.Time{}
	}
	return at
}
