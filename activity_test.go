package berth_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

// Whatever order sightings come in, two say the same together, nothing seen is
// forgotten, and a spell begins no later than the newest sighting of it.
func TestEvidenceMerges(t *testing.T) {
	t.Parallel()
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	evidence := rapid.Custom(func(t *rapid.T) berth.Evidence {
		since := base.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "since")) * time.Minute)
		return berth.Evidence{Kind: berth.EvidenceSSH, Detail: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "detail"),
			Since: since, At: since.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "length")) * time.Minute)}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := evidence.Draw(t, "a"), evidence.Draw(t, "b")
		both := a.Merge(b)
		if other := b.Merge(a); both != other {
			t.Fatalf("%+v one way, %+v the other", both, other)
		}
		if a.Merge(a) != a || both.Merge(b) != both || both.Merge(a) != both {
			t.Fatalf("%+v is not all there is to say", both)
		}
		if both.At.Before(a.At) || both.At.Before(b.At) || both.Since.After(both.At) {
			t.Fatalf("%+v", both)
		}
		if older, newer := a, b; older.At.Before(newer.Since.Add(-berth.SpellGap)) && both != newer {
			t.Fatalf("two spells became %+v", both)
		}
	})
}

func TestWhatCountsAsActivity(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	seen := func(kind berth.EvidenceKind, ago time.Duration) berth.Evidence {
		return berth.Evidence{Kind: kind, Since: now.Add(-ago), At: now.Add(-ago)}
	}
	hold := []berth.Hold{{Until: now.Add(time.Minute)}}
	for name, c := range map[string]struct {
		seen       []berth.Evidence
		holds      []berth.Hold
		idleCounts bool
		newest     berth.EvidenceKind
		awake      bool
	}{
		"nothing":                        {},
		"typing":                         {seen: []berth.Evidence{seen(berth.EvidenceSSH, time.Minute)}, newest: berth.EvidenceSSH, awake: true},
		"typing, long ago":               {seen: []berth.Evidence{seen(berth.EvidenceSSH, 6*time.Minute)}, newest: berth.EvidenceSSH},
		"an idle connection":             {seen: []berth.Evidence{seen(berth.EvidenceConnection, 0), seen(berth.EvidenceApp, time.Hour)}, newest: berth.EvidenceApp},
		"an idle connection that counts": {seen: []berth.Evidence{seen(berth.EvidenceConnection, 0), seen(berth.EvidenceApp, time.Hour)}, idleCounts: true, newest: berth.EvidenceConnection, awake: true},
		"a hold":                         {holds: hold, awake: true},
	} {
		a := berth.NewActivity(c.seen, c.holds, c.idleCounts, now)
		if a.Newest.Kind != c.newest || a.Awake() != c.awake {
			t.Errorf("%s: %+v, awake %v", name, a, a.Awake())
		}
	}
}
