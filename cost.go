package berth

import "time"

// MaxDailyCost is the most that a workspace costs a day, and the most that a
// group allows. What says more counts as this much: sums of it fit into an int.
const MaxDailyCost = 1_000_000_000_000

// BoundCost is a cost within what there is: at least 0, at most MaxDailyCost.
func BoundCost(n int) int { return min(max(n, 0), MaxDailyCost) }

// AddCosts sums bounded costs, and is bounded itself.
func AddCosts(a, b int) int { return BoundCost(BoundCost(a) + BoundCost(b)) }

// VersionCost is what the last start from a version with a preset (empty:
// without one) was planned to cost a day, or what the version's import found.
type VersionCost struct {
	Preset    string
	DailyCost int
	At        time.Time
}

// Counts is what a workspace counts for in its owner's budget while newest is its
// newest build: what it costs, and until that build has ended no less than what
// it was allowed.
func (w Workspace) Counts(newest Build) int {
	if newest.Active() {
		return max(w.DailyCost, newest.DailyCost)
	}
	return w.DailyCost
}
