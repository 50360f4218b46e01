package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

// startAgainAfter is how long after each failure a start by schedule is tried
// again. After the last of them it waits for the next time of the schedule.
var startAgainAfter = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}

// stopAgainAfter is the same for stops of any kind, which are tried until they
// work: the last length again and again.
var stopAgainAfter = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour}

// deleteAgainAfter is how long after a delete that failed the next one is made.
const deleteAgainAfter = 24 * time.Hour

// Transient tells whether a build that failed with a code may succeed when it is
// made again with nothing changed. What is not known may.
func Transient(code string) bool {
	switch code {
	case berth.FailedPersistence, berth.FailedQuota, berth.FailedInput, berth.FailedResult, berth.FailedAbandoned:
		return false
	}
	return true
}

// tries is how many builds for one purpose failed in a row, this one included.
func tries(b berth.Build) int { return max(b.Tries, 1) }

// StopAgain is when a stop that failed is tried again; zero if the newest build
// is none, or the workspace was used since, which takes the wish back.
func StopAgain(f Facts) time.Time {
	if seenUse(f).After(f.Build.CompletedAt) {
		return time.Time{}
	}
	return stopFailed(f)
}

// stopFailed is StopAgain, whether it was used since or not.
func stopFailed(f Facts) time.Time {
	b := f.Build
	if f.Run == nil || b.Transition != berth.Stop || b.Status() != berth.BuildFailed {
		return time.Time{}
	}
	return b.CompletedAt.Add(stopAgainAfter[min(tries(b), len(stopAgainAfter))-1])
}

// deleteFailed tells whether the build is a delete that began and did not end
// well: nobody knows what is left.
func deleteFailed(b berth.Build) bool {
	return b.Transition == berth.Delete && !b.Active() && !b.StartedAt.IsZero() && b.Status() != berth.BuildSucceeded
}
