package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func activityOf(t testing.TB, db *store.DB, ws berth.WorkspaceID) (found []berth.Evidence, w berth.Workspace) {
	t.Helper()
	if err := db.Read(t.Context(), func(q *store.Query) (err error) {
		if found, err = q.Activity(ws); err != nil {
			return err
		}
		w, err = q.Workspace(ws)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found, w
}

// What the database makes of two sightings is what berth.Evidence.Merge makes
// of them, in either order.
func TestActivityMergesAsTheRootDoes(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		world := storetest.Seed(t, db)
		base := time.Now().UTC().Truncate(time.Second)
		minute := rapid.IntRange(0, 30)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			ws := world.Workspace(t, db, fmt.Sprintf("w%d", n))
			draw := func() berth.Evidence {
				since := base.Add(time.Duration(minute.Draw(rt, "since")) * time.Minute)
				return berth.Evidence{Kind: berth.EvidenceSSH, Detail: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "detail"),
					Since: since, At: since.Add(time.Duration(minute.Draw(rt, "at")) * time.Minute)}
			}
			first, second := draw(), draw()
			if first.At.Equal(second.At) {
				second.Detail = first.Detail
			}
			for _, e := range []berth.Evidence{first, second} {
				write(t, db, func(tx *store.Tx) error { return tx.NoteActivity([]store.Sighting{{Workspace: ws.ID, Evidence: e}}) })
			}
			found, w := activityOf(t, db, ws.ID)
			want := first.Merge(second)
			if diff := cmp.Diff([]berth.Evidence{want}, found); diff != "" || want != second.Merge(first) {
				rt.Fatalf("%+v and %+v: (- root, + database)\n%s", first, second, diff)
			}
			if !w.LastUsedAt.Equal(want.At) {
				rt.Fatalf("last used %v, want %v", w.LastUsedAt, want.At)
			}
		})
	})
}

// A large batch is one transaction of few statements; an open connection is
// not a use unless the organization says so, and a use never moves back.
func TestActivityInBatches(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		world := storetest.Seed(t, db)
		now := time.Now().UTC().Truncate(time.Second)
		var seen []store.Sighting
		for i := range 700 {
			ws := world.Workspace(t, db, fmt.Sprintf("w%d", i))
			for _, kind := range []berth.EvidenceKind{berth.EvidenceSSH, berth.EvidenceConnection} {
				at := now
				if kind == berth.EvidenceConnection {
					at = now.Add(time.Hour)
				}
				seen = append(seen, store.Sighting{Workspace: ws.ID, Evidence: berth.Evidence{Kind: kind, Since: at, At: at}})
			}
		}
		note := func() {
			t.Helper()
			write(t, db, func(tx *store.Tx) error { return tx.NoteActivity(seen) })
		}
		last := seen[len(seen)-1].Workspace
		note()
		if found, w := activityOf(t, db, last); len(found) != 2 || !w.LastUsedAt.Equal(now) {
			t.Errorf("found %+v, last used %v, want %v", found, w.LastUsedAt, now)
		}
		world.Organization.IdleCounts = true
		write(t, db, func(tx *store.Tx) error { return tx.UpdateOrganization(world.Organization) })
		note()
		if _, w := activityOf(t, db, last); !w.LastUsedAt.Equal(now.Add(time.Hour)) {
			t.Errorf("where idle connections count: last used %v", w.LastUsedAt)
		}
	})
}

func TestHoldsInTheStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		world := storetest.Seed(t, db)
		ws, other := world.Workspace(t, db, "a"), world.Workspace(t, db, "b")
		now := time.Now().UTC().Truncate(time.Microsecond)
		hold := berth.Hold{ID: berth.NewID[berth.Hold](), WorkspaceID: ws.ID, Reason: "training\x00", CreatedBy: world.User.ID, By: "ada",
			CreatedAt: now, Until: now.Add(time.Hour)}
		holds := func(at time.Time) (found []berth.Hold) {
			t.Helper()
			if err := db.Read(t.Context(), func(q *store.Query) (err error) {
				found, err = q.Holds(ws.ID, at)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return found
		}
		write(t, db, func(tx *store.Tx) error { return tx.PutHold(hold) })
		hold.Reason = "training\uFFFD"
		if diff := cmp.Diff([]berth.Hold{hold}, holds(now)); diff != "" {
			t.Error(diff)
		}
		hold.Until = now.Add(2 * time.Hour)
		write(t, db, func(tx *store.Tx) error { return tx.PutHold(hold) })
		if found := holds(now.Add(90 * time.Minute)); len(found) != 1 {
			t.Errorf("after it was renewed: %+v", found)
		}
		if found := holds(hold.Until); len(found) != 0 {
			t.Errorf("at its end: %+v", found)
		}
		write(t, db, func(tx *store.Tx) error {
			if err := tx.DeleteHold(other.ID, hold.ID); err == nil {
				t.Error("another workspace's hold was ended")
			}
			n, err := tx.DeleteEndedHolds(now, 10)
			if n != 0 {
				t.Errorf("%d holds removed that last", n)
			}
			if n, err = tx.DeleteEndedHolds(hold.Until, 10); n != 1 {
				t.Errorf("%d ended holds removed", n)
			}
			return err
		})
	})
}
