package berth

import (
	"cmp"
	"slices"
	"time"
)

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
	Secrets    []SecretNeed       `json:"secrets,omitempty"`
	// Tags is nil if the template has none.
	Tags *Tags `json:"tags,omitempty"`
	// OutsideAgents are those of Agents whose computer the template does not make.
	OutsideAgents []string  `json:"outside_agents,omitempty"`
	Plugins       []Plugin  `json:"plugins,omitempty"`
	Modules       []Module  `json:"modules,omitempty"`
	Terraform     string    `json:"terraform,omitempty"` // version that imported it
	Notes         []string  `json:"notes,omitempty"`     // said to the pusher: "no agent: …"
	Findings      []Finding `json:"findings,omitempty"`  // what checks of the template found
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
	Styling     string            `json:"styling,omitempty"` // how the field looks, as JSON: placeholder, disabled, label, mask_input
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
	// Expires is after how many seconds an unclaimed member of the pool is made
	// anew; 0: never.
	Expires  int           `json:"expires,omitempty"`
	Schedule *PoolSchedule `json:"schedule,omitempty"` // of the size of its pool; nil: it has none
}

// Pooled tells whether a preset keeps a pool, be it only at some hours.
func (p Preset) Pooled() bool {
	return p.Instances > 0 || p.Schedule != nil && slices.ContainsFunc(p.Schedule.Entries, func(e PoolEntry) bool { return e.Instances > 0 })
}

// PoolSchedule says which size a pool has when; at other times it has that of
// the preset.
type PoolSchedule struct {
	Zone    string      `json:"zone"` // of the tz database
	Entries []PoolEntry `json:"entries"`
}

// PoolEntry is the size of a pool in the hours that a cron expression names: five
// fields, of which the first is *.
type PoolEntry struct {
	Cron      string `json:"cron"`
	Instances int    `json:"instances"`
}

// TemplateResource is a resource block that the import's plans of start or of
// stop contain.
type TemplateResource struct {
	Address    string `json:"address"` // of the block: no instance keys
	Type       string `json:"type"`
	Persistent bool   `json:"persistent,omitempty"` // also in the plan of stop
	// What a coder_metadata says of it, as far as that was known when it was
	// planned. An item whose value is known only once the object is made has none.
	Icon     string         `json:"icon,omitempty"`
	Hide     bool           `json:"hide,omitempty"`
	Cost     int            `json:"daily_cost,omitempty"`
	Metadata []ResourceItem `json:"metadata,omitempty"`
	Agents   []string       `json:"agents,omitempty"` // names of those that run in it
}

// ExternalNeed is an external sign-in that a version's workspaces use.
type ExternalNeed struct {
	ID       string `json:"id"`
	Optional bool   `json:"optional,omitempty"` // workspaces are made without it too
}

// SecretNeed is a secret of the owner that a version's workspaces cannot start
// without, by the place that it has in workspaces: Env or File.
type SecretNeed struct {
	Env  string `json:"env,omitempty"`
	File string `json:"file,omitempty"`
	Help string `json:"help,omitempty"` // of the template's author: what it is and where to get it
	// Optional tells that only some answers make a workspace need it.
	Optional bool `json:"optional,omitempty"`
}

// Place is the variable or the file.
func (n SecretNeed) Place() string { return cmp.Or(n.Env, n.File) }

// Tags say in which workspace providers a version's workspaces may be: in those
// that have all of them. They are kept as they are written, since they may depend
// on answers.
type Tags struct {
	Blocks     []string          `json:"blocks"`               // expressions that are maps of tags; later ones win
	Locals     map[string]string `json:"locals,omitempty"`     // expressions of the local values that they use
	Parameters map[string]string `json:"parameters,omitempty"` // names of the parameters that they use, by block
	Values     map[string]string `json:"values,omitempty"`     // with the answers that the import tried
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
