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
