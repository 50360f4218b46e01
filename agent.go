package berth

import "time"

// Resource is one object in a workspace's Terraform state after a build.
type Resource struct {
	Address  string         `json:"address"`
	Type     string         `json:"type"`
	Name     string         `json:"name"`
	Icon     string         `json:"icon,omitempty"`
	Hide     bool           `json:"hide,omitempty"`
	Cost     int            `json:"daily_cost,omitempty"`
	Metadata []ResourceItem `json:"metadata,omitempty"`
}

type ResourceItem struct {
	Key       string `json:"key"`
	Value     string `json:"value,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`
	Null      bool   `json:"null,omitempty"`
}

// Agent is the process inside a workspace, as one build made it.
type Agent struct {
	ID             AgentID
	BuildID        BuildID
	WorkspaceID    WorkspaceID
	OrganizationID OrganizationID
	ProviderID     ProviderID
	TokenHash      []byte // SHA-256 of the agent's token
	AgentSpec

	Lifecycle    AgentLifecycle
	StartedAt    time.Time // entered starting
	ReadyAt      time.Time // left starting
	Version      string    // of the agent's binary
	ConnectedAt  time.Time // first link of this build's agent; zero if never
	SeenAt       time.Time // last sign of life on its link
	Disconnected time.Time // when the last link ended; zero while linked
	CreatedAt    time.Time
}

// AgentSpec is what the template says of an agent.
type AgentSpec struct {
	Name              string            `json:"name"`
	Address           string            `json:"address"`  // coder_agent.main
	Resource          string            `json:"resource"` // address of the computer it runs in; may be empty
	OS                string            `json:"os"`
	Arch              string            `json:"arch"`
	Auth              string            `json:"auth"`
	Directory         string            `json:"directory,omitempty"`
	Env               map[string]string `json:"env,omitempty"`      // coder_agent.env over coder_env
	ConnectionTimeout int               `json:"connection_timeout"` // seconds; 0: never
	TroubleshootURL   string            `json:"troubleshooting_url,omitempty"`
	MOTDFile          string            `json:"motd_file,omitempty"`
	Order             int               `json:"order,omitempty"`
	DisplayApps       []string          `json:"display_apps,omitempty"`
	Metadata          []AgentMetadata   `json:"metadata,omitempty"`
	Scripts           []Script          `json:"scripts,omitempty"`
	Apps              []App             `json:"apps,omitempty"`
}

type AgentMetadata struct {
	Key         string `json:"key"`
	DisplayName string `json:"display_name,omitempty"`
	Script      string `json:"script"`
	Interval    int    `json:"interval"` // seconds
	Timeout     int    `json:"timeout"`  // seconds
	Order       int    `json:"order,omitempty"`
}

// Script is a coder_script, or the startup or shutdown script of an agent.
type Script struct {
	ID               string `json:"id"`
	DisplayName      string `json:"display_name"`
	Icon             string `json:"icon,omitempty"`
	Script           string `json:"script"`
	LogPath          string `json:"log_path,omitempty"`
	Cron             string `json:"cron,omitempty"`
	RunOnStart       bool   `json:"run_on_start,omitempty"`
	RunOnStop        bool   `json:"run_on_stop,omitempty"`
	StartBlocksLogin bool   `json:"start_blocks_login,omitempty"`
	Timeout          int    `json:"timeout,omitempty"` // seconds; 0: none
}

type App struct {
	ID          string       `json:"id"`
	Slug        string       `json:"slug"`
	DisplayName string       `json:"display_name,omitempty"`
	URL         string       `json:"url,omitempty"`
	Command     string       `json:"command,omitempty"`
	Icon        string       `json:"icon,omitempty"`
	External    bool         `json:"external,omitempty"`
	Subdomain   bool         `json:"subdomain,omitempty"`
	Share       string       `json:"share,omitempty"`
	OpenIn      string       `json:"open_in,omitempty"`
	Group       string       `json:"group,omitempty"`
	Order       int          `json:"order,omitempty"`
	Hidden      bool         `json:"hidden,omitempty"`
	Tooltip     string       `json:"tooltip,omitempty"`
	Health      *Healthcheck `json:"healthcheck,omitempty"`
}

type Healthcheck struct {
	URL       string `json:"url"`
	Interval  int    `json:"interval"`
	Threshold int    `json:"threshold"`
}

// AgentLifecycle is how far an agent is with its scripts.
type AgentLifecycle string

const (
	AgentCreated         AgentLifecycle = "created"
	AgentStarting        AgentLifecycle = "starting"
	AgentReady           AgentLifecycle = "ready"
	AgentStartError      AgentLifecycle = "start_error"
	AgentStartTimeout    AgentLifecycle = "start_timeout"
	AgentShuttingDown    AgentLifecycle = "shutting_down"
	AgentOff             AgentLifecycle = "off"
	AgentShutdownError   AgentLifecycle = "shutdown_error"
	AgentShutdownTimeout AgentLifecycle = "shutdown_timeout"
)

// AgentStatus is how an agent is connected.
type AgentStatus string

const (
	AgentConnecting     AgentStatus = "connecting"
	AgentConnected      AgentStatus = "connected"
	AgentDisconnected   AgentStatus = "disconnected"
	AgentConnectTimeout AgentStatus = "timeout"
)

// AgentDead is how long an agent may be silent before it counts as
// disconnected. Links are pinged every 10 s.
const AgentDead = 30 * time.Second

// Status derives the connection status at now.
func (a Agent) Status(now time.Time) AgentStatus {
	switch {
	case a.ConnectedAt.IsZero():
		if a.ConnectionTimeout > 0 && now.Sub(a.CreatedAt) > time.Duration(a.ConnectionTimeout)*time.Second {
			return AgentConnectTimeout
		}
		return AgentConnecting
	case !a.Disconnected.IsZero(), now.Sub(a.SeenAt) > AgentDead:
		return AgentDisconnected
	default:
		return AgentConnected
	}
}
