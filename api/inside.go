package api

import "github.com/berthdev/berth"

// Identity is what a workspace acts with: whose it is, and their credentials.
// The server puts it to /identity of the agent over its link, at each link and
// when something of it changed; it is never fetched. It holds secrets.
type Identity struct {
	Username string        `json:"username"`
	Name     string        `json:"name,omitempty"`
	Email    string        `json:"email"`
	Token    string        `json:"token" doc:"Of the workspace's own login; ends with this start"`
	Start    StartInfo     `json:"start"`
	SSHKey   string        `json:"ssh_key,omitempty" doc:"Private key, OpenSSH form"`
	SSHPub   string        `json:"ssh_pub,omitempty" doc:"Public key, as in authorized_keys"`
	Secrets  []SecretValue `json:"secrets,omitempty"`
	Dotfiles string        `json:"dotfiles,omitempty" doc:"URI of the owner's dotfiles repository"`
	External []External    `json:"external,omitempty" doc:"External sign-ins that the server offers"`
}

// StartInfo tells hooks which start this is.
type StartInfo struct {
	BuildID string `json:"build_id"`
	Number  int    `json:"number" doc:"Of the build; 1 is the first start"`
	Reason  string `json:"reason" doc:"Of the build"`
}

// SecretValue is one secret of a person, on its way into a workspace.
type SecretValue struct {
	Name  string `json:"name"`
	Env   string `json:"env,omitempty"`
	File  string `json:"file,omitempty" doc:"Begins with ~/ or /"`
	Value string `json:"value"`
}

// External is an external sign-in that the server offers.
type External struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Name  string `json:"name"`
	Match string `json:"match,omitempty" doc:"Regular expression of the repository URLs that it is for"`
}

// AgentSteps reports the steps of the start, all of them each time.
// POST /agent/steps
type AgentSteps struct {
	Boot  int64        `json:"boot"`
	Steps []berth.Step `json:"steps"`
}

// AgentApps reports how the apps that have a health check are, all of them each
// time. POST /agent/apps
type AgentApps struct {
	Boot   int64             `json:"boot"`
	Health map[string]string `json:"health" doc:"By id of the app: initializing, healthy, unhealthy"`
}

// WorkspaceApp is an app of a workspace, or a port that is shared, and how to open it.
type WorkspaceApp struct {
	Agent   string `json:"agent"`
	Slug    string `json:"slug,omitempty" doc:"Empty: a port"`
	Port    int    `json:"port,omitempty"`
	Name    string `json:"name"`
	Icon    string `json:"icon,omitempty"`
	Kind    string `json:"kind" enum:"web,external,command,port"`
	URL     string `json:"url,omitempty" doc:"Where a browser opens it; of an external app as the template wrote it, see openApp. Empty: see note"`
	Command string `json:"command,omitempty"`
	Share   string `json:"share" enum:"owner,organization,authenticated,public" doc:"Who may open it"`
	Health  string `json:"health,omitempty" enum:"initializing,healthy,unhealthy" doc:"Empty: it has no health check"`
	Group   string `json:"group,omitempty"`
	Hidden  bool   `json:"hidden,omitempty"`
	OpenIn  string `json:"open_in,omitempty"`
	Tooltip string `json:"tooltip,omitempty"`
	Note    string `json:"note,omitempty" doc:"What keeps it from being opened, or what to know, and the cure"`
}

// OpenApp asks for the way into an external app. POST /workspaces/{workspace}/agents/{agent}/apps/{app}/open
type OpenApp struct {
	URL string `json:"url" doc:"With a fresh token of the caller's where the template wants one: open it, and do not keep it"`
}

// AskTicket asks for the way into an app. POST /apps/tickets
type AskTicket struct {
	To    string `json:"to" doc:"Address of the app"`
	Nonce string `json:"nonce,omitempty" doc:"As the app's host sent it; without it there is no ticket"`
}

// AppTicket answers with where to go, once the workspace runs.
type AppTicket struct {
	URL         string `json:"url" doc:"The address that was asked for, with a ticket where there is one"`
	Workspace   string `json:"workspace" doc:"owner/name"`
	WorkspaceID string `json:"workspace_id"`
	Status      string `json:"status" doc:"Of the workspace"`
	Reason      string `json:"reason,omitempty"`
	Connected   bool   `json:"connected" doc:"The app's agent can be reached"`
	MayStart    bool   `json:"may_start"`
}

// WorkspacePort is a port that something in a workspace listens on, or that is shared.
type WorkspacePort struct {
	Agent   string `json:"agent"`
	Port    int    `json:"port"`
	Address string `json:"address,omitempty" doc:"Empty: nothing listens"`
	Process string `json:"process,omitempty"`
	Share   string `json:"share" enum:"owner,organization,authenticated,public" doc:"Who may open it"`
	HTTPS   bool   `json:"https,omitempty" doc:"It is shared as one that speaks TLS"`
	URL     string `json:"url,omitempty"`
	Note    string `json:"note,omitempty" doc:"Why there is no URL"`
}

// SharePort: PUT /workspaces/{workspace}/agents/{agent}/ports/{port}/share
type SharePort struct {
	Level string `json:"level" enum:"organization,authenticated,public"`
	HTTPS bool   `json:"https,omitempty" doc:"What listens speaks TLS"`
}

// LocalKey answers GET /ssh-key on the local socket of an agent. It holds a
// secret.
type LocalKey struct {
	Private string `json:"private"`
	Public  string `json:"public"`
}

// LocalToken answers GET /external-auth/{id} and GET /external-auth?url=… on the
// local socket of an agent. It holds a secret.
type LocalToken struct {
	Name     string         `json:"name,omitempty"` // of the external service
	Token    string         `json:"token,omitempty"`
	Username string         `json:"username,omitempty"` // for git over HTTPS
	Extra    map[string]any `json:"extra,omitempty"`    // what else the service answered
	SignIn   string         `json:"sign_in,omitempty"`  // without a token: where to get one
	Why      string         `json:"why,omitempty"`      // there is none
}
