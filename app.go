package berth

import (
	"slices"
	"strconv"
)

// Share is who may open an app or a port of a workspace.
type Share string

const (
	ShareOwner         Share = "owner"         // who may connect to the workspace
	ShareOrganization  Share = "organization"  // every member of the workspace's organization
	ShareAuthenticated Share = "authenticated" // everybody who is signed in
	SharePublic        Share = "public"        // everybody
)

// Shares lists the levels, the narrowest first.
var Shares = []Share{ShareOwner, ShareOrganization, ShareAuthenticated, SharePublic}

// Within is the level s bounded by a maximum. What is no level is the owner's
// alone.
func (s Share) Within(maximum Share) Share {
	i, most := slices.Index(Shares, s), slices.Index(Shares, maximum)
	return Shares[max(0, min(i, most))]
}

// ValidateShare checks that s is a level.
func ValidateShare(field string, s Share) error {
	if !slices.Contains(Shares, s) {
		return InvalidField(field, "%q is not a sharing level: say owner, organization, authenticated or public", s)
	}
	return nil
}

// App health, as agents report it.
const (
	AppInitializing = "initializing" // its health check has not been answered yet
	AppHealthy      = "healthy"
	AppUnhealthy    = "unhealthy"
)

// Port is a TCP port that something in a workspace listens on.
type Port struct {
	Port    int    `json:"port"`
	Address string `json:"address"`           // an address of the workspace; 0.0.0.0 and :: are all
	Process string `json:"process,omitempty"` // name of the program, where it may be known
}

// PortShare is a port that others than the owner of its workspace may open.
type PortShare struct {
	Agent  string // name
	Port   int
	Scheme string // http, https: what the program speaks
	Level  Share
}

// ValidatePort checks the number of a port.
func ValidatePort(field string, port int) error {
	if port < 1 || port > 65535 {
		return InvalidField(field, "%s is not a port: give a number from 1 to 65535", strconv.Itoa(port))
	}
	return nil
}

// An agent resets a stream to a port with one of these reasons.
const (
	ResetRefused     = "nothing listens there"
	ResetUnreachable = "that address cannot be reached from the workspace"
	ResetAddress     = "that is not an address"
)

// AppRef names an app, or a port, of a workspace, as its URL does.
type AppRef struct {
	Owner     string // username
	Workspace string // name
	Agent     string // name; empty: the only one
	App       string // slug; empty: a port
	Port      int
	HTTPS     bool // the program behind the port speaks TLS
}
