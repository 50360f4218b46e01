package api

import "time"

// Ahead is what the rules have in store for a workspace, as things are.
type Ahead struct {
	StopsAt    *time.Time `json:"stops_at,omitempty" doc:"When it is stopped by itself, as things are; use may move that"`
	StopsWhy   string     `json:"stops_why,omitempty"`
	StartsAt   *time.Time `json:"starts_at,omitempty" doc:"When its schedule starts it next"`
	DormantAt  *time.Time `json:"dormant_at,omitempty" doc:"Since when it sleeps: nothing starts it until somebody wakes it"`
	DeletingAt *time.Time `json:"deleting_at,omitempty" doc:"When it is deleted unless somebody wakes it before"`
}

// Sleep: PUT /workspaces/{workspace}/dormant
type Sleep struct {
	Reason string `json:"reason,omitempty" doc:"Of the stop of a workspace that runs" enum:"initiator,cli,dashboard"`
}
