package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	dialect dialect
	reader  *sql.DB
	writer  *sql.DB // the reader itself on PostgreSQL
	hub     *hub
	unique  map[string]string // see dialect.uniques
	trace   func(query string, args []any)
}

// Option changes how a database is opened.
type Option func(*options)

// ForTests makes SQLite leave what was committed in the machine's memory, as the
// tests' PostgreSQL does: a process that ends loses nothing, a power cut may lose
// everything. And connections are kept however long they are idle, since a test's
// clock may jump by hours between two transactions.
func ForTests() Option { return func(o *options) { o.tests = true } }

type options struct{ quiet, tests bool }

// WithoutNotifications keeps wakes inside the process. Waiting then notices what
// other replicas did by looking only.
func WithoutNotifications() Option { return func(o *options) { o.quiet = true } }

// Open opens the database at url, "sqlite:PATH" or "postgres://…", makes it when
// it is an empty one, and brings its schema up to date. A schema that is newer
// than this program is refused.
func Open(ctx context.Context, url string, opts ...Option) (*DB, error) {
	var o options
	for _, set := range opts {
		set(&o)
	}
	d, err := dialectOf(url, o)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, d); err != nil {
		return nil, err
	}
	reader, writer, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	db := &DB{dialect: d, reader: reader, writer: writer}
	if db.unique, err = d.uniques(ctx, reader); err != nil {
		db.Close()
		return nil, fmt.Errorf("reading the unique indexes: %w", err)
	}
	db.hub = newHub()
	if !o.quiet {
		db.hub.listen(d)
	}
	return db, nil
}

// dialectOf chooses the engine by the scheme.
func dialectOf(url string, o options) (dialect, error) {
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		return sqlite{path: rest, tests: o.tests}, nil
	case "postgres", "postgresql":
		return postgres{url: url, tests: o.tests}, nil
	}
	return nil, berth.InvalidField("database_url",
		"the database URL must begin with sqlite: or postgres://, for example sqlite:/var/lib/berth/berth.db")
}

// Close ends all connections. Transactions that are running fail.
func (db *DB) Close() error {
	if db.hub != nil {
		db.hub.close()
	}
	err := db.reader.Close()
	if db.writer != db.reader {
		if werr := db.writer.Close(); err == nil {
			err = werr
		}
	}
	return err
}

// Engine is "sqlite" or "postgres".
func (db *DB) Engine() string { return db.dialect.name() }

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return db.Read(ctx, func(q *Query) error {
		var one int
		return q.row(`SELECT 1`).Scan(&one)
	})
}

// Size is how many bytes the database takes on disk.
func (db *DB) Size(ctx context.Context) (n int64, err error) {
	err = db.Read(ctx, func(q *Query) error {
		n, err = db.dialect.size(q)
		return err
	})
	return n, err
}

// Read runs f on one snapshot of the database.
func (db *DB) Read(ctx context.Context, f func(q *Query) error) error {
	return db.run(ctx, reading, func(tx *Tx) error { return f(&tx.Query) })
}

// Write runs f in a serializable transaction and commits when f returns nil. f
// may run more than once.
func (db *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	return db.run(ctx, writing, f)
}

// Rehearse runs f as Write does, to find out what would come of it: in a
// transaction that writes nothing, for which no writer waits.
func (db *DB) Rehearse(ctx context.Context, f func(tx *Tx) error) error {
	return db.run(ctx, reading, f)
}

// Guarded runs f in a transaction whose statements do not depend on each other's
// reads: every one guards itself in its WHERE. f may run more than once.
func (db *DB) Guarded(ctx context.Context, f func(tx *Tx) error) error {
	return db.run(ctx, guarded, f)
}

// retryBudget is how long a transaction is repeated before its caller is told
// that the database is too busy.
const retryBudget = 15 * time.Second

func (db *DB) run(ctx context.Context, m mode, f func(tx *Tx) error) error {
	refuseNested()
	began := time.Now()
	for n := 0; ; n++ {
		tx, err := db.once(ctx, m, f)
		if err == nil {
			db.Wake(tx.wakes...)
			return nil
		}
		if !db.dialect.retry(err) {
			return db.translate(err)
		}
		if time.Since(began) > retryBudget {
			return &berth.Error{Code: berth.Unavailable, Message: "the database is too busy: try again in a moment", Err: err}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff(n)):
		}
	}
}

// backoff is a random time up to 2 ms at first, doubling up to 500 ms: losers of
// one conflict must not meet again.
func backoff(n int) time.Duration {
	return rand.N(min(2*time.Millisecond<<min(n, 10), 500*time.Millisecond)) + time.Microsecond
}

func (db *DB) once(ctx context.Context, m mode, f func(tx *Tx) error) (_ *Tx, err error) {
	handle := db.writer
	if m == reading {
		handle = db.reader
	}
	c, err := db.dialect.begin(ctx, handle, m)
	if err != nil {
		return nil, err
	}
	defer c.Rollback() // also when f panics; nothing after a commit
	tx := &Tx{Query: Query{ctx: ctx, conn: c, db: db}, Now: time.Now().UTC().Truncate(time.Microsecond)}
	if err := f(tx); err != nil {
		return nil, err
	}
	return tx, c.Commit()
}
