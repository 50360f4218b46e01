package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/workspaces"
)

type quotaInput struct {
	InOrganization
	User string `path:"user" doc:"Username or id; me: the caller"`
}

func (h *handlers) getQuota(ctx context.Context, in *quotaInput) (*body[api.Quota], error) {
	view, err := h.Quota.Show(ctx, actorOf(ctx), in.Organization, in.User)
	return answered(viewQuota(view), err)
}

func viewQuota(v quota.View) api.Quota {
	l := v.Limits
	q := api.Quota{
		Organization: v.Organization.Name, User: v.User.Username, Budget: viewAllowance(v.Budget), Spent: v.Spent,
		Groups: list(v.Groups, func(g berth.Group) api.GroupBudget {
			return api.GroupBudget{Group: g.Name, Allowance: viewAllowance(g.Allowance)}
		}),
		Workspaces: api.WorkspaceCount{Count: v.Workspaces, Most: l.WorkspacesPerUser, MostHere: l.Workspaces},
		Running:    api.WorkspaceCount{Count: v.Running, Most: l.RunningPerUser, MostHere: l.Running},
		Costs: list(v.Costs, func(r quota.Spending) api.Spending {
			return api.Spending{WorkspaceID: string(r.ID), Workspace: r.Name, Template: r.Template, DailyCost: r.DailyCost, Running: r.Running}
		}),
	}
	if !v.Budget.Unlimited {
		left := quota.Left(v.Budget, v.Spent)
		q.Left = &left
	}
	return q
}

func viewAllowance(a berth.Allowance) api.Allowance {
	if a.Unlimited {
		return api.Allowance{Unlimited: true}
	}
	return api.Allowance{Amount: a.Amount}
}

type versionCostInput struct {
	TemplateInput
	Version   string `path:"version" doc:"Name or id; active: the active one"`
	Preset    string `query:"preset" doc:"Name; none for no preset; empty: that of the workspace, or the default one"`
	Owner     string `query:"owner" doc:"Username; empty or me: the caller. Of a new workspace"`
	Workspace string `query:"workspace" doc:"Id of the workspace that is to be started; empty: a new one"`
	Answers   bool   `query:"answers" doc:"Of a workspace: with other answers than it has"`
	Restart   bool   `query:"restart" doc:"Of a workspace: it is stopped first, so that what it costs now is free again"`
}

func (h *handlers) versionCost(ctx context.Context, in *versionCostInput) (*body[api.Cost], error) {
	e, err := h.Workspaces.Cost(ctx, actorOf(ctx), workspaces.CostInput{
		Organization: in.Organization, Template: in.Template, Version: in.Version,
		Preset: in.Preset, Owner: in.Owner, Workspace: berth.WorkspaceID(in.Workspace), Answers: in.Answers, Restart: in.Restart,
	})
	return answered(viewCost(e), err)
}

func viewCost(e quota.Estimate) api.Cost {
	c := api.Cost{Known: e.Known, DailyCost: e.DailyCost, Preset: e.Preset, At: moment(e.At), Fits: e.Fits(), Says: e.Says(), Refused: e.Refused}
	if e.Told {
		c.Balance = &api.CostBalance{Budget: viewAllowance(e.Budget), Spent: e.Spent}
	}
	return c
}
