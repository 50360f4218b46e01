package workspaces

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/quota"
)

// View is a workspace as people see it, complete: showing it takes no further
// query.
type View struct {
	Workspace    berth.Workspace
	Owner        berth.User
	Organization string // name
	Provider     string // name
	Template     string // name
	Build        BuildView
	Status       berth.Status
	Reason       string // why it has this status, where there is more to say
	Healthy      bool   // meaningful while running
	Health       string // why it is not healthy, or what a healthy one waits for
	Outdated     bool   // another version than its newest build's is active
	Agents       []AgentView
	Activity     *berth.Activity // nil in lists
	Cost         *quota.Estimate // of its first start; nil but in the answer to Create

	Shared           bool // with somebody besides its owner
	ConnectForbidden bool // its organization lets no connection start workspaces
}

// BuildView is a build as people see it. Resources and Timings are left out of
// lists and of workspaces.
type BuildView struct {
	Build       berth.Build
	Workspace   string // owner/name; empty for an import
	Template    string // name
	Version     string // name
	Provider    string // name
	Initiator   string // username
	Waits       string // why a pending build waits
	Unreachable bool   // its runner is silent; it may still be running
	Resources   []berth.Resource
	Drift       *[]berth.Drift // of a look that has ended well
	Timings     []berth.Timing
}

// AgentView is an agent with what is derived from its row.
type AgentView struct {
	Agent   berth.Agent
	Status  berth.AgentStatus
	Healthy bool
	Health  string   // why it is not healthy, or what a healthy one waits for
	Notes   []string // what to know besides, one sentence each
	Blocks  bool     // a start script keeps people out until it has ended
}

// StateView is one kept revision of a workspace's state.

type StateView struct {
	Revision  berth.StateRevision
	Build     int    // number of the build that made it; 0 if pushed
	CreatedBy string // username of who pushed it
}

// AgentIdentity is whom an agent's token speaks for.
type AgentIdentity struct {
	Agent     berth.Agent
	Workspace berth.Workspace
	Owner     berth.User
	Build     berth.Build // the agent's own: the newest start
	Provider  berth.Provider

	Organization string // name
}
