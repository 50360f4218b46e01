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

// MergeEvidence is what several lists say together: each kind once, the newest
// first.
func MergeEvidence(lists ...[]Evidence) []Evidence {
	kinds := map[EvidenceKind]Evidence{}
	for _, list := range lists {
		for _, e := range list {
			if known, ok := kinds[e.Kind]; ok {
				e = known.Merge(e)
			}
			kinds[e.Kind] = e
		}
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

// NewestEvidence is the newest of list that counts as activity; ok is false
// without any.
func NewestEvidence(list []Evidence, idleCounts bool) (newest Evidence, ok bool) {
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

// LastHold is the hold that lasts longest; ok is false when none lasts at now.
func LastHold(holds []Hold, now time.Time) (last Hold, ok bool) {
	for _, h := range holds {
		if h.Until.After(now) && h.Until.After(last.Until) {
			last, ok = h, true
		}
	}
	return last, ok
}
