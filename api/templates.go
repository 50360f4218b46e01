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
	ID            string    `json:"id"`
	Organization  string    `json:"organization"`
	Name          string    `json:"name"`
	DisplayName   string    `json:"display_name,omitempty"`
	Description   string    `json:"description,omitempty"`
	Icon          string    `json:"icon,omitempty"`
	MaxShare      string    `json:"max_share" enum:"owner,organization,authenticated,public" doc:"How far apps and ports of its workspaces may be shared at most"`
	Private       bool      `json:"private,omitempty" doc:"Not for everybody in its organization: for those alone that it was shared with"`
	ActiveVersion string    `json:"active_version,omitempty" doc:"Name of the active version; empty until one was imported"`
	ActiveID      string    `json:"active_version_id,omitempty"`
	Workspaces    int       `json:"workspaces"`
	CreatedBy     string    `json:"created_by"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`

	Policy  TemplatePolicy `json:"policy"`
	Effects *berth.Effects `json:"effects,omitempty" doc:"Of an edit of the policy, on the workspaces that are there"`
}

// EditTemplate: PATCH; nil leaves a field as it is.
type EditTemplate struct {
	DisplayName *string `json:"display_name,omitempty"`
	Description *string `json:"description,omitempty"`
	Icon        *string `json:"icon,omitempty"`
	MaxShare    *string `json:"max_share,omitempty" enum:"owner,organization,authenticated,public"`
	Private     *bool   `json:"private,omitempty" doc:"Take the group Everyone off those that it is shared with, or put it on"`

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
}
