package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

// seenUse is when the workspace was last seen in use; zero if never.
func seenUse(f Facts) time.Time { return later(f.Seen.Newest.At, f.Workspace.LastUsedAt) }

// useOfRun is the same for what moves the end of its time to live: that a person
// started it is where that begins.
func useOfRun(f Facts) time.Time {
	if at := f.Workspace.LastUsedAt; at.After(f.Run.CompletedAt) {
		return later(f.Seen.Newest.At, at)
	}
	return f.Seen.Newest.At
}

// LastUse is when somebody last had to do with the workspace, by whatever is
// known: what was seen, and what a person asked for. What starts by itself is not
// used by that. It is never zero: at least, somebody made the workspace.
func LastUse(f Facts) time.Time {
	at := later(seenUse(f), f.Workspace.CreatedAt)
	if Personal(f.Build) {
		at = later(at, f.Build.CreatedAt)
	}
	if f.Run != nil && Personal(*f.Run) {
		at = later(at, f.Run.CompletedAt)
	}
	return at
}

// Personal tells whether a person or their program asked for the build.
func Personal(b berth.Build) bool {
	_, automatic := b.Reason.Automatic()
	return b.Transition != "" && !automatic
}

// kept is until when somebody asked that the workspace stays, and how.
func kept(f Facts, now time.Time) (until time.Time, why func() string) {
	if f.Workspace.ExtendedUntil.After(now) {
		until, why = f.Workspace.ExtendedUntil, func() string { return "the time that somebody extended it by is over" }
	}
	for _, h := range f.Seen.Holds {
		if h.Until.After(now) && h.Until.After(until) {
			until, why = h.Until, func() string { return holdEnds(h) }
		}
	}
	return until, why
}

// later is the later of two times; zero is the earliest.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// soonest is the earliest of times; zero is never.
func soonest(ats ...time.Time) (at time.Time) {
	for _, a := range ats {
		if !a.IsZero() && (at.IsZero() || a.Before(at)) {
			at = a
		}
	}
	return at
}
