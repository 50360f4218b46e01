package berth

import (
	"cmp"
	"fmt"
	"strings"
)

// Drift is one object of a workspace that is not as its state has it: somebody
// or something changed it outside of Berth.
type Drift struct {
	Address    string   `json:"address"`
	Type       string   `json:"type"`
	Gone       bool     `json:"gone,omitempty"`       // it is not there any more
	Attributes []string `json:"attributes,omitempty"` // that differ; their values may be secrets
}

// String is a sentence without its end.
func (d Drift) String() string {
	if d.Gone {
		return d.Address + " is not there any more: a start makes it again"
	}
	const most = 8
	names := d.Attributes
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return d.Address + " was changed in " + strings.Join(names, ", ") + more
}

// On is the workspace that a build is about, by what it does or by what it looks
// at; empty for an import.
func (b Build) On() WorkspaceID { return cmp.Or(b.WorkspaceID, b.LooksAt) }
