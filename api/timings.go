package api

import "time"

// BuildTimings: GET /workspaces/{workspace}/builds/{number}/timings
type BuildTimings struct {
	Number     int       `json:"number"`
	Transition string    `json:"transition" enum:"start,stop,delete"`
	Status     string    `json:"status" enum:"pending,running,canceling,canceled,succeeded,failed"`
	CreatedAt  time.Time `json:"created_at" doc:"When it was asked for, from which everything is counted"`
	Timings    []Span    `json:"timings" doc:"The stages in the order of their beginnings, each before its parts"`
}

// Span is one stage of a build, or one part of the stage: a resource that was
// changed, or a step of an agent's start. A whole stage has no resource.
type Span struct {
	Stage    string     `json:"stage" doc:"wait (in the queue), prepare, init, plan, judge, apply, finish, connect (of an agent), start (inside); build while Terraform runs"`
	Agent    string     `json:"agent,omitempty" doc:"Of connect and start"`
	Resource string     `json:"resource,omitempty" doc:"Address of a resource, or name of a step"`
	Action   string     `json:"action,omitempty" doc:"What was done to the resource, or kind of the step"`
	Status   string     `json:"status,omitempty" doc:"How a step went: running, done, warning, failed, timeout"`
	ExitCode int        `json:"exit_code,omitempty"`
	Start    time.Time  `json:"start"`
	End      *time.Time `json:"end,omitempty" doc:"Missing while it goes on"`
	Critical bool       `json:"critical,omitempty" doc:"The end would have come sooner had this been shorter"`
}
