package berth

import "time"

// Workspace is one person's computer made from a template.
type Workspace struct {
	ID             WorkspaceID
	OrganizationID OrganizationID
	ProviderID     ProviderID
	OwnerID        UserID
	TemplateID     TemplateID
	Name           string
	// Persistent lists the addresses in its Terraform state that no build but
	// a delete may destroy; see internal/workspaces.
	Persistent []string
	// ConnectStarts lets a connection start it when it is stopped, where its
	// organization lets connections do that at all.
	ConnectStarts bool
	// DailyCost is what it counts against its owner's quota now.
	DailyCost  int
	CreatedAt  time.Time
	UpdatedAt  time.Time
	LastUsedAt time.Time // zero if never
	DeletedAt  time.Time // zero while it lives; the row stays, its name is free
	Lifecycle
}

// Provider is a workspace provider: a place where workspaces run.
type Provider struct {
	ID        ProviderID
	Name      string
	RelayURL  string // where its agents link; empty: the server's access URL
	Default   bool
	Tags      map[string]string // what templates may ask for
	CreatedAt time.Time
	SeenAt    time.Time // last call of one of its runners
}

// BuiltInProvider is the name of the provider that lives in the server.
const BuiltInProvider = "built-in"

// Status is what a workspace is doing, from its newest build.
type Status string

const (
	StatusPending   Status = "pending"
	StatusStarting  Status = "starting"
	StatusRunning   Status = "running"
	StatusStopping  Status = "stopping"
	StatusStopped   Status = "stopped"
	StatusDeleting  Status = "deleting"
	StatusDeleted   Status = "deleted"
	StatusCanceling Status = "canceling"
	StatusCanceled  Status = "canceled"
	StatusFailed    Status = "failed"
)

// WorkspaceStatus is the status of a workspace whose newest build is b.
func WorkspaceStatus(b Build) Status {
	switch b.Status() {
	case BuildPending:
		return StatusPending
	case BuildCanceling:
		return StatusCanceling
	case BuildCanceled:
		return StatusCanceled
	case BuildFailed:
		return StatusFailed
	case BuildRunning:
		return map[Transition]Status{Start: StatusStarting, Stop: StatusStopping, Delete: StatusDeleting}[b.Transition]
	default:
		return map[Transition]Status{Start: StatusRunning, Stop: StatusStopped, Delete: StatusDeleted}[b.Transition]
	}
}
