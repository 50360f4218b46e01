package api

import (
	"time"

	"github.com/berthdev/berth"
)

// VersionDiff is what a version of a template changes against another one.
// GET /organizations/{organization}/templates/{template}/versions/{version}/diff
type VersionDiff struct {
	From        string                `json:"from,omitempty" doc:"Name of the version that it is compared with; empty: there is none before it"`
	To          string                `json:"to"`
	Changes     []berth.VersionChange `json:"changes"`
	Files       []berth.FileChange    `json:"files"`
	FilesHidden bool                  `json:"files_hidden,omitempty" doc:"The files are for those who may change the template"`
}

// VersionStep is one version on the way of an update.
type VersionStep struct {
	Name      string    `json:"name"`
	Message   string    `json:"message,omitempty"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
}

// OpenQuestion is a question that an update asks and that nothing answers, or
// whose answer does not hold any more.
type OpenQuestion struct {
	Parameter berth.Parameter `json:"parameter"`
	New       bool            `json:"new,omitempty" doc:"The workspace was never asked it"`
	Says      string          `json:"says" doc:"What is missing or wrong"`
}

// WorkspaceUpdate is what bringing a workspace to another version would change.
// GET /workspaces/{workspace}/update
type WorkspaceUpdate struct {
	From     string         `json:"from" doc:"Version that it has"`
	To       string         `json:"to" doc:"Version that it would get: the active one, unless another is asked about"`
	Outdated bool           `json:"outdated" doc:"These are two"`
	Refused  string         `json:"refused,omitempty" doc:"Why the update would be refused, whatever is answered"`
	Versions []VersionStep  `json:"versions" doc:"Pushed since the one that it has, newest first"`
	Earlier  bool           `json:"earlier,omitempty" doc:"There are more versions between"`
	Diff     VersionDiff    `json:"diff"`
	Asks     []OpenQuestion `json:"asks" doc:"What has to be answered"`
	Drops    []string       `json:"drops" doc:"Answers that nothing asks for any more"`
	Destroys []string       `json:"destroys" doc:"Persistent resources that the version does not have any more: the update wants each to be allowed with allow_destroy"`
	Cost     *Cost          `json:"cost,omitempty"`
}
