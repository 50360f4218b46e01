package api

import (
	"time"

	"github.com/berthdev/berth"
)

// AgentActivity is what an agent saw of the use of its workspace. It says ages,
// not times: an agent's clock may be wrong.
// POST /agent/activity, and the answer to GET /activity over an agent's link
type AgentActivity struct {
	Seen []Seen `json:"seen"`
}

// Seen is the newest spell of one kind of evidence.
type Seen struct {
	Kind   berth.EvidenceKind `json:"kind"`
	Detail string             `json:"detail,omitempty"`
	Began  int64              `json:"began_ms" doc:"How long ago the spell began"`
	Last   int64              `json:"last_ms" doc:"How long ago it was last seen"`
}

// Activity is what keeps a workspace awake, or kept it.
type Activity struct {
	Awake      bool             `json:"awake" doc:"It is running, and was used within the last minutes or is held"`
	Newest     *berth.Evidence  `json:"newest,omitempty" doc:"The newest that counts as activity"`
	Evidence   []berth.Evidence `json:"evidence" doc:"The newest of each kind. A connection that is open and idle counts only where the organization says so"`
	Holds      []Hold           `json:"holds"`
	IdleCounts bool             `json:"idle_counts,omitempty" doc:"The organization counts an open and idle connection as activity"`
}

// AskedActivity is Activity after the workspace's agents were asked.
// GET /workspaces/{workspace}/activity
type AskedActivity struct {
	Known bool `json:"known" doc:"The agents answered; false: the rest may be old. Unknown is not idle"`
	Activity
}

// Hold keeps a workspace awake. It ends by itself.
type Hold struct {
	ID        string    `json:"id"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"created_at"`
	Until     time.Time `json:"until"`
}

// CreateHold: POST /workspaces/{workspace}/holds. A second hold of the same
// person with the same reason renews the first.
type CreateHold struct {
	Reason  string     `json:"reason,omitempty" doc:"Empty: held by NAME"`
	Seconds int64      `json:"seconds,omitempty" doc:"From now on"`
	Until   *time.Time `json:"until,omitempty" doc:"Instead of seconds"`
}

// AgentPressure reports what of the computer is too full, all of it each time.
// POST /agent/pressure
type AgentPressure struct {
	Boot     int64     `json:"boot"`
	Pressure []Pressed `json:"pressure"`
}

// Pressed is memory or a volume that is over its threshold.
type Pressed struct {
	Path    string `json:"path,omitempty" doc:"Of a volume; empty: memory"`
	Percent int    `json:"percent"`
	Limit   int    `json:"limit"`
	Began   int64  `json:"began_ms" doc:"How long ago it began"`
}

// Announcement is a line that everybody reads who has a shell open in the
// workspace. The server sends it to an agent over its link: POST /announcement
type Announcement struct {
	Text string `json:"text"`
}
