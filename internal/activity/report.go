package activity

import (
	"time"

	"github.com/berthdev/berth"
)

// Seen is what an agent says of one kind of evidence, in ages: how long ago its
// spell began and how long ago it was last seen. The agent's own clock does not
// matter.
type Seen struct {
	Kind   berth.EvidenceKind
	Detail string
	Began  time.Duration
	Last   time.Duration
}

// Bounds of what one report may say. There are fewer kinds than maxSeen; a
// longer list is not an agent of ours.
const (
	maxSeen = 32
	maxAge  = 365 * 24 * time.Hour
)

// Report takes what an agent of the workspace says that it saw, as of now.
// Kinds that this server does not know are skipped: the agent may be newer. A
// time that has not come yet counts as now.
func (b *Book) Report(workspace berth.WorkspaceID, seen []Seen) {
	now := time.Now()
	for _, s := range seen[:min(len(seen), maxSeen)] {
		last := min(max(s.Last, 0), maxAge)
		began := min(max(s.Began, last), maxAge)
		b.note(workspace, berth.Evidence{Kind: s.Kind, Detail: short(s.Detail), Since: now.Add(-began), At: now.Add(-last)})
	}
}
