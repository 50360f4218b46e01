package api

// ExternalAgent is how to start an agent whose computer the template does not
// make. GET /workspaces/{workspace}/agents/{agent}/external
type ExternalAgent struct {
	Agent      string            `json:"agent"`
	OS         string            `json:"os"`
	Arch       string            `json:"arch"`
	Command    string            `json:"command" doc:"For a shell on its computer; it holds the token"`
	InitScript string            `json:"init_script_url" doc:"What the command runs; it needs no login"`
	Token      string            `json:"token" doc:"Counts while the workspace runs; the same until its key is rotated"`
	Env        map[string]string `json:"env" doc:"What an agent that is installed already is started with"`
}
