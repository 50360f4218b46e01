package store

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/berthdev/berth"
)

// What the tests of this package see of its inside.

// Prepare asks the engine whether it understands a query.
func Prepare(ctx context.Context, db *DB, query string) error {
	s, err := db.writer.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	return s.Close()
}

// Trace calls f with every query from now on.
func Trace(db *DB, f func(query string, args []any)) { db.trace = f }

// Handle is the connection pool that writes.
func Handle(db *DB) *sql.DB { return db.writer }

// UniqueNames are the unique indexes whose refusal has a sentence.
func UniqueNames() (names []string) {
	for name := range constraints {
		names = append(names, name)
	}
	return names
}

// EngineNames maps what SQLite calls an index in its errors to the index.
func EngineNames(db *DB) map[string]string { return db.unique }

// MigrateWith migrates the database at url with other migrations.
func MigrateWith(ctx context.Context, url string, files fs.FS) error {
	d, err := dialectOf(url, options{})
	if err != nil {
		return err
	}
	steps, err := migrations(files, d.name())
	if err != nil {
		return err
	}
	return migrateTo(ctx, d, steps)
}

// Ours are the migrations of this program.
var Ours fs.FS = migrationFiles

// Exec runs any statement in a transaction.
func Exec(q *Query, query string) error {
	_, err := q.conn.ExecContext(q.ctx, query)
	return err
}

// Explain is the engine's plan for a query. PostgreSQL is asked what it does
// when it can: it reads small tables whole however many indexes they have.
func Explain(ctx context.Context, q *Query, query string, args []any) (lines []string) {
	explain, columns := `EXPLAIN QUERY PLAN `, 4
	if q.db.Engine() == "postgres" {
		explain, columns = `EXPLAIN `, 1
		if err := Exec(q, `SET LOCAL enable_seqscan = off`); err != nil {
			return []string{err.Error()}
		}
	}
	rows, err := q.conn.QueryContext(ctx, explain+query, args...)
	if err != nil {
		return []string{err.Error()}
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		into := make([]any, columns)
		for i := range into {
			into[i] = new(any)
		}
		into[columns-1] = &line
		if err := rows.Scan(into...); err != nil {
			return []string{err.Error()}
		}
		lines = append(lines, line)
	}
	return lines
}

// Clean makes a text storable.
var Clean = clean

// Runs is the runs of workspaces whose newest build does not say it.
func Runs(q *Query, ids []berth.WorkspaceID) (map[berth.WorkspaceID]berth.Build, error) {
	return q.runs(ids)
}
