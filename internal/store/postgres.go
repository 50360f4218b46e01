package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/berthdev/berth"
)

// postgres is the engine of many replicas: one pool, serializable writes.
type postgres struct {
	url   string
	tests bool // see ForTests
}

// connections is how many a replica opens at most: a default PostgreSQL allows
// 100, so that several replicas fit.
const connections = 20

// migrationLock is the advisory lock of migrators, "berth" in ASCII.
const migrationLock = 0x6265727468

// channel carries the wakes.
const channel = "berth"

func (postgres) name() string { return "postgres" }

func (p postgres) open(ctx context.Context) (reader, writer *sql.DB, err error) {
	cfg, err := pgx.ParseConfig(p.url)
	if err != nil {
		return nil, nil, &berth.Error{Code: berth.Invalid, Field: "database_url", Err: err,
			Message: "this is not a PostgreSQL URL: write postgres://user:password@host:5432/database"}
	}
	cfg.RuntimeParams["application_name"] = "berth"
	// A replica whose machine froze in a transaction must not stop the others.
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if !p.tests {
		db.SetConnMaxIdleTime(5 * time.Minute)
	}
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, nil, &berth.Error{Code: berth.Unavailable, Err: err, Message: fmt.Sprintf(
			"PostgreSQL at %s does not let us in: see that it runs, and that user, password and database of the URL are right", cfg.Host)}
	}
	return db, db, nil
}

func (p postgres) openForMigrations(ctx context.Context) (*sql.DB, error) {
	db, _, err := p.open(ctx)
	return db, err
}

func (postgres) begin(ctx context.Context, db *sql.DB, m mode) (*sql.Tx, error) {
	switch m {
	case reading:
		return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	case writing:
		return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	default:
		return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	}
}

func (postgres) lockMigrations(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, migrationLock)
	return err
}

func (postgres) script(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, text, pgx.QueryExecModeSimpleProtocol)
	return err
}

// verify has nothing to do: PostgreSQL checks references at all times.
func (postgres) verify(context.Context, *sql.Tx) error { return nil }

// sqlState is PostgreSQL's error code, empty for other errors.
func sqlState(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

func (postgres) retry(err error) bool {
	switch sqlState(err) {
	case "40001", "40P01": // serialization failure, deadlock
		return true
	}
	return false
}

func (postgres) constraint(err error) (constraintKind, string) {
	var e *pgconn.PgError
	if !errors.As(err, &e) || !strings.HasPrefix(e.Code, "23") {
		return noConstraint, ""
	}
	switch e.Code {
	case "23505":
		return uniqueConstraint, e.ConstraintName
	case "23503":
		return foreignKey, e.ConstraintName
	}
	return otherConstraint, e.ConstraintName
}

func (postgres) uniques(context.Context, *sql.DB) (map[string]string, error) { return nil, nil }

func (postgres) away(err error) string {
	switch state := sqlState(err); {
	case state == "53100":
		return "the disk of the database is full: free some space, then try again"
	case state == "53300":
		return "PostgreSQL has no connection left: raise its max_connections, or run fewer replicas"
	case strings.HasPrefix(state, "57P"), strings.HasPrefix(state, "08"), state == "25P03":
		return "PostgreSQL ended our connection: try again"
	case state == "25006":
		return "PostgreSQL is read-only, perhaps a standby: point the database URL at the primary"
	}
	var n net.Error
	var c *pgconn.ConnectError
	if errors.As(err, &c) || errors.As(err, &n) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "unexpected EOF") {
		return "PostgreSQL does not answer: see that it runs, then try again"
	}
	return ""
}

// notify runs in a statement of its own, after the commit: inside a transaction
// that writes, it would make all commits of the cluster wait for each other.
func (postgres) notify(ctx context.Context, db *sql.DB, topics string) {
	_, _ = db.ExecContext(ctx, `SELECT pg_notify($1, $2)`, channel, topics)
}

func (p postgres) listen(ctx context.Context, heard func(topics string)) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, 30*time.Second) {
		if p.listenOnce(ctx, heard) {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// listenOnce listens until the connection ends, and tells whether there was one.
func (p postgres) listenOnce(ctx context.Context, heard func(topics string)) bool {
	cfg, err := pgx.ParseConfig(p.url)
	if err != nil {
		return false
	}
	cfg.RuntimeParams["application_name"] = "berth wakes"
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return false
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, `LISTEN `+channel); err != nil {
		return false
	}
	heard(everything) // what was said while nobody listened
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return true
		}
		heard(n.Payload)
	}
}

func (postgres) size(q *Query) (n int64, err error) {
	err = q.row(`SELECT pg_database_size(current_database())`).Scan(&n)
	return n, err
}
