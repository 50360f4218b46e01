package store_test

import (
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// Every column that holds something sealed is in the list by which keys rotate.
func TestSealedColumnsAreListed(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	known := map[string]bool{}
	for _, c := range store.SealedColumns {
		known[c.Table+"."+c.Column] = true
	}
	found := 0
	for _, line := range rows(t, db, `SELECT m.name || '.' || c.name, c.type FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'BYTEA'`) {
		column, _, _ := strings.Cut(line, "\t")
		if strings.HasSuffix(column, "hash") || column == "archives.data" || strings.HasSuffix(column, ".public_key") {
			continue
		}
		found++
		if !known[column] {
			t.Errorf("%s holds bytes: put it into SealedColumns if they are sealed", column)
		}
	}
	if found != len(known) {
		t.Errorf("%d columns of %d were found", found, len(known))
	}
}
