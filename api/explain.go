package api

import "time"

// Explanation: GET /workspaces/{workspace}/schedule/explain
type Explanation struct {
	At     time.Time `json:"at"`
	Zone   string    `json:"zone" doc:"That its sentences tell times in: of the owner's quiet hours"`
	Now    []string  `json:"now" doc:"Why it is as it is, and what comes of that: one sentence each, the most important first"`
	Coming []Coming  `json:"coming" doc:"What happens by itself within 14 days if nobody does anything, at most 20 acts"`
	Acts   []Act     `json:"acts" doc:"What was done by itself, the newest first, at most 10 acts"`
}

// Coming is one act that is expected.
type Coming struct {
	At     time.Time `json:"at"`
	Do     string    `json:"do" doc:"start, stop, delete, dormant"`
	Rule   string    `json:"rule"`
	Why    string    `json:"why"`
	Unless string    `json:"unless,omitempty" doc:"What would keep it from happening"`
}

// Act is something that Berth did with a workspace by itself, or found itself
// unable to do. GET /workspaces/{workspace}/acts
type Act struct {
	ID    string         `json:"id"`
	At    time.Time      `json:"at"`
	Did   string         `json:"did" doc:"start, stop, delete, dormant, remind, put-off, wait"`
	Rule  string         `json:"rule" doc:"schedule, ttl, auto-off, required-stop, new-version, failed-start, failed-stop, suspended, dormancy, deletion"`
	Why   string         `json:"why"`
	Facts map[string]any `json:"facts,omitempty" doc:"What it rested on, by name"`
	Build int            `json:"build,omitempty" doc:"Number of the build that it made"`
}
