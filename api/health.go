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
