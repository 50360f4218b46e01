package api

import (
	"time"

	"github.com/berthdev/berth"
)

type Workspace struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Owner        string     `json:"owner"`
	OwnerID      string     `json:"owner_id"`
	Organization string     `json:"organization"`
	Provider     string     `json:"provider"`
	Template     string     `json:"template"`
	TemplateID   string     `json:"template_id"`
	Status       string     `json:"status" enum:"pending,starting,running,stopping,stopped,deleting,deleted,canceling,canceled,failed"`
	Reason       string     `json:"status_reason,omitempty" doc:"Why it has this status, where there is more to say"`
	Healthy      bool       `json:"healthy"`
	Health       string     `json:"health_reason,omitempty" doc:"Why it is not healthy, or what a healthy one waits for"`
	Outdated     bool       `json:"outdated" doc:"Another version than this one's is active"`
	Build        Build      `json:"build" doc:"The newest"`
	Agents       []Agent    `json:"agents,omitempty" doc:"Left out of lists"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	LastUsedAt   *time.Time `json:"last_used_at,omitempty"`
	DailyCost    int        `json:"daily_cost" doc:"What it counts for in its owner's budget"`
	Cost         *Cost      `json:"cost,omitempty" doc:"What its first start is likely to cost; in the answer to its making alone"`
	Activity     *Activity  `json:"activity,omitempty" doc:"As the server knows it, times to the minute; left out of lists. Ask for it apart to have the agents asked"`

	Ahead
	Favorite         bool `json:"favorite,omitempty" doc:"The caller marked it"`
	Shared           bool `json:"shared,omitempty" doc:"With somebody besides its owner"`
	ConnectStarts    bool `json:"connect_starts" doc:"A connection starts it when it is stopped"`
	ConnectForbidden bool `json:"connect_starts_forbidden,omitempty" doc:"Its organization lets no connection start workspaces"`
}

// CreateWorkspace: POST /workspaces
type CreateWorkspace struct {
	Name         string            `json:"name"`
	Owner        string            `json:"owner,omitempty" doc:"Username; empty or me: the caller"`
	Organization string            `json:"organization,omitempty" doc:"Name or id; empty: the default one"`
	Template     string            `json:"template" doc:"Name or id"`
	Version      string            `json:"version,omitempty" doc:"Name or id; empty: the active one"`
	Provider     string            `json:"provider,omitempty" doc:"Name or id; empty: the default one"`
	Parameters   map[string]string `json:"parameters,omitempty"`
	Preset       string            `json:"preset,omitempty" doc:"Name; none for no preset; empty: the default preset where there is one"`
	Reason       string            `json:"reason,omitempty" enum:"initiator,cli,dashboard"`

	Autostart        string `json:"autostart,omitempty" doc:"Weekly schedule by which it starts; empty: none"`
	TTL              *int64 `json:"ttl_seconds,omitempty" doc:"From each start to its stop; 0: never; left out: as the template says"`
	AutomaticUpdates string `json:"automatic_updates,omitempty" doc:"Whether it takes the active version when it is started by itself or by a connection; empty: never" enum:"always,never"`
}

// EditWorkspace: PATCH /workspaces/{workspace}. What is left out stays.
type EditWorkspace struct {
	Name          *string `json:"name,omitempty"`
	ConnectStarts *bool   `json:"connect_starts,omitempty" doc:"Start it when somebody connects to it"`
}

// CreateBuild: POST /workspaces/{workspace}/builds. A restart is a stop with a
// start behind it, which nothing can come between; the answer is the stop, or the
// start where the workspace is stopped already. A rebuild is a restart with the
// active version.
type CreateBuild struct {
	Transition   string            `json:"transition" enum:"start,stop,restart,rebuild,delete"`
	Version      string            `json:"version,omitempty" doc:"Name or id; of the start"`
	Update       bool              `json:"update,omitempty" doc:"Start with the active version, as a rebuild does anyway"`
	Parameters   map[string]string `json:"parameters,omitempty" doc:"New answers; the others are kept"`
	Preset       string            `json:"preset,omitempty"`
	AllowDestroy []string          `json:"allow_destroy,omitempty" doc:"Addresses of persistent resources that this build may destroy"`
	Orphan       bool              `json:"orphan,omitempty" doc:"Delete the workspace but leave alone what it made"`
	Force        bool              `json:"force,omitempty" doc:"Rebuild somebody else's workspace, or one that is in use"`
	Reason       string            `json:"reason,omitempty" enum:"initiator,cli,dashboard,ssh_connection,vscode_connection,jetbrains_connection"`
}

type Build struct {
	ID           string            `json:"id"`
	Transition   string            `json:"transition" enum:"start,stop,delete,import"`
	Status       string            `json:"status" enum:"pending,running,canceling,canceled,succeeded,failed"`
	Unreachable  bool              `json:"unreachable,omitempty" doc:"Its runner stopped reporting; it may still be running"`
	Waits        string            `json:"waits,omitempty" doc:"Why a pending build waits"`
	WorkspaceID  string            `json:"workspace_id,omitempty"`
	Workspace    string            `json:"workspace,omitempty" doc:"owner/name"`
	Number       int               `json:"number,omitempty"`
	TemplateID   string            `json:"template_id"`
	Template     string            `json:"template"`
	VersionID    string            `json:"version_id"`
	Version      string            `json:"version"`
	Provider     string            `json:"provider"`
	Reason       string            `json:"reason"`
	Initiator    string            `json:"initiator"`
	Parameters   map[string]string `json:"parameters,omitempty"`
	Preset       string            `json:"preset,omitempty"`
	AllowDestroy []string          `json:"allow_destroy,omitempty"`
	Orphan       bool              `json:"orphan,omitempty"`
	Next         *NextBuild        `json:"next,omitempty" doc:"The start that is wanted behind this stop. It is the build of the next number, queued in the moment that this one succeeds"`
	Error        string            `json:"error,omitempty"`
	ErrorCode    string            `json:"error_code,omitempty"`
	DailyCost    int               `json:"daily_cost,omitempty" doc:"What its plan costs a day, once that was allowed"`
	Refused      []berth.Refusal   `json:"refused,omitempty" doc:"Changes that the persistence rule refused"`
	Attempt      int               `json:"attempt,omitempty"`
	Runner       string            `json:"runner,omitempty"`
	LooksAt      string            `json:"looks_at,omitempty" doc:"Of an import that compares a workspace with its state and imports nothing: that workspace"`
	Drift        *[]berth.Drift    `json:"drift,omitempty" doc:"Of such a one: what is not as the state has it; left out of lists"`
	Resources    []berth.Resource  `json:"resources,omitempty" doc:"Left out of lists"`
	Timings      []berth.Timing    `json:"timings,omitempty" doc:"Left out of lists"`
	CreatedAt    time.Time         `json:"created_at"`
	StartedAt    *time.Time        `json:"started_at,omitempty"`
	CanceledAt   *time.Time        `json:"canceled_at,omitempty"`
	CompletedAt  *time.Time        `json:"completed_at,omitempty"`
}

// NextBuild is the second half of a restart, an update or a rebuild.
type NextBuild struct {
	VersionID string    `json:"version_id"`
	Reason    string    `json:"reason"`
	AskedAt   time.Time `json:"asked_at"`
	Dropped   string    `json:"dropped,omitempty" doc:"Why it does not come after all"`
}

// CancelBuild: POST /builds/{build}/cancel
type CancelBuild struct {
	Force  bool   `json:"force,omitempty" doc:"Kill instead of interrupt; the state is kept all the same"`
	Expect string `json:"expect,omitempty" doc:"Refuse unless the build has this status" enum:"pending,running"`
}

// Logs: GET /builds/{build}/logs, GET /workspaces/{workspace}/agents/{agent}/logs
type Logs struct {
	Lines []berth.Log `json:"lines"`
	Next  string      `json:"next,omitempty" doc:"Give it as after for the lines behind; empty when there are none now"`
}

type Agent struct {
	ID          string                `json:"id"`
	Name        string                `json:"name"`
	Resource    string                `json:"resource,omitempty"`
	Outside     bool                  `json:"outside,omitempty" doc:"The template does not make its computer: the owner starts it there"`
	OS          string                `json:"os"`
	Arch        string                `json:"arch"`
	Status      string                `json:"status" enum:"connecting,connected,disconnected,timeout"`
	Lifecycle   string                `json:"lifecycle" enum:"created,starting,ready,start_error,start_timeout,shutting_down,off,shutdown_error,shutdown_timeout"`
	Healthy     bool                  `json:"healthy"`
	Health      string                `json:"health_reason,omitempty" doc:"Why it is not healthy, or what a healthy one waits for"`
	Notes       []string              `json:"notes,omitempty" doc:"What to know of it besides, one sentence each"`
	Blocks      bool                  `json:"start_blocks_login,omitempty" doc:"A start script keeps people out until it ended"`
	Directory   string                `json:"directory,omitempty"`
	Version     string                `json:"version,omitempty"`
	Scripts     []berth.Script        `json:"scripts,omitempty"`
	Apps        []berth.App           `json:"apps,omitempty"`
	Metadata    []berth.AgentMetadata `json:"metadata,omitempty"`
	Steps       []berth.Step          `json:"steps,omitempty" doc:"Of the start, with their times"`
	AppHealth   map[string]string     `json:"app_health,omitempty" doc:"By id of the app"`
	Trouble     *berth.Trouble        `json:"trouble,omitempty" doc:"Why it could not link, as the agent found out"`
	Pressure    []berth.Pressure      `json:"pressure,omitempty" doc:"What of its computer is too full"`
	StartedAt   *time.Time            `json:"started_at,omitempty"`
	ReadyAt     *time.Time            `json:"ready_at,omitempty"`
	ConnectedAt *time.Time            `json:"connected_at,omitempty"`
	SeenAt      *time.Time            `json:"seen_at,omitempty"`
}

// Ping: GET /workspaces/{workspace}/agents/{agent}/ping
type Ping struct {
	Micros int64 `json:"round_trip_us" doc:"Relay to agent and back"`
}

// StateType is the media type of a state that is pushed: one of its own, since
// its bytes are kept as they came. PUT /workspaces/{workspace}/state
const StateType = "application/vnd.berth.state"

// RestoreState makes a kept revision the current state again.
// POST /workspaces/{workspace}/state/restore
type RestoreState struct {
	Revision int64 `json:"revision" minimum:"1" doc:"Id of a kept revision"`
}

// StateRevision: GET /workspaces/{workspace}/state/versions
type StateRevision struct {
	ID        int64     `json:"id"`
	Serial    int64     `json:"serial"`
	Lineage   string    `json:"lineage"`
	Current   bool      `json:"current"`
	Build     int       `json:"build,omitempty" doc:"Number of the build that made it"`
	CreatedBy string    `json:"created_by,omitempty" doc:"Who pushed it"`
	Size      int       `json:"size"`
	CreatedAt time.Time `json:"created_at"`
}
