package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) quota() *cobra.Command {
	show := a.quotaShow()
	cmd := newGroup("quota", "What you may spend, and how many workspaces you may have", show)
	cmd.Long = `What you may spend a day in an organization, and do; and how many workspaces you
may have there. It is berth quota show without a name.`
	cmd.Example = "  berth quota\n  berth quota show ana -O acme"
	org, asJSON := a.organizationFlag(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if len(given) > 0 {
			return group(cmd, given)
		}
		return a.showQuota(cmd.Context(), *org, "me", *asJSON)
	}
	return cmd
}

func (a *app) quotaShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [USER]",
		Short: "Show what a user may spend, and does",
		Long: `Show what a user may spend a day in an organization, and does: the sum of what
their groups allow, what each of their workspaces costs, and how many they have.
Without a name it is your own.`,
		Example: "  berth quota show\n  berth quota show ana -O acme --json",
		Args:    args(0, 1),

		ValidArgsFunction: a.userNames,
	}
	org, asJSON := a.organizationFlag(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.showQuota(cmd.Context(), *org, first(append(given, "me")...), *asJSON)
	}
	return cmd
}

func (a *app) showQuota(ctx context.Context, org, user string, asJSON bool) error {
	return a.withClient(func(c *client.Client) error {
		q, err := c.Quota(ctx, org, user)
		if err != nil {
			return err
		}
		if asJSON {
			return a.json(q)
		}
		a.printQuota(q)
		return nil
	})
}

func (a *app) printQuota(q api.Quota) {
	groups := make([]string, len(q.Groups))
	for i, g := range q.Groups {
		groups[i] = cell(g.Group) + " " + allowed(g.Allowance)
	}
	budget := allowed(q.Budget)
	if !q.Budget.Unlimited {
		budget += " a day"
	}
	if len(groups) > 0 {
		budget += " (" + strings.Join(groups, ", ") + ")"
	}
	a.field("user", cell(q.User))
	a.field("organization", cell(q.Organization))
	a.field("budget", budget)
	a.field("spent", fmt.Sprint(q.Spent))
	if q.Left != nil {
		a.field("left", fmt.Sprint(*q.Left))
	}
	a.field("workspaces", countOf(q.Workspaces))
	a.field("running", countOf(q.Running))
	section(a, []string{"WORKSPACE", "TEMPLATE", "COST A DAY", ""}, q.Costs, func(s api.Spending) []string {
		state := ""
		if s.Running {
			state = "counts as running"
		}
		return []string{cell(s.Workspace), cell(s.Template), fmt.Sprint(s.DailyCost), state}
	})
}

// allowed is an allowance as it is shown.
func allowed(w api.Allowance) string {
	if w.Unlimited {
		return "unlimited"
	}
	return fmt.Sprint(w.Amount)
}

func countOf(w api.WorkspaceCount) string {
	text := fmt.Sprint(w.Count)
	if w.Most > 0 {
		text += fmt.Sprintf(" of at most %d", w.Most)
	}
	if w.MostHere > 0 {
		text += fmt.Sprintf("; at most %d of all members together", w.MostHere)
	}
	return text
}

// foretell tells what a start of a workspace is likely to cost before anything
// is done, and asks whether to go on where it is likely to be refused. restart
// says that the workspace is stopped first: what it costs now is free then.
func (a *app) foretell(ctx context.Context, c *client.Client, w api.Workspace, s starting, restart bool) error {
	version := first(s.in.Version, w.Build.VersionID)
	if s.in.Update {
		version = "active"
	}
	cost, err := c.VersionCost(ctx, w.Organization, w.TemplateID, version, client.CostOf{Preset: s.in.Preset, Workspace: w.ID,
		Answers: s.answers.any(), Restart: restart})
	if err != nil {
		return nil // the start itself says what is wrong, and an older server knows no costs
	}
	return a.tellCost(ctx, cost, a.canAsk() && !s.yes)
}

// tellCost says what something costs, and where it is likely to be refused asks
// whether to go on, if it may ask.
func (a *app) tellCost(ctx context.Context, cost api.Cost, ask bool) error {
	if cost.Says == "" {
		return nil
	}
	text := cell(strings.ToUpper(cost.Says[:1]) + cost.Says[1:] + ".")
	if !cost.Fits && ask {
		return a.confirm(ctx, false, "Go on all the same?", text)
	}
	a.tell("%s", text)
	return nil
}
