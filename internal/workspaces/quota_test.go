package workspaces_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// everyone sets the allowance of the group Everyone of the default organization,
// and its limits.
func (h *house) everyone(a berth.Allowance, l berth.WorkspaceLimits) {
	h.t.Helper()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		o, err := tx.OrganizationRef("")
		if err != nil {
			return err
		}
		g, err := tx.GroupRef(o.ID, berth.EveryoneGroup)
		if err != nil {
			return err
		}
		g.Allowance, o.Limits = a, l
		if err := tx.UpdateGroup(g); err != nil {
			return err
		}
		return tx.UpdateOrganization(o)
	}))
}

func (h *house) create(who authz.Actor, name string) berth.WorkspaceID {
	h.t.Helper()
	v, err := h.workspaces.Create(h.t.Context(), who, workspaces.Create{Name: name, Template: "dev"})
	must(h.t, err)
	return v.Workspace.ID
}

// spends is what a user's workspaces count for.
func (h *house) spends(who authz.Actor) int {
	h.t.Helper()
	v, err := quota.New(h.db).Show(h.t.Context(), who, "default", "me")
	must(h.t, err)
	sum := 0
	for _, c := range v.Costs {
		sum += c.DailyCost
	}
	if sum != v.Spent {
		h.t.Errorf("spent %d, the workspaces cost %d together", v.Spent, sum)
	}
	return v.Spent
}

// judge takes the next build and has a plan of that cost judged.
func (h *house) judge(cost int) (*builds.Job, builds.Call, berth.Verdict) {
	h.t.Helper()
	j, c := h.take()
	v, err := h.queue.Judge(h.t.Context(), c, berth.Plan{DailyCost: cost})
	must(h.t, err)
	return j, c, v
}

func (h *house) ends(c builds.Call, r builds.Report) {
	h.t.Helper()
	must(h.t, h.queue.Finish(h.t.Context(), c, r))
}

var (
	fine   = builds.Report{}
	failed = builds.Report{Error: "no", ErrorCode: "terraform"}
	denied = builds.Report{Error: "quota", ErrorCode: "quota"}
	ended  = builds.Report{Canceled: true}
)

func TestQuotaOverALife(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		h.everyone(berth.Allowance{Amount: 40}, berth.WorkspaceLimits{})
		counts := func(when string, want int) {
			t.Helper()
			if got := h.spends(h.mel); got != want {
				t.Errorf("%s: %d are spent, want %d", when, got, want)
			}
		}
		a := h.create(h.mel, "a")
		counts("a pending build", 0)
		_, c, v := h.judge(30)
		if !v.Allow {
			t.Fatal(v)
		}
		counts("an allowed build that is under way", 30)
		if v, err := h.queue.Judge(t.Context(), c, berth.Plan{DailyCost: 30}); err != nil || !v.Allow {
			t.Errorf("judged again: %+v %v", v, err)
		}
		stale := c
		stale.Attempt++
		_, err := h.queue.Judge(t.Context(), stale, berth.Plan{DailyCost: 1})
		want(t, "another attempt", err, berth.Conflict)
		counts("asked again, and for an attempt that is none", 30)
		h.ends(c, fine)
		counts("a running workspace", 30)

		b := h.create(h.mel, "b")
		_, c, v = h.judge(30)
		if v.Allow || v.ErrorCode != quota.ErrorCode || !strings.Contains(v.Reason, "costs 30 a day, 10 of the 40 of mel are left") || !strings.Contains(v.Reason, "stop or delete other workspaces") {
			t.Errorf("over the budget: %+v", v)
		}
		counts("a refused build under way", 30)
		h.ends(c, denied)
		counts("a refused build", 30)
		if e := h.eveFree(t); e != 40 {
			t.Errorf("eve has %d left", e)
		}

		must(t, h.build(h.mel, a, workspaces.BuildInput{Transition: berth.Start}))
		_, c, v = h.judge(30)
		if !v.Allow {
			t.Errorf("an equal rebuild: %+v", v)
		}
		counts("a rebuild", 30)
		h.ends(c, failed)
		counts("a failed rebuild", 30)
		h.everyone(berth.Allowance{Amount: 5}, berth.WorkspaceLimits{})
		for _, cost := range []int{30, 29} {
			must(t, h.build(h.mel, a, workspaces.BuildInput{Transition: berth.Start}))
			if _, c, v = h.judge(cost); !v.Allow {
				t.Errorf("a rebuild at %d, far above the budget: %+v", cost, v)
			}
			counts("a cheaper rebuild under way", 30)
			h.ends(c, fine)
			counts("a cheaper rebuild", cost)
		}
		must(t, h.build(h.mel, a, workspaces.BuildInput{Transition: berth.Start}))
		if _, c, v = h.judge(31); v.Allow || !strings.Contains(v.Reason, "choose something smaller") {
			t.Errorf("a dearer rebuild: %+v", v)
		}
		h.ends(c, denied)
		must(t, h.build(h.mel, a, workspaces.BuildInput{Transition: berth.Start}))
		_, c, _ = h.judge(20)
		h.ends(c, failed)
		counts("a cheaper rebuild that failed", 29)

		must(t, h.build(h.mel, a, workspaces.BuildInput{Transition: berth.Stop}))
		if _, c, v = h.judge(50); !v.Allow {
			t.Errorf("a stop that is dear: %+v", v)
		}
		h.ends(c, failed)
		counts("a dear stop that failed", 50)
		must(t, h.build(h.mel, a, workspaces.BuildInput{Transition: berth.Stop}))
		_, c, _ = h.judge(6)
		counts("a stop under way", 50)
		h.ends(c, fine)
		counts("a stopped workspace", 6)
		must(t, h.build(h.mel, a, workspaces.BuildInput{Transition: berth.Start}))
		if _, c, v = h.judge(7); v.Allow {
			t.Error("a start above the budget is allowed")
		}
		h.ends(c, denied)

		must(t, h.build(h.mel, b, workspaces.BuildInput{Transition: berth.Start}))
		j, c := h.take()
		_, err = h.workspaces.Cancel(t.Context(), h.mel, j.Build.ID, false, "")
		must(t, err)
		if v, err := h.queue.Judge(t.Context(), c, berth.Plan{DailyCost: 1}); err != nil || v.Allow {
			t.Errorf("judged after it was canceled: %+v %v", v, err)
		}
		h.ends(c, ended)
		counts("a build that was canceled before it was judged", 6)
		h.everyone(berth.Allowance{Amount: 10}, berth.WorkspaceLimits{})
		must(t, h.build(h.mel, b, workspaces.BuildInput{Transition: berth.Start}))
		j, c, _ = h.judge(4)
		_, err = h.workspaces.Cancel(t.Context(), h.mel, j.Build.ID, false, "")
		must(t, err)
		counts("canceling", 10)
		h.ends(c, ended)
		counts("a build that was canceled when it had been allowed", 10)

		must(t, h.build(h.mel, b, workspaces.BuildInput{Transition: berth.Delete}))
		if _, c, v = h.judge(0); !v.Allow {
			t.Errorf("a delete: %+v", v)
		}
		counts("a delete under way", 10)
		h.ends(c, failed)
		counts("a failed delete", 10)
		must(t, h.build(h.mel, b, workspaces.BuildInput{Transition: berth.Delete}))
		_, c = h.take() // nothing is left: it is not judged
		h.ends(c, fine)
		counts("a deleted workspace", 6)
	})
}

// A runner that lost what it held: what was allowed counts on, what was not is
// judged again, by its new attempt alone.
func TestQuotaOfLostBuilds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		h.everyone(berth.Allowance{Amount: 40}, berth.WorkspaceLimits{})
		hello := func() {
			t.Helper()
			_, err := h.queue.Hello(t.Context(), h.provider.ID, builds.Hello{Runner: "runner", Slots: 4})
			must(t, err)
		}
		h.create(h.mel, "a")
		_, old := h.take()
		hello()
		_, c, v := h.judge(30)
		if !v.Allow || c.Attempt != 2 {
			t.Fatalf("attempt %d: %+v", c.Attempt, v)
		}
		_, err := h.queue.Judge(t.Context(), old, berth.Plan{DailyCost: 5})
		want(t, "the attempt before", err, berth.Conflict)
		if got := h.spends(h.mel); got != 30 {
			t.Errorf("%d are spent", got)
		}
		hello()
		if got := h.spends(h.mel); got != 30 {
			t.Errorf("once it is lost, %d are spent", got)
		}
		want(t, "the end of what was lost", h.queue.Finish(t.Context(), old, fine), berth.Conflict)
		if got := h.spends(h.mel); got != 30 {
			t.Errorf("after its end came late, %d are spent", got)
		}
	})
}

// eveFree is what eve has left.
func (h *house) eveFree(t *testing.T) int {
	t.Helper()
	v, err := quota.New(h.db).Show(t.Context(), h.eve, "default", "me")
	must(t, err)
	return quota.Left(v.Budget, v.Spent)
}

// What a runner says of costs is not believed beyond reason.
func TestHostileCosts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		const huge = int(^uint(0) >> 1)
		h.everyone(berth.Allowance{Amount: 40}, berth.WorkspaceLimits{})
		h.create(h.mel, "low")
		_, c, v := h.judge(-huge - 1)
		h.ends(c, builds.Report{Resources: []berth.Resource{{Address: "a.b", Cost: -huge}}})
		if !v.Allow || h.spends(h.mel) != 0 {
			t.Errorf("a negative cost: %+v, %d are spent", v, h.spends(h.mel))
		}
		h.create(h.mel, "high")
		if _, c, v = h.judge(huge); v.Allow {
			t.Error("a huge cost is allowed")
		}
		h.ends(c, denied)
		h.create(h.mel, "unknown")
		j, c := h.take()
		v, err := h.queue.Judge(t.Context(), c, berth.Plan{UnknownCosts: []string{"coder_metadata.x"}})
		if err != nil || v.Allow || !strings.Contains(v.Reason, "coder_metadata.x is known only once it is made") {
			t.Errorf("an unknown cost: %+v %v", v, err)
		}
		h.ends(c, denied)
		h.everyone(berth.Allowance{Unlimited: true}, berth.WorkspaceLimits{})
		must(t, h.build(h.mel, j.Build.WorkspaceID, workspaces.BuildInput{Transition: berth.Start}))
		_, c = h.take()
		v, err = h.queue.Judge(t.Context(), c, berth.Plan{UnknownCosts: []string{"coder_metadata.x"}})
		if err != nil || !v.Allow {
			t.Errorf("an unknown cost of an unlimited budget: %+v %v", v, err)
		}
		h.ends(c, builds.Report{Resources: []berth.Resource{{Address: "a.b", Cost: 36}}})
		if got := h.spends(h.mel); got != 36 {
			t.Errorf("what was found in the state counts: %d", got)
		}
		for i := range 3 {
			h.create(h.mel, fmt.Sprint("max", i))
			_, c, _ = h.judge(huge)
			h.ends(c, builds.Report{Resources: []berth.Resource{{Address: "a.b", Cost: huge}, {Address: "a.c", Cost: huge}}})
		}
		if got := h.spends(h.mel); got != 36+3*berth.MaxDailyCost {
			t.Errorf("%d are spent", got)
		}
	})
}

// The budget is the sum over the groups of one organization, and none of others.
func TestBudgets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.everyone(berth.Allowance{Amount: 10}, berth.WorkspaceLimits{})
		show := func() quota.View {
			t.Helper()
			v, err := quota.New(h.db).Show(t.Context(), h.mel, "default", "mel")
			must(t, err)
			return v
		}
		group := func(name string, a berth.Allowance) {
			t.Helper()
			must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
				o, err := tx.OrganizationRef("")
				if err != nil {
					return err
				}
				g := berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: o.ID, Name: name, Allowance: a, Source: berth.SourceUser, CreatedAt: tx.Now, UpdatedAt: tx.Now}
				if err := tx.InsertGroup(g); err != nil {
					return err
				}
				return tx.AddToGroup(g.ID, h.mel.UserID, berth.SourceUser)
			}))
		}
		if v := show(); v.Budget != (berth.Allowance{Amount: 10}) || len(v.Groups) != 1 {
			t.Errorf("with Everyone: %+v", v)
		}
		group("zero", berth.Allowance{})
		group("more", berth.Allowance{Amount: 30})
		if v := show(); v.Budget != (berth.Allowance{Amount: 40}) || len(v.Groups) != 3 {
			t.Errorf("with groups: %+v", v)
		}
		group("much", berth.Allowance{Unlimited: true})
		if v := show(); !v.Budget.Unlimited {
			t.Errorf("with an unlimited one: %+v", v)
		}
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			o, err := tx.OrganizationRef("")
			if err != nil {
				return err
			}
			return tx.RemoveMember(o.ID, h.mel.UserID)
		}))
		_, err := quota.New(h.db).Show(t.Context(), h.owner, "default", "mel")
		want(t, "of who is no member", err, berth.NotFound)
		_, err = quota.New(h.db).Show(t.Context(), h.eve, "default", "ada")
		want(t, "of another", err, berth.NotFound)
		_, err = quota.New(h.db).Show(t.Context(), authz.Actor{}, "default", "me")
		want(t, "by nobody", err, berth.Unauthenticated)
	})
}

// Builds that are judged at once do not slip under the limit together, whoever
// wins; and it is used up.
func TestJudgedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		h.everyone(berth.Allowance{Amount: 35}, berth.WorkspaceLimits{})
		const n = 8
		calls := make([]builds.Call, n)
		for i := range calls {
			h.create(h.mel, fmt.Sprint("w", i))
			_, calls[i] = h.take()
		}
		var wg sync.WaitGroup
		verdicts, errs := make([]berth.Verdict, n), make([]error, n)
		for i := range calls {
			wg.Go(func() {
				verdicts[i], errs[i] = h.queue.Judge(context.Background(), calls[i], berth.Plan{DailyCost: 10})
			})
		}
		wg.Wait()
		allowed := 0
		for i, v := range verdicts {
			must(t, errs[i])
			if v.Allow {
				allowed++
			}
		}
		if allowed != 3 || h.spends(h.mel) != 30 {
			t.Errorf("%d were allowed, and %d are spent", allowed, h.spends(h.mel))
		}
	})
}

// Whatever builds do beside each other, and however they end, what is spent stays
// within the budget, as long as nobody lowers that.
func TestBudgetHolds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		const budget, people, rounds = 50, 4, 12
		h.everyone(berth.Allowance{Amount: budget}, berth.WorkspaceLimits{})
		var taking sync.Mutex // a runner takes one build at a time
		var wg sync.WaitGroup
		for i := range people {
			random := rand.New(rand.NewPCG(uint64(i), 4))
			wg.Go(func() {
				if _, err := h.workspaces.Create(context.Background(), h.mel, workspaces.Create{Name: fmt.Sprint("w", i), Template: "dev"}); err != nil {
					t.Error(err)
					return
				}
				for range rounds {
					taking.Lock()
					j, err := h.queue.Take(context.Background(), h.provider.ID, "runner", 0, true)
					taking.Unlock()
					if err != nil || j == nil {
						t.Error("nothing to take:", err)
						return
					}
					c := builds.Call{Provider: h.provider.ID, Runner: "runner", Build: j.Build.ID, Attempt: j.Build.Attempt}
					cost := random.IntN(40)
					if j.Build.Transition == berth.Stop {
						cost = 0
					}
					verdict, err := h.queue.Judge(context.Background(), c, berth.Plan{DailyCost: cost})
					if err != nil {
						t.Error(err)
						return
					}
					if now, err := quota.New(h.db).Show(context.Background(), h.mel, "default", "me"); err != nil || now.Spent > budget {
						t.Errorf("%d of %d are spent (%v)", now.Spent, budget, err)
					}
					report := denied
					if verdict.Allow {
						report = []builds.Report{fine, fine, failed, ended}[random.IntN(4)]
					}
					if err := h.queue.Finish(context.Background(), c, report); err != nil {
						t.Error(err)
						return
					}
					next := []berth.Transition{berth.Start, berth.Start, berth.Stop}[random.IntN(3)]
					// Which of the workspaces it was does not matter: each is always
					// pending, or in the hands of one of us.
					if _, err := h.workspaces.Build(context.Background(), h.mel, j.Build.WorkspaceID, workspaces.BuildInput{Transition: next}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}
