// Package storetest gives tests real databases of both engines.
//
// Every database is new and migrated: a copy of a SQLite file, or a PostgreSQL
// database made from a template on a server that this process starts from the
// machine's binaries. The server has no network, keeps its files in a temporary
// directory, and ends with the test process however that ends.
//
// BERTH_TEST_POSTGRES_URL names another server instead, whose user may create
// databases. Where there is neither, the PostgreSQL half of each test is skipped
// and says so.
package storetest

import (
	"testing"

	"github.com/berthdev/berth/internal/store"
)

// Run runs test once for each engine, in parallel. open gives a new database
// that is closed when the test ends; it may be called more than once, also
// inside of synctest.Test.
func Run(t *testing.T, test func(t *testing.T, open func(t *testing.T) *store.DB)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			e.prepare(t)
			test(t, func(t *testing.T) *store.DB {
				t.Helper()
				return Open(t, e.url(t))
			})
		})
	}
}

// URLs runs test once for each engine, like Run, with the address of a new
// migrated database: for tests that open it themselves, perhaps several times.
func URLs(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			e.prepare(t)
			test(t, e.url(t))
		})
	}
}

// Bench runs bench once for each engine on a new database.
func Bench(b *testing.B, bench func(b *testing.B, db *store.DB)) {
	b.Helper()
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			e.prepare(b)
			bench(b, Open(b, e.url(b)))
		})
	}
}

// SQLite gives a new SQLite database, for tests to which the engine does not
// matter.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	prepareSQLite(t)
	return Open(t, sqliteURL(t))
}

// Open opens the database at url until the test ends. Wakes of other processes
// do not reach it, so that nothing of it runs in the background, and nothing of
// it is kept through a power cut.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.WithoutNotifications(), store.ForTests())
	if err != nil {
		t.Fatalf("opening the database: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var engines = []struct {
	name    string
	prepare func(testing.TB) // makes the template; skips where it cannot
	url     func(testing.TB) string
}{
	{"sqlite", prepareSQLite, sqliteURL},
	{"postgres", preparePostgres, postgresURL},
}
