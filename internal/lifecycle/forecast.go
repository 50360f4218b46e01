package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

const (
	// maxComing bounds how many acts a forecast has.
	maxComing = 100
	// maxLooks bounds how often a forecast asks the rules.
	maxLooks = 1000
)

// Forecast is what will happen by itself within a length of time from now if
// nobody does anything: at most 100 acts, the first one first. Builds are taken
// to end well, and agents to answer.
func Forecast(f Facts, now time.Time, within time.Duration) []Coming {
	end, coming := now.Add(within), []Coming{}
	f = undisturbed(f, now)
	now = later(now, f.Build.CompletedAt)
	for range maxLooks {
		s := Next(f, now)
		if s.Do == Nothing {
			if s.Look.IsZero() || s.Look.After(end) {
				break
			}
			now = s.Look
			continue
		}
		if s.Do != Remind {
			coming = append(coming, Coming{At: now, Do: s.Do, Rule: s.Rule, Why: s.Why, Unless: s.Unless})
		}
		if s.Do == Delete || len(coming) == maxComing {
			break
		}
		f = happened(f, s, now)
		now = later(now, f.Build.CompletedAt)
	}
	return coming
}

// undisturbed is the facts as a forecast takes them: everybody answers, there is
// a place for each build, and the build that is under way ends well.
func undisturbed(f Facts, now time.Time) Facts {
	f.Place, f.Asked, f.Answered = Place{Ready: true}, true, true
	f.Workspace.UnknownSince = time.Time{}
	b := f.Build
	if !b.Active() {
		return f
	}
	if b.Transition == berth.Start && b.CanceledAt.IsZero() {
		now = later(now, b.CreatedAt.Add(f.Workspace.StartTakes))
	}
	b.StartedAt, b.CompletedAt = later(b.StartedAt, b.CreatedAt), now
	return ended(f, b)
}

// happened is the facts once a step was taken at a time and what it made has
// ended well.
func happened(f Facts, s Step, at time.Time) Facts {
	w := &f.Workspace.Lifecycle
	if s.Do == Dormant || s.Do == Stop && s.Reason == berth.ReasonDormancy && !w.Dormant() {
		*w = Asleep(*w, f.Template.Policy, at)
	}
	if s.Do == Remind {
		*w = Reminded(f, s, at)
	}
	b := berth.Build{ID: f.Build.ID + "'", Number: f.Build.Number + 1, Reason: s.Reason, VersionID: f.Build.VersionID, Tries: 1,
		CreatedAt: at, StartedAt: at, CompletedAt: at}
	switch s.Do {
	case Start:
		b.Transition, b.CompletedAt = berth.Start, at.Add(f.Workspace.StartTakes)
		if s.Update {
			b.VersionID = f.Template.ActiveVersionID
		}
	case Stop:
		b.Transition = berth.Stop
	default:
		return f
	}
	return ended(f, b)
}

// ended is the facts once a build has ended.
func ended(f Facts, b berth.Build) Facts {
	f.Build = b
	if b.Status() != berth.BuildSucceeded {
		return f
	}
	w := &f.Workspace
	w.UnknownSince, w.RemindedFor = time.Time{}, time.Time{}
	switch b.Transition {
	case berth.Start:
		p := PolicyOf(f)
		b.Policy = &p
		f.Build, f.Run = b, &b
		if Personal(b) {
			w.LastUsedAt = later(w.LastUsedAt, b.CompletedAt)
		}
	case berth.Stop:
		f.Run, w.ExtendedUntil, f.Seen.Holds = nil, time.Time{}, nil
	}
	return f
}
