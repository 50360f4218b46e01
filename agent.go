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

	Steps        []Step            // of the start, as this process reported them
	AppHealth    map[string]string // by App.ID: initializing, healthy, unhealthy
	Trouble      *Trouble          // why it could not link, as it found out; nil when it is linked
	Second       *SecondLink       // of another process with its token; nil: there was none
	Pressure     []Pressure        // what of its computer is too full
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
	InstanceID        string            `json:"instance_id,omitempty"`   // of its machine, by which it proves who it is unless Auth is token
	Scope             string            `json:"api_key_scope,omitempty"` // all or no_user_data
	Outside           bool              `json:"outside,omitempty"`       // its computer is not made by the template
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
	Monitoring        *Monitoring       `json:"resources_monitoring,omitempty"`
	Containers        []DevContainer    `json:"dev_containers,omitempty"`
}

// ScopeNoUserData is the scope of an agent that gets nothing that is its owner's:
// no key, no sign-in, no secret.
const ScopeNoUserData = "no_user_data"

// DevContainer is a development container that a template wants in a workspace.
type DevContainer struct {
	ID       string `json:"id"`
	Name     string `json:"name"`   // of its block
	Folder   string `json:"folder"` // in the workspace
	Config   string `json:"config,omitempty"`
	SubAgent string `json:"sub_agent,omitempty"` // id that was given to the agent inside it
}

// Monitoring is what of the computer an agent watches.
type Monitoring struct {
	Memory  *Threshold  `json:"memory,omitempty"`
	Volumes []Threshold `json:"volumes,omitempty"`
}

// Threshold is how full something may be.
type Threshold struct {
	Path    string `json:"path,omitempty"` // of a volume
	Percent int    `json:"percent"`
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

// Step is one step of a workspace's start.
type Step struct {
	Kind      string     `json:"kind"` // identity, configure, personalize, dotfiles, script
	Name      string     `json:"name"` // also the source of its lines in the log
	Status    StepStatus `json:"status"`
	Detail    string     `json:"detail,omitempty"` // one sentence, where there is more to say
	ExitCode  int        `json:"exit_code,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
}

// StepStatus is how a step went.
type StepStatus string

const (
	StepRunning StepStatus = "running"
	StepDone    StepStatus = "done"
	StepWarning StepStatus = "warning" // done, but the person should read Detail
	StepFailed  StepStatus = "failed"
	StepTimeout StepStatus = "timeout"
)

// Trouble is what keeps an agent from linking: the checks that it made on the
// way to the server, in order, up to the first that failed.
type Trouble struct {
	At     time.Time `json:"at"`
	Checks []Check   `json:"checks"`
}

// SecondLink is that a process tried to link with the token of an agent that
// was linked and alive, and was refused.
type SecondLink struct {
	At   time.Time `json:"at"`   // the last
	From string    `json:"from"` // network address
}

// Check is one link of the chain: name, tcp, proxy, tls, clock, server (what
// answers is Berth), token, version, websocket.
type Check struct {
	Kind   string `json:"kind"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"` // what was found
	Fix    string `json:"fix,omitempty"`    // what to do, one sentence
}

// Pressure says that memory or a volume is over its threshold.
type Pressure struct {
	Path    string    `json:"path,omitempty"` // of a volume; empty: memory
	Percent int       `json:"percent"`
	Limit   int       `json:"limit"`
	Since   time.Time `json:"since"`
}

// Evidence is that somebody or something uses a workspace.
type Evidence struct {
	Kind   EvidenceKind `json:"kind"`
	Detail string       `json:"detail,omitempty"` // client, app, port, process
	Since  time.Time    `json:"since"`            // of the spell that goes on
	At     time.Time    `json:"at"`               // when it was last seen
}

// EvidenceKind is what the evidence is.
type EvidenceKind string

const (
	EvidenceSSH        EvidenceKind = "ssh"        // bytes typed or shown in a session
	EvidenceTerminal   EvidenceKind = "terminal"   // the same in a web terminal
	EvidenceIDE        EvidenceKind = "ide"        // a session that called itself vscode, jetbrains, …
	EvidenceForward    EvidenceKind = "forward"    // bytes through a forwarded port
	EvidenceApp        EvidenceKind = "app"        // a request to an app or port
	EvidenceHold       EvidenceKind = "hold"       // somebody asked to keep it awake
	EvidenceProcessor  EvidenceKind = "processor"  // above the template's threshold
	EvidenceProcess    EvidenceKind = "process"    // one that the template names
	EvidenceConnection EvidenceKind = "connection" // open and idle; counts only where an organization says so
)

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
		if a.ConnectionTimeout > 0 && !a.Outside && now.Sub(a.CreatedAt) > time.Duration(a.ConnectionTimeout)*time.Second {
			return AgentConnectTimeout
		}
		return AgentConnecting
	case !a.Disconnected.IsZero(), now.Sub(a.SeenAt) > AgentDead:
		return AgentDisconnected
	default:
		return AgentConnected
	}
}
