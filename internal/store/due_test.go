package store_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// lives are the columns that prebuilds have nothing in.
var lives = regexp.MustCompile(`\b(autostart|ttl|auto_off|extended_until|dormant_at|deleting_at|noticed_at|unknown_since|reminded_for|next_look) =`)

// No statement that changes what the rules of a life rest on reaches a prebuild.
func TestRulesLeavePrebuildsAlone(t *testing.T) {
	t.Parallel()
	queries, _ := queriesOfPackage(t)
	found := 0
	for where, query := range queries {
		if strings.Contains(query, "UPDATE workspaces") && lives.MatchString(query) {
			if found++; !strings.Contains(query, "NOT is_prebuild") {
				t.Errorf("%s changes prebuilds too:\n%s", where, query)
			}
		}
	}
	if found < 6 {
		t.Errorf("found only %d statements", found)
	}
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		w := storetest.Seed(t, db)
		p := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID, OwnerID: w.User.ID,
			TemplateID: w.Template.ID, Name: "pre", Lifecycle: berth.Lifecycle{Prebuild: true}}
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			p.CreatedAt, p.UpdatedAt = tx.Now, tx.Now
			if err := tx.InsertWorkspace(p, []byte("k")); err != nil {
				return err
			}
			if err := tx.SetLifecycle(p.ID, berth.Lifecycle{TTL: 1}); berth.ErrorCode(err) != berth.NotFound {
				t.Errorf("a prebuild has a time to live: %v", err)
			}
			for _, again := range []func() error{
				func() error { return tx.LookAgain(p.ID) }, func() error { return tx.LookAgainOwned(w.User.ID) },
				func() error { return tx.LookAgainTemplate(w.Template.ID) }, func() error { return tx.LookAgainOrganization(w.Organization.ID) },
			} {
				if err := again(); err != nil {
					return err
				}
			}
			got, err := tx.Workspace(p.ID)
			if !got.NextLook.IsZero() {
				t.Errorf("looked at %v", got.NextLook)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}
