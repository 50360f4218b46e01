package berth

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCostsAreBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.OneOf(rapid.Int(), rapid.SampledFrom([]int{math.MinInt, -1, 0, 1, MaxDailyCost, MaxDailyCost + 1, math.MaxInt}))
		a, b := some.Draw(t, "a"), some.Draw(t, "b")
		sum := AddCosts(a, b)
		if sum < 0 || sum > MaxDailyCost || sum < BoundCost(a) || sum != AddCosts(b, a) {
			t.Fatalf("%d and %d are %d", a, b, sum)
		}
		both := Allowance{Amount: a}.Add(Allowance{Amount: b, Unlimited: true})
		if !both.Unlimited || both.Amount != sum {
			t.Fatalf("the allowances are %+v", both)
		}
	})
}

func TestWhatAWorkspaceCountsFor(t *testing.T) {
	t.Parallel()
	w := Workspace{DailyCost: 5}
	for _, c := range []struct {
		newest Build
		want   int
	}{
		{Build{DailyCost: 9}, 9}, {Build{DailyCost: 3}, 5}, {Build{}, 5},
		{Build{DailyCost: 9, CompletedAt: w.CreatedAt.AddDate(1, 0, 0)}, 5},
	} {
		if got := w.Counts(c.newest); got != c.want {
			t.Errorf("%+v counts for %d, want %d", c.newest, got, c.want)
		}
	}
}
