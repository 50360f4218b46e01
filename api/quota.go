package api

import "time"

// Quota is what a user may spend a day in an organization, and does, and how many
// workspaces they have there. GET /organizations/{organization}/members/{user}/quota
type Quota struct {
	Organization string         `json:"organization"`
	User         string         `json:"user"`
	Budget       Allowance      `json:"budget" doc:"The sum of the groups' allowances, in the unit of daily_cost"`
	Spent        int            `json:"spent" doc:"What the user's workspaces cost a day"`
	Left         *int           `json:"left,omitempty" doc:"Of the budget, 0 or more; left out when it is unlimited"`
	Groups       []GroupBudget  `json:"groups" doc:"The user's groups, Everyone too"`
	Workspaces   WorkspaceCount `json:"workspaces"`
	Running      WorkspaceCount `json:"running" doc:"Workspaces that are not stopped: one whose start or stop failed counts"`
	Costs        []Spending     `json:"costs" doc:"By workspace, the dearest first, at most 100"`
}

type GroupBudget struct {
	Group     string    `json:"group"`
	Allowance Allowance `json:"allowance"`
}

// WorkspaceCount is how many workspaces somebody has, and may have.
type WorkspaceCount struct {
	Count    int `json:"count"`
	Most     int `json:"most" doc:"0: no limit"`
	MostHere int `json:"most_in_organization" doc:"Of all members together; 0: no limit"`
}

// Spending is what one workspace costs.
type Spending struct {
	WorkspaceID string `json:"workspace_id"`
	Workspace   string `json:"workspace" doc:"Its name"`
	Template    string `json:"template"`
	DailyCost   int    `json:"daily_cost" doc:"While a build is under way, no less than what that was allowed"`
	Running     bool   `json:"running"`
}

// Cost is what a start is likely to cost a day. Nothing is refused by it: the
// plan of the build is judged.
// GET /organizations/{organization}/templates/{template}/versions/{version}/cost
type Cost struct {
	Known     bool         `json:"known" doc:"False: nothing is known yet"`
	DailyCost int          `json:"daily_cost" doc:"As it was last known of this version and preset"`
	Preset    string       `json:"preset,omitempty" doc:"With which that was; empty: without one"`
	At        *time.Time   `json:"at,omitempty"`
	Balance   *CostBalance `json:"balance,omitempty" doc:"What the owner may spend; left out where the caller may not know that"`
	Fits      bool         `json:"fits" doc:"The build is likely to be allowed"`
	Refused   string       `json:"refused,omitempty" doc:"Why a new workspace would be refused now, whatever it costs: there are too many"`
	Says      string       `json:"says,omitempty" doc:"All of that in a sentence without a full stop; empty when there is nothing to say"`
}

type CostBalance struct {
	Budget Allowance `json:"budget"`
	Spent  int       `json:"spent" doc:"By the owner's other workspaces; 0 when the budget is unlimited"`
}

// VersionCost is what is known of the cost of a version.
type VersionCost struct {
	Preset    string    `json:"preset,omitempty"`
	DailyCost int       `json:"daily_cost" doc:"Of the last start with the preset, or without one; at first what the import found"`
	At        time.Time `json:"at"`
}
