package api

import "time"

// Grant is that a workspace or a template is shared with a user or a group.
// GET /workspaces/{workspace}/grants,
// GET /organizations/{organization}/templates/{template}/grants
type Grant struct {
	User      string    `json:"user,omitempty" doc:"Username"`
	Group     string    `json:"group,omitempty" doc:"Name"`
	Role      string    `json:"role" enum:"use,admin"`
	By        string    `json:"shared_by,omitempty" doc:"Username of who shared it"`
	CreatedAt time.Time `json:"created_at"`
}

// PutGrants shares with all of them, or changes how; others stay as they are.
// PUT of the same paths
type PutGrants struct {
	Grants []NewGrant `json:"grants" minItems:"1" maxItems:"100"`
}

// NewGrant names a user or a group.
type NewGrant struct {
	User  string `json:"user,omitempty" doc:"Username of a member of the organization"`
	Group string `json:"group,omitempty" doc:"Name or id of a group of the organization"`
	Role  string `json:"role,omitempty" enum:"use,admin" doc:"Empty: use"`
}
