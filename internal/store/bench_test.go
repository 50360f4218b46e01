package store_test

import (
	"fmt"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// BenchmarkFirstPage is the first page of 10,000 workspaces with all that is
// shown beside each.
func BenchmarkFirstPage(b *testing.B) {
	storetest.Bench(b, func(b *testing.B, db *store.DB) {
		w := storetest.Seed(b, db)
		for batch := range 20 {
			err := db.Write(b.Context(), func(tx *store.Tx) error {
				for i := range 500 {
					ws := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID,
						OwnerID: w.User.ID, TemplateID: w.Template.ID, Name: fmt.Sprintf("w%d-%d", batch, i), CreatedAt: tx.Now, UpdatedAt: tx.Now}
					if err := tx.InsertWorkspace(ws, []byte("k")); err != nil {
						return err
					}
					build := w.Build(ws.ID, berth.Start)
					build.ID, build.Number, build.CreatedAt = berth.NewID[berth.Build](), 1, tx.Now
					if err := tx.InsertBuild(build); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			err := db.Read(b.Context(), func(q *store.Query) error {
				rows, next, err := q.WorkspacePage(store.WorkspaceFilter{Visible: berth.Visible{All: true}}, store.Page{Limit: 50})
				if err == nil && (len(rows) != 50 || next == "") {
					err = fmt.Errorf("%d rows, next %q", len(rows), next)
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
