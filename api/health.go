package api

import "github.com/berthdev/berth"

// AgentTrouble says why the agent cannot link. POST /agent/trouble
type AgentTrouble struct {
	Checks []berth.Check `json:"checks" doc:"In the order in which they were made; at most 20 are kept"`
}

// RotatedKey: POST /workspaces/{workspace}/agent-key
type RotatedKey struct {
	Waits bool `json:"waits_for_start" doc:"The agents go on with the tokens that they have until the next start"`
}

// SyncUnit names a unit that a workspace's scripts wait for or are. On the
// agent's local socket: POST /sync/want, /sync/start, /sync/complete
type SyncUnit struct {
	Unit  string   `json:"unit"`
	Wants []string `json:"wants,omitempty"`
	Wait  int64    `json:"wait_ms,omitempty"`
}

// SyncWaits is what a unit still waits for; none: it has started.
type SyncWaits struct {
	For []string `json:"for,omitempty"`
}

// SyncStatus is all units: GET /sync/status
type SyncStatus struct {
	Units []SyncState `json:"units"`
}

type SyncState struct {
	Unit  string   `json:"unit"`
	State string   `json:"state"`
	Wants []string `json:"wants,omitempty"`
}
