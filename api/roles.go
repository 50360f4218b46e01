package api

// Role is a named set of rights: a role of the site or of organizations, or what
// a share carries. GET /roles
type Role struct {
	Name   string  `json:"name"`
	Of     string  `json:"of" enum:"site,organization,share" doc:"Where it is given"`
	About  string  `json:"about"`
	Rights []Right `json:"rights"`
}

// Right is some actions on things of a kind.
type Right struct {
	Kind    string   `json:"kind"`
	Actions []string `json:"actions"`
	Whose   string   `json:"whose" doc:"Which things of the kind, in words"`
}
