package store

import (
	"fmt"
	"path/filepath"
	"testing"
)

// Statements are kept and used again, also while the rows of the same one are
// read, after they failed, and when there are more than are kept.
func TestKeptStatements(t *testing.T) {
	t.Parallel()
	db := sqlite{path: filepath.Join(t.TempDir(), "x.db")}.handle(1, "")
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec(`CREATE TABLE n (i BIGINT PRIMARY KEY); INSERT INTO n VALUES (1), (2), (3)`); err != nil {
		t.Fatal(err)
	}
	const all = `SELECT i FROM n ORDER BY i`
	for range 3 {
		count := 0
		outer, err := tx.Query(all)
		if err != nil {
			t.Fatal(err)
		}
		for outer.Next() {
			inner, err := tx.Query(all)
			if err != nil {
				t.Fatal(err)
			}
			for inner.Next() {
				count++
			}
			inner.Close()
		}
		if err := outer.Err(); err != nil || count != 9 {
			t.Fatalf("read %d rows, %v", count, err)
		}
	}
	for range 2 {
		if _, err := tx.Exec(`INSERT INTO n VALUES ($1)`, 1); err == nil {
			t.Fatal("a number was stored twice")
		}
	}
	if _, err := tx.Exec(`INSERT INTO n VALUES ($1)`, 4); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * keptStatements {
		var sum int
		if err := tx.QueryRow(fmt.Sprintf(`SELECT sum(i) + %d FROM n`, i)).Scan(&sum); err != nil || sum != 10+i {
			t.Fatal(sum, err)
		}
	}
	for n := range 3 {
		var sum int
		if err := tx.QueryRow(`SELECT sum(i) FROM (SELECT i FROM n ORDER BY i LIMIT $1)`, n+1).Scan(&sum); err != nil || sum != (n+1)*(n+2)/2 {
			t.Fatal(sum, err)
		}
	}
	// What the schema was when it was kept does not matter.
	if _, err := tx.Exec(`ALTER TABLE n ADD COLUMN more BIGINT`); err != nil {
		t.Fatal(err)
	}
	var i, more any
	if err := tx.QueryRow(`SELECT * FROM n ORDER BY i`).Scan(&i, &more); err != nil || more != nil {
		t.Fatal(i, more, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}
