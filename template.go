package berth

import "time"

// Template is a named series of versions; workspaces are made from the active one.
type Template struct {
	ID              TemplateID
	OrganizationID  OrganizationID
	Name            string
	DisplayName     string
	Description     string
	Icon            string
	ActiveVersionID VersionID // empty until a version was imported
	MaxShare        Share     // how far apps and ports of its workspaces may be shared at most
	CreatedBy       UserID
	CreatedAt       time.Time
	UpdatedAt       time.Time
	DeletedAt       time.Time // zero while it lives
	Policy          TemplatePolicy
	Limits          TemplateLimits
}

// TemplateLimits bounds how many workspaces are made from a template. 0 is no
// limit.
type TemplateLimits struct {
	Workspaces        int // of everybody
	WorkspacesPerUser int
}

// Version is one immutable archive of a template's Terraform module, and what
// its import found in it.
type Version struct {
	ID             VersionID
	OrganizationID OrganizationID
	TemplateID     TemplateID
	Name           string
	Message        string
	Archive        string // SHA-256 of the archive, hex
	BuildID        BuildID
	Variables      map[string]string // values given at push
	Contents       Contents          // zero until the import succeeded
	Carried        string            // hash of the archive with the modules and lock file that the import resolved; empty: none
	Activate       bool              // it becomes the active version when its import succeeds
	CreatedBy      UserID
	CreatedAt      time.Time
	ArchivedAt     time.Time // zero unless it may no longer be used
}

// Contents is what an import found in a version's archive.
type Contents struct {
	Readme     string             `json:"readme,omitempty"` // Markdown as written; untrusted
	Variables  []Variable         `json:"variables,omitempty"`
	Parameters []Parameter        `json:"parameters,omitempty"`
	Presets    []Preset           `json:"presets,omitempty"`
	Resources  []TemplateResource `json:"resources,omitempty"`
	Agents     []string           `json:"agents,omitempty"` // names
	External   []ExternalNeed     `json:"external,omitempty"`
	Plugins    []Plugin           `json:"plugins,omitempty"`
	Modules    []Module           `json:"modules,omitempty"`
	Terraform  string             `json:"terraform,omitempty"` // version that imported it
	Notes      []string           `json:"notes,omitempty"`     // said to the pusher: "no agent: …"
	Findings   []Finding          `json:"findings,omitempty"`  // what checks of the template found
	// Cold is why the plugins of this version cannot stay warm between builds, a
	// sentence without its end; Warm tells that they can. Neither: it was
	// imported before anybody asked.
	Warm bool   `json:"warm,omitempty"`
	Cold string `json:"cold,omitempty"`
	// DailyCost is what a start costs a day with the answers that the import
	// tried; nil if that was not known.
	DailyCost *int `json:"daily_cost,omitempty"`
}

// Severity says what a finding means for a version.
type Severity string

const (
	FindingError   Severity = "error"   // the version is not imported
	FindingWarning Severity = "warning" // it is, and somebody may lose something by it
	FindingNote    Severity = "note"
)

// Finding is what a check of a template found.
type Finding struct {
	Severity Severity `json:"severity" enum:"error,warning,note"`
	Code     string   `json:"code"`           // stable, such as persistent-identity
	Message  string   `json:"message"`        // one sentence for the author, with the cure
	File     string   `json:"file,omitempty"` // relative to the template
	Line     int      `json:"line,omitempty"` // from 1; 0: not known
	Address  string   `json:"address,omitempty"`
}

// Variable is a `variable` block: answered by the template's author at push.
type Variable struct {
	Name        string `json:"name"`
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
	Default     string `json:"default,omitempty"`
	Required    bool   `json:"required,omitempty"`
	Sensitive   bool   `json:"sensitive,omitempty"`
}

// Parameter is a question that a version asks the person who makes a workspace.
type Parameter struct {
	Name        string            `json:"name"`
	DisplayName string            `json:"display_name,omitempty"`
	Description string            `json:"description,omitempty"`
	Type        string            `json:"type" enum:"string,number,bool,list(string)"`
	FormType    string            `json:"form_type,omitempty"`
	Icon        string            `json:"icon,omitempty"`
	Mutable     bool              `json:"mutable,omitempty"`
	Ephemeral   bool              `json:"ephemeral,omitempty"`
	Required    bool              `json:"required,omitempty"` // has no default
	Default     string            `json:"default,omitempty"`
	Order       int               `json:"order,omitempty"`
	Options     []ParameterOption `json:"options,omitempty"`
	Validation  *Validation       `json:"validation,omitempty"`
}

type ParameterOption struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	Icon        string `json:"icon,omitempty"`
}

// Validation is the `validation` block of a parameter.
type Validation struct {
	Min       *int   `json:"min,omitempty"`
	Max       *int   `json:"max,omitempty"`
	Monotonic string `json:"monotonic,omitempty" enum:"increasing,decreasing"`
	Regex     string `json:"regex,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Preset is a named set of answers.
type Preset struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Icon        string            `json:"icon,omitempty"`
	Default     bool              `json:"default,omitempty"`
	Parameters  map[string]string `json:"parameters,omitempty"`
	Instances   int               `json:"instances,omitempty"` // size of its pool
}

// TemplateResource is a resource block that the import's plans of start or of
// stop contain.
type TemplateResource struct {
	Address    string `json:"address"` // of the block: no instance keys
	Type       string `json:"type"`
	Persistent bool   `json:"persistent,omitempty"` // also in the plan of stop
}

// ExternalNeed is an external sign-in that a version's workspaces use.
type ExternalNeed struct {
	ID       string `json:"id"`
	Optional bool   `json:"optional,omitempty"` // workspaces are made without it too
}

// Plugin is a Terraform provider binary that a version needs.
type Plugin struct {
	Source  string `json:"source"` // registry.terraform.io/coder/coder
	Version string `json:"version"`
}

// Module is a module call that a version makes.
type Module struct {
	Key     string `json:"key"`
	Source  string `json:"source"`
	Version string `json:"version,omitempty"`
}
