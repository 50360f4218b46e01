package berth

import (
	"cmp"
	"slices"
	"time"
)

// SpellGap is how long nothing may be seen of a kind of evidence before what is
// seen next begins a new spell. What was last seen longer ago keeps nothing
// awake.
const SpellGap = 5 * time.Minute

// EvidenceKinds lists every kind that agents and relays report. Holds are not
// among them: they are things of their own.
var EvidenceKinds = []EvidenceKind{EvidenceSSH, EvidenceTerminal, EvidenceIDE, EvidenceForward, EvidenceApp, EvidenceProcessor, EvidenceProcess, EvidenceConnection}

// Counts tells whether evidence of this kind is activity. An open and idle
// connection is so only where the organization says it.
func (k EvidenceKind) Counts(idleCounts bool) bool { return k != EvidenceConnection || idleCounts }

// Merge is what two sightings of one kind say together: the newer one, begun
// with the older one when less than SpellGap is between them.
func (e Evidence) Merge(o Evidence) Evidence {
	if o.At.Before(e.At) || o.At.Equal(e.At) && o.Detail < e.Detail {
		e, o = o, e
	}
	if o.Since.Sub(e.At) <= SpellGap && e.Since.Before(o.Since) {
		o.Since = e.Since
	}
	return o
}

// MergeEvidence is what a list says together: each kind once, the newest first.
func MergeEvidence(list []Evidence) []Evidence {
	kinds := map[EvidenceKind]Evidence{}
	for _, e := range list {
		if known, ok := kinds[e.Kind]; ok {
			e = known.Merge(e)
		}
		kinds[e.Kind] = e
	}
	all := make([]Evidence, 0, len(kinds))
	for _, e := range kinds {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Evidence) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}

// Activity is what is known of the use of a workspace at one moment.
type Activity struct {
	Newest     Evidence   // that counts as activity; the zero Evidence without any
	All        []Evidence // the newest of each kind, also what does not count
	Holds      []Hold     // those that last, the longest first
	IdleCounts bool       // an open and idle connection counts
	At         time.Time  // the moment
}

// NewActivity puts together what was seen and the holds that last at now.
func NewActivity(seen []Evidence, holds []Hold, idleCounts bool, now time.Time) Activity {
	a := Activity{All: MergeEvidence(seen), Holds: holds, IdleCounts: idleCounts, At: now}
	a.Newest, _ = newestEvidence(a.All, idleCounts)
	return a
}

// Awake tells whether the workspace is in use or held at that moment.
func (a Activity) Awake() bool {
	return len(a.Holds) > 0 || !a.Newest.At.IsZero() && a.At.Sub(a.Newest.At) <= SpellGap
}

// newestEvidence is the newest of list that counts as activity; ok is false
// without any.
func newestEvidence(list []Evidence, idleCounts bool) (newest Evidence, ok bool) {
	for _, e := range list {
		if e.Kind.Counts(idleCounts) && (!ok || e.At.After(newest.At)) {
			newest, ok = e, true
		}
	}
	return newest, ok
}

// Hold is what a person or program set to keep a workspace awake. It ends by
// itself.
type Hold struct {
	ID          HoldID
	WorkspaceID WorkspaceID
	Reason      string
	CreatedBy   UserID
	By          string // username of CreatedBy
	CreatedAt   time.Time
	Until       time.Time
}
