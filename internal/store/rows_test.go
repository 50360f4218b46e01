package store_test

import (
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// The conditions by which lists are filtered agree with the status that is
// derived from a row, for every stage and transition of a build.
func TestStatusFiltersAgreeWithTheStatus(t *testing.T) {
	t.Parallel()
	stages := map[string]func(tx *store.Tx, b berth.Build) error{
		"pending":   func(*store.Tx, berth.Build) error { return nil },
		"running":   take,
		"canceling": func(tx *store.Tx, b berth.Build) error { return both(take(tx, b), tx.CancelBuild(b.ID, false)) },
		"canceled":  func(tx *store.Tx, b berth.Build) error { return tx.EndBuild(b.ID, 0, store.Ended{Canceled: true}) },
		"succeeded": func(tx *store.Tx, b berth.Build) error { return tx.EndBuild(b.ID, 0, store.Ended{}) },
		"failed": func(tx *store.Tx, b berth.Build) error {
			return tx.EndBuild(b.ID, 0, store.Ended{Error: "no", ErrorCode: "terraform"})
		},
		"failed although canceled": func(tx *store.Tx, b berth.Build) error {
			return tx.EndBuild(b.ID, 0, store.Ended{Error: "no", ErrorCode: "terraform", Canceled: true})
		},
	}
	statuses := []berth.Status{berth.StatusPending, berth.StatusStarting, berth.StatusRunning, berth.StatusStopping, berth.StatusStopped,
		berth.StatusDeleting, berth.StatusDeleted, berth.StatusCanceling, berth.StatusCanceled, berth.StatusFailed}
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		w := storetest.Seed(t, db)
		n := 0
		for stage, bring := range stages {
			for _, transition := range []berth.Transition{berth.Start, berth.Stop, berth.Delete} {
				n++
				ws := w.Workspace(t, db, "w"+string(rune('a'+n)))
				b := w.Build(ws.ID, transition)
				b.ID, b.Number, b.CreatedAt = berth.NewID[berth.Build](), 1, time.Now()
				if err := db.Write(t.Context(), func(tx *store.Tx) error { return both(tx.InsertBuild(b), bring(tx, b)) }); err != nil {
					t.Fatalf("%s %s: %v", stage, transition, err)
				}
			}
		}
		found := 0
		for _, s := range statuses {
			if err := db.Read(t.Context(), func(q *store.Query) error {
				rows, _, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}, Status: []berth.Status{s}}, store.Page{Limit: 100})
				found += len(rows)
				for _, r := range rows {
					if got := berth.WorkspaceStatus(r.Build.Build); got != s {
						t.Errorf("the filter %s finds a workspace that is %s", s, got)
					}
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if found != n {
			t.Errorf("the filters find %d of %d workspaces, each by one status", found, n)
		}
	})
}

func take(tx *store.Tx, b berth.Build) error {
	r := store.Runner{ID: "runner", ProviderID: b.ProviderID, Slots: 100}
	if err := tx.PutRunner(r); err != nil {
		return err
	}
	r, err := tx.Runner(r.ID)
	if err != nil {
		return err
	}
	for {
		got, ok, _, err := tx.TakeBuild(r, berth.ClassRefill, time.Minute)
		if err != nil || !ok || got.ID == b.ID {
			return err
		}
	}
}

func both(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
