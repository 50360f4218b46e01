package api

// AskParameters asks what a version asks; the answer is a berth.Form.
// POST /organizations/{organization}/templates/{template}/versions/{version}/parameters
type AskParameters struct {
	Parameters map[string]string `json:"parameters,omitempty" doc:"Answers so far"`
	Preset     string            `json:"preset,omitempty" doc:"Name; none for no preset; empty: the default one, of a new workspace"`
	Owner      string            `json:"owner,omitempty" doc:"Username; empty or me: the caller. Of a new workspace"`
	Name       string            `json:"name,omitempty" doc:"Of a new workspace"`
	Workspace  string            `json:"workspace,omitempty" doc:"Id of the workspace that is to be started, whose answers hold where no new ones are given; empty: a new one"`
}

// LastParameters is what the caller answered last to a template's questions.
// GET /organizations/{organization}/templates/{template}/last-parameters
type LastParameters struct {
	Parameters map[string]string `json:"parameters,omitempty"`
}
