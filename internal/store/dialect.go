package store

import (
	"context"
	"database/sql"
)

// dialect is the whole list of differences between the engines. Everything else
// in this package is one text for both. It is meant to stay this short.
type dialect interface {
	// name is what Engine tells, and what names a migration for one engine alone.
	name() string

	// open gives a handle for Read and one for the others. They may be the same.
	open(ctx context.Context) (reader, writer *sql.DB, err error)

	// openForMigrations gives a handle that enforces no foreign keys while tables
	// are rebuilt, where the engine needs that.
	openForMigrations(ctx context.Context) (*sql.DB, error)

	// begin starts a transaction of the mode.
	begin(ctx context.Context, db *sql.DB, m mode) (*sql.Tx, error)

	// lockMigrations lets one migrator in at a time until tx ends.
	lockMigrations(ctx context.Context, tx *sql.Tx) error

	// script runs a text of several statements.
	script(ctx context.Context, tx *sql.Tx, text string) error

	// verify finds references to nothing after a migration.
	verify(ctx context.Context, tx *sql.Tx) error

	// retry tells whether err means that the transaction met another one and
	// nothing else is wrong, so that it can be run again.
	retry(err error) bool

	// constraint is what kind of constraint err is about, and its name as the
	// engine tells it; see uniques.
	constraint(err error) (kind constraintKind, name string)

	// uniques maps what the engine calls a unique index in an error to the name
	// of the index. nil: the same.
	uniques(ctx context.Context, db *sql.DB) (map[string]string, error)

	// away is a sentence with a cure when err means that the database cannot be
	// used now, and empty for other errors.
	away(err error) string

	// notify tells other replicas to wake who waits for the topics; best effort.
	notify(ctx context.Context, db *sql.DB, topics string)

	// listen calls heard for each notify of a replica until ctx is done, or
	// returns at once where there can be one replica only.
	listen(ctx context.Context, heard func(topics string))

	// size is how many bytes the database takes.
	size(q *Query) (int64, error)
}

// mode is what a transaction may do and what it is protected from.
type mode int

const (
	reading mode = iota // one snapshot, no changes
	writing             // serializable
	guarded             // read committed at least; statements guard themselves
)

// constraintKind is what kind of rule of the schema a statement broke.
type constraintKind int

const (
	noConstraint constraintKind = iota
	uniqueConstraint
	foreignKey
	otherConstraint // check, not null: our fault
)
