package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the schema. Steps only go forward.
type migration struct {
	number   int64
	name     string // 0001_first
	text     string
	checksum string // SHA-256 of text, hex
}

// migrations are the steps for an engine in their order. NNNN_name.sql is for
// both; NNNN_name.sqlite.sql and NNNN_name.postgres.sql come in pairs where
// there is no other way.
func migrations(files fs.FS, engine string) ([]migration, error) {
	paths, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var steps []migration
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		name, only, _ := strings.Cut(name, ".")
		if only != "" && only != engine {
			continue
		}
		number, err := strconv.ParseInt(name[:min(4, len(name))], 10, 64)
		if err != nil || number != int64(len(steps))+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", path, len(steps)+1)
		}
		b, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(b)
		steps = append(steps, migration{number, name, string(b), hex.EncodeToString(sum[:])})
	}
	return steps, nil
}

// migrate brings the schema up to date. Many replicas may do so at once.
func migrate(ctx context.Context, d dialect) error {
	steps, err := migrations(migrationFiles, d.name())
	if err != nil {
		return err
	}
	return migrateTo(ctx, d, steps)
}

// migrateTo applies those of the steps that are missing.
func migrateTo(ctx context.Context, d dialect, steps []migration) error {
	db, err := d.openForMigrations(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		more, err := step(ctx, d, db, steps)
		switch {
		case err != nil && d.retry(err):
			time.Sleep(50 * time.Millisecond)
		case err != nil:
			if why := d.away(err); why != "" {
				return &berth.Error{Code: berth.Unavailable, Message: why, Err: err}
			}
			return err
		case !more:
			return nil
		}
	}
}

// step applies the first migration that is missing, in a transaction of its own,
// and tells whether there was one.
func step(ctx context.Context, d dialect, db *sql.DB, steps []migration) (more bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if err := d.lockMigrations(ctx, tx); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)`); err != nil {
		return false, fmt.Errorf("making the table of migrations: %w", err)
	}
	done, err := applied(ctx, tx)
	if err != nil {
		return false, err
	}
	if err := checkApplied(done, steps); err != nil {
		return false, err
	}
	if len(done) < len(steps) {
		m := steps[len(done)]
		if err := d.script(ctx, tx, m.text); err != nil {
			return false, fmt.Errorf("migration %s: %w", m.name, err)
		}
		if err := d.verify(ctx, tx); err != nil {
			return false, fmt.Errorf("after migration %s: %w", m.name, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)`,
			m.number, m.name, m.checksum, time.Now().UnixMicro()); err != nil {
			return false, err
		}
	}
	return len(done) < len(steps), tx.Commit()
}

func applied(ctx context.Context, tx *sql.Tx) ([]migration, error) {
	rows, err := tx.QueryContext(ctx, `SELECT number, name, checksum FROM schema_migrations ORDER BY number`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var done []migration
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.number, &m.name, &m.checksum); err != nil {
			return nil, err
		}
		done = append(done, m)
	}
	return done, rows.Err()
}

// checkApplied refuses a database whose past is not ours.
func checkApplied(done, steps []migration) error {
	if len(done) > len(steps) {
		last := done[len(done)-1]
		return berth.Errorf(berth.Conflict,
			"the database was used by a newer berth (its schema is %s, this berth knows up to %s): run the newer berth, or restore the backup that was made before it",
			last.name, steps[len(steps)-1].name)
	}
	for i, m := range done {
		if m.checksum != steps[i].checksum {
			return berth.Errorf(berth.Conflict,
				"the database was made by another build of berth: its migration %s differs from ours. Run that build, or start with an empty database", m.name)
		}
	}
	return nil
}
