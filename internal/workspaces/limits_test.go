package workspaces_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestLimitsOfWorkspaces(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		start := workspaces.BuildInput{Transition: berth.Start}
		stop := workspaces.BuildInput{Transition: berth.Stop}
		limits := func(l berth.WorkspaceLimits) { h.everyone(berth.Allowance{Unlimited: true}, l) }
		another := func(who authz.Actor) error {
			_, err := h.workspaces.Create(t.Context(), who, workspaces.Create{Name: "another", Template: "dev"})
			return err
		}
		a := h.create(h.mel, "a")
		limits(berth.WorkspaceLimits{WorkspacesPerUser: 1})
		err := another(h.mel)
		want(t, "a second one", err, berth.Limit)
		if !strings.Contains(err.Error(), "mel has 1 workspace in the organization default and may have 1") {
			t.Error(err)
		}
		limits(berth.WorkspaceLimits{Workspaces: 1})
		want(t, "a second one of all", another(h.eve), berth.Limit)
		limits(berth.WorkspaceLimits{RunningPerUser: 1})
		err = another(h.mel)
		want(t, "a second one beside one that starts", err, berth.Limit)
		if !strings.Contains(err.Error(), "(a)") {
			t.Error(err)
		}
		_, c, _ := h.judge(0)
		h.ends(c, failed)
		want(t, "a second one beside one whose start failed", another(h.mel), berth.Limit)
		must(t, h.build(h.mel, a, start)) // one that counts may be started again
		h.run(fine)
		must(t, h.build(h.mel, a, stop))
		want(t, "a second one beside one that stops", another(h.mel), berth.Limit)
		h.run(failed)
		want(t, "a second one beside one whose stop failed", another(h.mel), berth.Limit)
		must(t, h.build(h.mel, a, stop))
		h.run(fine)
		b := h.create(h.mel, "b")
		want(t, "a start beside a start that is pending", h.build(h.mel, a, start), berth.Limit)
		j, c := h.take()
		_, err = h.workspaces.Cancel(t.Context(), h.mel, j.Build.ID, false, "")
		must(t, err)
		h.ends(c, ended)
		must(t, h.build(h.mel, a, start)) // b never ran
		h.run(fine)
		want(t, "a start of another", h.build(h.mel, b, start), berth.Limit)
		limits(berth.WorkspaceLimits{Running: 1})
		err = another(h.eve)
		want(t, "one beside another's", err, berth.Limit)
		if strings.Contains(err.Error(), "mel") {
			t.Errorf("it tells whose: %v", err)
		}
		must(t, h.build(h.mel, a, stop)) // never limited
		h.run(fine)
		must(t, another(h.eve))
	})
}

// Workspaces that are made and started at once stay under the limit.
func TestLimitsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		h.everyone(berth.Allowance{Unlimited: true}, berth.WorkspaceLimits{WorkspacesPerUser: 5, Running: 3})
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = h.workspaces.Create(context.Background(), h.mel, workspaces.Create{Name: fmt.Sprint("w", i), Template: "dev"})
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else {
				want(t, "one too many", err, berth.Limit)
			}
		}
		if made != 3 {
			t.Errorf("%d were made", made)
		}
	})
}

func TestToldBefore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		cost := 20
		c := contents()
		c.DailyCost = &cost
		c.Presets = []berth.Preset{{Name: "large"}, {Name: "small"}}
		h.push("dev", "v1", c)
		h.everyone(berth.Allowance{Amount: 40}, berth.WorkspaceLimits{})
		ask := func(who authz.Actor, in workspaces.CostInput) quota.Estimate {
			t.Helper()
			in.Template, in.Version = "dev", "active"
			e, err := h.workspaces.Cost(t.Context(), who, in)
			must(t, err)
			return e
		}
		says := func(e quota.Estimate, want string) {
			t.Helper()
			if e.Says() != want {
				t.Errorf("says %q, want %q", e.Says(), want)
			}
		}
		says(ask(h.mel, workspaces.CostInput{}), "this costs 20 of your 40 a day, 20 are left")
		says(ask(h.owner, workspaces.CostInput{Owner: "mel"}), "this costs 20 of mel's 40 a day, 20 are left")
		v, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "a", Template: "dev", Preset: "large"})
		must(t, err)
		says(*v.Cost, "this costs 20 of your 40 a day, 20 are left")
		_, call, _ := h.judge(35)
		h.ends(call, fine)
		e := ask(h.mel, workspaces.CostInput{Preset: "large"})
		if e.Fits() || e.DailyCost != 35 || e.Preset != "large" {
			t.Errorf("%+v", e)
		}
		says(e, "this costs 35 a day, and 5 of your 40 are left: unless it turns out to be cheaper it will be refused, and nothing changed; stop or delete other workspaces, choose something smaller, or ask for a larger allowance of one of the groups (berth quota show)")
		says(ask(h.mel, workspaces.CostInput{Workspace: v.Workspace.ID}), "this costs 35 of your 40 a day, 5 are left")
		h.everyone(berth.Allowance{Amount: 30}, berth.WorkspaceLimits{})
		if e := ask(h.mel, workspaces.CostInput{Workspace: v.Workspace.ID}); !e.Fits() {
			t.Errorf("an equal rebuild above the budget: %+v", e)
		}
		if e := ask(h.mel, workspaces.CostInput{Workspace: v.Workspace.ID, Restart: true}); e.Fits() {
			t.Errorf("a restart above the budget: %+v", e)
		}
		if e := ask(h.owner, workspaces.CostInput{Preset: "small"}); e.DailyCost != 20 || e.Preset != "" {
			t.Errorf("a preset that was never built: %+v", e)
		}
		h.everyone(berth.Allowance{Unlimited: true}, berth.WorkspaceLimits{})
		says(ask(h.mel, workspaces.CostInput{}), "this costs 20 a day")
		h.push("dev", "v2", contents())
		says(ask(h.mel, workspaces.CostInput{}), "")
		h.everyone(berth.Allowance{Amount: 40}, berth.WorkspaceLimits{})
		says(ask(h.mel, workspaces.CostInput{}), "what this costs is not known yet; 5 of your 40 a day are left")
		_, err = h.workspaces.Cost(t.Context(), h.mel, workspaces.CostInput{Template: "dev", Version: "active", Owner: "eve"})
		want(t, "for another", err, berth.NotFound)
		_, err = h.workspaces.Cost(t.Context(), h.eve, workspaces.CostInput{Template: "dev", Version: "active", Workspace: v.Workspace.ID})
		want(t, "of another's workspace", err, berth.NotFound)
	})
}

// A template bounds how many workspaces are made from it, whoever makes them at
// the same moment, and tells so before.
func TestLimitsOfTemplates(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.push("dev", "v1", contents())
		h.push("other", "v1", contents())
		limit := func(all, each int) {
			t.Helper()
			_, err := h.templates.Edit(ctx, h.admin, "", "dev", templates.Edit{Workspaces: &all, WorkspacesPerUser: &each})
			must(t, err)
		}
		another := func(who authz.Actor, name string) error {
			_, err := h.workspaces.Create(ctx, who, workspaces.Create{Name: name, Template: "dev"})
			return err
		}
		foretold := func(who authz.Actor) string {
			t.Helper()
			e, err := h.workspaces.Cost(ctx, who, workspaces.CostInput{Template: "dev", Version: templates.Active})
			must(t, err)
			return e.Refused
		}
		h.create(h.mel, "a")
		if got := foretold(h.mel); got != "" {
			t.Errorf("without a limit: %q", got)
		}
		limit(0, 1)
		err := another(h.mel, "b")
		want(t, "a second one of mel", err, berth.Limit)
		if !strings.Contains(err.Error(), "mel has 1 workspace of the template dev and may have 1") || foretold(h.mel) != berth.ErrorMessage(err) {
			t.Errorf("refused %v, and foretold %q", err, foretold(h.mel))
		}
		if got := foretold(h.eve); got != "" {
			t.Errorf("one of somebody else: %q", got)
		}
		_, err = h.workspaces.Create(ctx, h.mel, workspaces.Create{Name: "c", Template: "other"})
		must(t, err)
		limit(2, 0)
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			all.Go(func() { errs[i] = another(h.eve, fmt.Sprint("e", i)) })
		}
		all.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else {
				want(t, "one too many", err, berth.Limit)
			}
		}
		if made != 1 {
			t.Errorf("%d were made where there was room for 1", made)
		}
		limit(1, 0) // what is there stays
		want(t, "one more", another(h.mel, "b"), berth.Limit)
	})
}
