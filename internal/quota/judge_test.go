package quota_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/quota"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	forty := berth.Allowance{Amount: 40}
	for name, c := range map[string]struct {
		facts quota.Facts
		says  string // part of the reason; empty: allowed
	}{
		"fits":                        {quota.Facts{Transition: berth.Start, Cost: 10, Others: 30, Budget: forty}, ""},
		"too much":                    {quota.Facts{Transition: berth.Start, Cost: 30, Others: 30, Budget: forty, Owner: "ana"}, "this costs 30 a day, 10 of the 40 of ana are left, so nothing was changed: stop or delete other workspaces"},
		"others are above the budget": {quota.Facts{Transition: berth.Start, Cost: 1, Others: 90, Budget: forty, Owner: "ana"}, "0 of the 40 of ana are left"},
		"more than there can be":      {quota.Facts{Transition: berth.Start, Cost: 41, Budget: forty}, "nothing was changed: choose something smaller"},
		"no budget at all":            {quota.Facts{Transition: berth.Start, Cost: 1, Owner: "prebuilds"}, "prebuilds has no budget here"},
		"nothing of no budget":        {quota.Facts{Transition: berth.Start}, ""},
		"as much as before":           {quota.Facts{Transition: berth.Start, Cost: 50, Counted: 50, Others: 90, Budget: forty}, ""},
		"more than before":            {quota.Facts{Transition: berth.Start, Cost: 51, Counted: 50, Others: 90, Budget: forty}, "this costs 51"},
		"unlimited":                   {quota.Facts{Transition: berth.Start, Cost: berth.MaxDailyCost, Unknown: []string{"a.b"}, Budget: berth.Allowance{Unlimited: true}}, ""},
		"unknown":                     {quota.Facts{Transition: berth.Start, Unknown: []string{"a.b", "c.d"}, Budget: forty}, "the cost of a.b, c.d is known only once"},
		"many unknown":                {quota.Facts{Transition: berth.Start, Unknown: strings.Split("1 2 3 4 5 6 7", " "), Budget: forty}, "5, and 2 more is known"},
		"a dear stop":                 {quota.Facts{Transition: berth.Stop, Cost: 99, Unknown: []string{"a.b"}}, ""},
		"a delete":                    {quota.Facts{Transition: berth.Delete, Cost: 99}, ""},
	} {
		v := quota.Decide(c.facts)
		if v.Allow != (c.says == "") || !strings.Contains(v.Reason, c.says) || !v.Allow && v.ErrorCode != quota.ErrorCode {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// What is allowed is within the budget, or no more than there was; and what is
// cheaper than something allowed is allowed too.
func TestDecideProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cost := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, berth.MaxDailyCost))
		f := quota.Facts{Transition: berth.Start, Cost: cost.Draw(t, "cost"), Counted: cost.Draw(t, "counted"), Others: cost.Draw(t, "others"),
			Budget: berth.Allowance{Amount: cost.Draw(t, "budget")}, Owner: "ana"}
		allowed := quota.Decide(f).Allow
		if want := f.Cost <= f.Counted || f.Others+f.Cost <= f.Budget.Amount || f.Cost == 0; allowed != want {
			t.Fatalf("allowed: %v", allowed)
		}
		cheaper := f
		cheaper.Cost = rapid.IntRange(0, f.Cost).Draw(t, "cheaper")
		if allowed && !quota.Decide(cheaper).Allow {
			t.Fatalf("%d is allowed, and %d is not", f.Cost, cheaper.Cost)
		}
	})
}
