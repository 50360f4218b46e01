package quota

import (
	"fmt"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// ErrorCode is the machine word of a build that quota refused.
const ErrorCode = berth.FailedQuota

// Facts are what the rule knows of a build when it judges its plan.
type Facts struct {
	Transition berth.Transition
	Cost       int             // of what the plan leaves, a day
	Unknown    []string        // what in the plan has a cost that is not known before it is made
	Counted    int             // what the workspace counts for already
	Others     int             // what the owner's other workspaces in the organization count for
	Budget     berth.Allowance // the owner's, in the organization
	Owner      string          // username
}

// Decide is the rule: a start is refused when it costs more than the workspace
// counts for already and more than what the others leave of the budget. It is
// pure.
func Decide(f Facts) berth.Verdict {
	allowed := berth.Verdict{Allow: true}
	if f.Transition != berth.Start || f.Budget.Unlimited {
		return allowed
	}
	if len(f.Unknown) > 0 {
		return refuse("the cost of %s is known only once it is made, and the budget of %s is limited, so nothing was changed: give its daily_cost in the template a value that is known before",
			strings.Join(shorten(f.Unknown), ", "), f.Owner)
	}
	left := Left(f.Budget, f.Others)
	if f.Cost <= f.Counted || f.Cost <= left {
		return allowed
	}
	return refuse("this costs %d a day, %s, so nothing was changed: %s",
		f.Cost, leaves(f.Owner, left, f.Budget.Amount), cure(f.Cost, f.Budget.Amount))
}

func refuse(format string, args ...any) berth.Verdict {
	return berth.Verdict{ErrorCode: ErrorCode, Reason: fmt.Sprintf(format, args...)}
}

// leaves says what the other workspaces leave of a budget.
func leaves(owner string, left, budget int) string {
	if budget == 0 {
		return owner + " has no budget here"
	}
	return fmt.Sprintf("%d of the %d of %s are left", left, budget, owner)
}

// cure is what helps against a cost that is too high.
func cure(cost, budget int) string {
	ask := "ask for a larger allowance of one of the groups (berth quota show)"
	if cost > budget {
		return "choose something smaller, or " + ask
	}
	return "stop or delete other workspaces, choose something smaller, or " + ask
}

// shorten is the first few of a list.
func shorten(all []string) []string {
	const shown = 5
	if len(all) <= shown {
		return all
	}
	return append(append([]string{}, all[:shown]...), fmt.Sprintf("and %d more", len(all)-shown))
}

// Left is what is left of a budget that is not unlimited; never less than 0.
func Left(budget berth.Allowance, spent int) int { return max(budget.Amount-spent, 0) }

// Judge brings the facts to the rule, in the transaction that will allow the
// build b of w, and reserves what it allows. Asked again for the same attempt it
// decides again, and what it allowed before counts for the workspace.
func Judge(tx *store.Tx, w berth.Workspace, b berth.Build, p berth.Plan) (berth.Verdict, error) {
	f := Facts{Transition: b.Transition, Cost: berth.BoundCost(p.DailyCost), Unknown: p.UnknownCosts,
		Counted: max(w.DailyCost, b.DailyCost)}
	if b.Transition == berth.Start {
		if len(f.Unknown) == 0 {
			if err := tx.NoteVersionCost(b.VersionID, b.Preset, f.Cost); err != nil {
				return berth.Verdict{}, err
			}
		}
		if err := f.read(&tx.Query, w); err != nil {
			return berth.Verdict{}, err
		}
	}
	v := Decide(f)
	if !v.Allow {
		return v, nil
	}
	return v, tx.ReserveCost(b.ID, f.Cost)
}

// read adds what is known of the owner. What is spent of an unlimited budget is
// not asked: nobody waits for others then.
func (f *Facts) read(q *store.Query, w berth.Workspace) error {
	owner, err := q.User(w.OwnerID)
	if err != nil {
		return err
	}
	f.Owner = owner.Username
	if f.Budget, _, err = budget(q, w.OrganizationID, w.OwnerID); err != nil || f.Budget.Unlimited {
		return err
	}
	f.Others, err = q.Spent(w.OrganizationID, w.OwnerID, w.ID)
	return err
}

// budget is what a user may spend in an organization, and by which groups.
func budget(q *store.Query, o berth.OrganizationID, u berth.UserID) (sum berth.Allowance, groups []berth.Group, err error) {
	groups, err = q.BudgetGroups(o, u)
	for _, g := range groups {
		sum = sum.Add(g.Allowance)
	}
	return sum, groups, err
}

// Settle stores what a workspace costs now that its build b has ended. A build
// that succeeded did all that it was allowed to; of another one nobody knows how
// far it came.
func Settle(tx *store.Tx, b berth.Build, resources []berth.Resource) error {
	found := 0
	for _, r := range resources {
		found = berth.AddCosts(found, r.Cost)
	}
	return tx.SettleCost(b, found, b.Status() == berth.BuildSucceeded)
}
