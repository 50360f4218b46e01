package api

import (
	"time"

	"github.com/berthdev/berth"
)

// Archive is what POST /archives answers for an uploaded tar (plain or gzip).
type Archive struct {
	Hash  string `json:"hash" doc:"SHA-256 of the normalised archive"`
	Files int    `json:"files"`
	Size  int    `json:"size"`
}

type Template struct {
	ID            string         `json:"id"`
	Organization  string         `json:"organization"`
	Name          string         `json:"name"`
	DisplayName   string         `json:"display_name,omitempty"`
	Description   string         `json:"description,omitempty"`
	Icon          string         `json:"icon,omitempty"`
	MaxShare      string         `json:"max_share" enum:"owner,organization,authenticated,public" doc:"How far apps and ports of its workspaces may be shared at most"`
	Private       bool           `json:"private,omitempty" doc:"Not for everybody in its organization: for those alone that it was shared with"`
	ActiveVersion string         `json:"active_version,omitempty" doc:"Name of the active version; empty until one was imported"`
	ActiveID      string         `json:"active_version_id,omitempty"`
	Workspaces    int            `json:"workspaces"`
	Limits        TemplateLimits `json:"limits"`
	CreatedBy     string         `json:"created_by"`
	CreatedAt     time.Time      `json:"created_at"`
	UpdatedAt     time.Time      `json:"updated_at"`

	Policy  TemplatePolicy `json:"policy"`
	Effects *berth.Effects `json:"effects,omitempty" doc:"Of an edit of the policy, on the workspaces that are there"`
}

// TemplateLimits bounds how many workspaces are made from a template. 0 is no limit.
type TemplateLimits struct {
	Workspaces        int `json:"workspaces" doc:"0: no limit"`
	WorkspacesPerUser int `json:"workspaces_per_user" doc:"0: no limit"`
}

// EditTemplateLimits is what to change of the limits; 0 is no limit.
type EditTemplateLimits struct {
	Workspaces        *int `json:"workspaces,omitempty"`
	WorkspacesPerUser *int `json:"workspaces_per_user,omitempty"`
}

// EditTemplate: PATCH; nil leaves a field as it is.
type EditTemplate struct {
	Name        *string `json:"name,omitempty"`
	DisplayName *string `json:"display_name,omitempty"`
	Description *string `json:"description,omitempty"`
	Icon        *string `json:"icon,omitempty"`
	MaxShare    *string `json:"max_share,omitempty" enum:"owner,organization,authenticated,public"`
	Private     *bool   `json:"private,omitempty" doc:"Take the group Everyone off those that it is shared with, or put it on"`

	Limits *EditTemplateLimits `json:"limits,omitempty"`

	Policy *EditTemplatePolicy `json:"policy,omitempty"`
	PolicyEdit
}

// PushVersion makes a version and queues its import; a template that does not
// exist is created. POST /organizations/{organization}/templates/{template}/versions
type PushVersion struct {
	Archive   string            `json:"archive" doc:"Hash from POST /archives"`
	Name      string            `json:"name,omitempty" doc:"Made up when empty"`
	Message   string            `json:"message,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
	Activate  bool              `json:"activate" doc:"Make it the active version when the import succeeds"`
	Provider  string            `json:"provider,omitempty" doc:"Workspace provider that imports it; empty: the default"`
	Private   bool              `json:"private,omitempty" doc:"Not for everybody in its organization; one that is there is made so"`
	IfChanged bool              `json:"if_changed,omitempty" doc:"Make no version that would only repeat the active one, or the newest one without activate: that one is the answer then, with unchanged"`
	Confirm   bool              `json:"confirm,omitempty" doc:"Let it become active even if the template's rollout stops what runs. Without this that is a conflict with field confirm"`
}

type TemplateVersion struct {
	ID         string                   `json:"id"`
	Template   string                   `json:"template"`
	TemplateID string                   `json:"template_id"`
	Name       string                   `json:"name"`
	Message    string                   `json:"message,omitempty"`
	Active     bool                     `json:"active"`
	Status     string                   `json:"status" doc:"Of its import" enum:"pending,running,canceling,canceled,succeeded,failed"`
	Error      string                   `json:"error,omitempty"`
	BuildID    string                   `json:"build_id"`
	Readme     string                   `json:"readme,omitempty"`
	Variables  []berth.Variable         `json:"variables,omitempty"`
	Parameters []berth.Parameter        `json:"parameters,omitempty"`
	Presets    []berth.Preset           `json:"presets,omitempty"`
	Resources  []berth.TemplateResource `json:"resources,omitempty"`
	Agents     []string                 `json:"agents,omitempty"`
	External   []berth.ExternalNeed     `json:"external,omitempty" doc:"External sign-ins that its workspaces use"`
	Plugins    []berth.Plugin           `json:"plugins,omitempty"`
	Modules    []berth.Module           `json:"modules,omitempty"`
	Notes      []string                 `json:"notes,omitempty"`
	Costs      []VersionCost            `json:"costs,omitempty" doc:"What starts cost a day, as far as it is known; left out of lists"`
	CreatedBy  string                   `json:"created_by"`
	CreatedAt  time.Time                `json:"created_at"`
	Effects    *berth.Effects           `json:"effects,omitempty" doc:"Of its activation, on the workspaces that run"`
	VersionChecks
	VersionNeeds
	Unchanged  bool       `json:"unchanged,omitempty" doc:"In the answer to a push: nothing was pushed, this version is the same"`
	SameFiles  string     `json:"same_files,omitempty" doc:"In the answer to a push: name of an earlier version with the same files"`
	ArchivedAt *time.Time `json:"archived_at,omitempty" doc:"Since when no workspace is made from it"`
}

// VersionNeeds is what the workspaces of a version need.
type VersionNeeds struct {
	Secrets       []berth.SecretNeed `json:"secrets,omitempty" doc:"Of the owner, by the place that they have in workspaces"`
	Tags          map[string]string  `json:"tags,omitempty" doc:"Of a workspace provider, with the answers that the import tried"`
	OutsideAgents []string           `json:"outside_agents,omitempty" doc:"Agents whose computer somebody else makes"`
}

// VersionChecks is what its import judged of a version.
type VersionChecks struct {
	Findings []berth.Finding `json:"findings,omitempty"`
	Warm     bool            `json:"warm,omitempty" doc:"Its plugins can stay warm between builds"`
	Cold     string          `json:"cold,omitempty" doc:"Why they cannot; without both, it was imported before that was known"`
}

// ArchiveVersions: POST /organizations/{organization}/templates/{template}/archive
type ArchiveVersions struct {
	All    bool `json:"all,omitempty" doc:"Every version that nothing uses, not only those whose import did not succeed"`
	DryRun bool `json:"dry_run,omitempty" doc:"Change nothing; tell which"`
}

// ArchivedVersions is the names of the versions that were archived, oldest first.
type ArchivedVersions struct {
	Versions []string `json:"versions"`
}
