package berth

import "time"

// Build is one Terraform run, and the unit of the queue: a transition of a
// workspace, or the import of a version.
type Build struct {
	ID             BuildID
	OrganizationID OrganizationID
	ProviderID     ProviderID
	Transition     Transition
	WorkspaceID    WorkspaceID // empty for an import
	LooksAt        WorkspaceID // of an import that compares a workspace with its state, and imports nothing
	TemplateID     TemplateID
	VersionID      VersionID
	Number         int // 1, 2, … of the workspace; 0 for an import
	Reason         Reason
	Class          Class
	InitiatorID    UserID
	Parameters     map[string]string // answers, complete
	Preset         string            // name; empty if none
	AllowDestroy   []string          // persistent addresses that a person gave up
	Orphan         bool              // delete without touching what was made
	DailyCost      int               // of what its plan makes; 0 until it was judged
	Policy         *Policy           // of a start that ended well: by what it is stopped; nil: it has none
	Tries          int               // 1, or more where builds for the same purpose failed before it
	Next           *NextBuild        // what is queued once this one succeeded; nil: nothing

	CreatedAt   time.Time
	StartedAt   time.Time // first taken by a runner
	CanceledAt  time.Time // when somebody asked to cancel
	CompletedAt time.Time

	RunnerID  string    // who holds or held it
	Attempt   int       // counts takings; 0 before the first
	LeaseAt   time.Time // when the lease lapses; zero when not held
	AbandonAt time.Time // a person gave up on an unreachable holder

	ErrorCode string    // one of the words in failure.go; empty if it did not fail
	Error     string    // what went wrong, for the person; empty if it did not
	Refused   []Refusal // what the persistence rule refused
}

// NextBuild is a start that is wanted behind a stop: the second half of a
// restart, an update or a rebuild. It is kept with the stop, so it outlives the
// server, and is queued in the transaction that ends the stop well.
type NextBuild struct {
	Version      VersionID         `json:"version"`
	Parameters   map[string]string `json:"parameters,omitempty"` // answers, complete
	Preset       string            `json:"preset,omitempty"`
	AllowDestroy []string          `json:"allow_destroy,omitempty"`
	Reason       Reason            `json:"reason"`
	InitiatorID  UserID            `json:"initiator"`
	AskedAt      time.Time         `json:"asked_at"`
	Dropped      string            `json:"dropped,omitempty"` // why it was given up, a sentence without its end; empty: it was not
}

// Waits tells whether the start is still to come, or was queued.
func (n *NextBuild) Waits() bool { return n != nil && n.Dropped == "" }

// Transition is what a build does.
type Transition string

const (
	Start  Transition = "start"
	Stop   Transition = "stop"
	Delete Transition = "delete"
	Import Transition = "import"
)

// Restart and Rebuild are asked for like transitions, but no build has them:
// they are a stop with a start behind it.
const (
	Restart Transition = "restart"
	Rebuild Transition = "rebuild"
)

// Reason says why a build was made.
type Reason string

const (
	ReasonInitiator  Reason = "initiator" // a person or program asked through the API
	ReasonDashboard  Reason = "dashboard"
	ReasonCLI        Reason = "cli"
	ReasonSSH        Reason = "ssh_connection"
	ReasonVSCode     Reason = "vscode_connection"
	ReasonJetBrains  Reason = "jetbrains_connection"
	ReasonAutostart  Reason = "autostart"
	ReasonAutostop   Reason = "autostop"
	ReasonDormancy   Reason = "dormancy"
	ReasonAutodelete Reason = "autodelete"
	ReasonClaim      Reason = "claim"
	ReasonPrebuild   Reason = "prebuild"
	ReasonSuspended  Reason = "suspended" // of the owner
)

// Automatic tells whether Berth made the build by itself, and by which rule.
func (r Reason) Automatic() (rule string, yes bool) {
	rule, yes = map[Reason]string{
		ReasonAutostart:  "The schedule of the workspace started it.",
		ReasonAutostop:   "The workspace was not used for as long as its rule says.",
		ReasonDormancy:   "The workspace was not used for so long that it sleeps.",
		ReasonAutodelete: "The workspace slept for as long as its rule says.",
		ReasonClaim:      "The workspace was claimed from a pool.",
		ReasonPrebuild:   "A pool is kept full.",
		ReasonSuspended:  "The owner of the workspace is suspended.",
	}[r]
	return rule, yes
}

// Connection whether the build was made because somebody connects.
func (r Reason) Connection() bool {
	return r == ReasonSSH || r == ReasonVSCode || r == ReasonJetBrains
}

// Class orders the queue: lower goes first.
type Class int

const (
	ClassClaim     Class = 1 // follow-up of a claim
	ClassPerson    Class = 2 // somebody waits for a start or stop
	ClassImport    Class = 3
	ClassScheduled Class = 4
	ClassRefill    Class = 5 // at most half of a runner's slots
)

// BuildStatus is where a build is in its life.
type BuildStatus string

const (
	BuildPending   BuildStatus = "pending"
	BuildRunning   BuildStatus = "running"
	BuildCanceling BuildStatus = "canceling"
	BuildCanceled  BuildStatus = "canceled"
	BuildSucceeded BuildStatus = "succeeded"
	BuildFailed    BuildStatus = "failed"
)

// Status derives the status from what is stored; there is no status column
// that could disagree.
func (b Build) Status() BuildStatus {
	switch {
	case b.CompletedAt.IsZero() && !b.CanceledAt.IsZero():
		return BuildCanceling
	case b.CompletedAt.IsZero() && b.StartedAt.IsZero():
		return BuildPending
	case b.CompletedAt.IsZero():
		return BuildRunning
	case b.Error != "":
		return BuildFailed
	case !b.CanceledAt.IsZero():
		return BuildCanceled
	default:
		return BuildSucceeded
	}
}

// Active tells whether the build may still change something.
func (b Build) Active() bool { return b.CompletedAt.IsZero() }

// Unreachable tells whether b is held by a runner that stopped beating. It is
// not failed: its Terraform may be running.
func (b Build) Unreachable(now time.Time) bool {
	return b.Active() && !b.StartedAt.IsZero() && !b.LeaseAt.IsZero() && now.After(b.LeaseAt)
}

// Refusal is one change that the persistence rule refused.
type Refusal struct {
	Address string   `json:"address"`
	Action  string   `json:"action" enum:"delete,replace,forget"`
	Because []string `json:"because,omitempty"` // attributes that force it
}

// Log is one line of a build's or an agent's log. Seq is given by the writer
// and starts at 1, so a line that is sent twice is kept once.
type Log struct {
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Level  string    `json:"level" enum:"trace,debug,info,warn,error"`
	Stage  string    `json:"stage,omitempty"`
	Source string    `json:"source,omitempty"`
	Text   string    `json:"text"`
}

// StateRevision is one kept revision of a workspace's Terraform state.
type StateRevision struct {
	WorkspaceID WorkspaceID
	BuildID     BuildID // that made it; empty if pushed by a person
	Attempt     int
	Lineage     string
	Serial      int64
	Current     bool // false: superseded, or stored aside from a stale attempt
	Size        int
	CreatedBy   UserID // who pushed it; empty for builds
	CreatedAt   time.Time
	ID          int64 // 1, 2, … of the workspace
}

// Change is what a plan wants to do to one resource.
type Change struct {
	Address  string   `json:"address"`
	Previous string   `json:"previous,omitempty"` // address before a `moved` block
	Type     string   `json:"type"`
	Actions  []string `json:"actions"`          // as Terraform writes them: create, read, update, delete, no-op, forget
	Forces   []string `json:"forces,omitempty"` // attribute paths that force a replacement
}

// Destroys tells whether the change ends the present object, by delete,
// replacement or by forgetting it.
func (c Change) Destroys() bool {
	for _, a := range c.Actions {
		if a == "delete" || a == "forget" {
			return true
		}
	}
	return false
}

// Plan is what a build wants to do, as it is judged before anything changes.
type Plan struct {
	Changes []Change `json:"changes"`
	// DailyCost sums the daily_cost of the coder_metadata that are there after it.
	DailyCost int `json:"daily_cost,omitempty"`
	// UnknownCosts are the addresses of those whose daily_cost is known only once
	// it is made; DailyCost has nothing of them.
	UnknownCosts []string `json:"unknown_costs,omitempty"`
}

// Verdict is the answer to a plan.
type Verdict struct {
	Allow     bool      `json:"allow"`
	Reason    string    `json:"reason,omitempty"`
	ErrorCode string    `json:"error_code,omitempty"`
	Refused   []Refusal `json:"refused,omitempty"`
}
