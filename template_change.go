package berth

// VersionChange is one difference between what two versions of a template ask,
// make and need.
type VersionChange struct {
	Kind   string     `json:"kind" enum:"parameter,variable,preset,resource,agent,sign-in,plugin,module,cost"`
	Name   string     `json:"name,omitempty"`
	Change ChangeKind `json:"change" enum:"added,removed,changed"`
	Says   string     `json:"says"` // in words that follow kind and name: "is new; its default is 4"
}

// ChangeKind says what became of a thing.
type ChangeKind string

const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// FileChange is one file in which two versions of a template differ.
type FileChange struct {
	Path   string     `json:"path"`
	Change ChangeKind `json:"change" enum:"added,removed,changed"`
	Diff   string     `json:"diff,omitempty"` // unified; empty where there is none to show
	Note   string     `json:"note,omitempty"` // why there is none, or what else changed
}
