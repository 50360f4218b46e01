package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// Query reads within one transaction. It is used by one goroutine at a time and
// not after its closure returned.
type Query struct {
	ctx  context.Context
	conn *sql.Tx
	db   *DB
}

// Tx reads and changes within one transaction.
type Tx struct {
	Query
	// Now is the time of the transaction: UTC, whole microseconds. Everything
	// that it stores carries this time.
	Now   time.Time
	wakes []string
}

// Wake wakes who waits for the topic, once the transaction is committed.
func (tx *Tx) Wake(topic string) {
	if !slices.Contains(tx.wakes, topic) {
		tx.wakes = append(tx.wakes, topic)
	}
}

// scanner is a row: *sql.Row or *sql.Rows.
type scanner interface{ Scan(into ...any) error }

// row runs a query for one row.
func (q *Query) row(query string, args ...any) *sql.Row {
	if q.db.trace != nil {
		q.db.trace(query, args)
	}
	return q.conn.QueryRowContext(q.ctx, query, args...)
}

// one is the row of a query, read by scan. No row is not_found: "there is no
// NOUN".
func one[T any](q *Query, noun string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(q.row(query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, berth.Errorf(berth.NotFound, "there is no such %s", noun)
	}
	return v, err
}

// all is every row of a query, read by scan.
func all[T any](q *Query, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	if q.db.trace != nil {
		q.db.trace(query, args)
	}
	rows, err := q.conn.QueryContext(q.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var vs []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	return vs, rows.Err()
}

// single reads a row of one value.
func single[T any](s scanner) (v T, err error) {
	err = s.Scan(&v)
	return v, err
}

// exec runs a statement and tells how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if tx.db.trace != nil {
		tx.db.trace(query, args)
	}
	r, err := tx.conn.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// must runs a statement that changes exactly one row by id. No row is
// not_found.
func (tx *Tx) must(noun, query string, args ...any) error {
	n, err := tx.exec(query, args...)
	if err == nil && n == 0 {
		return berth.Errorf(berth.NotFound, "there is no such %s", noun)
	}
	return err
}

// where collects the conditions of a query that is built from a filter.
type where struct {
	conds []string
	args  []any
}

// add adds a condition; each ? in it becomes the placeholder of the next arg.
func (w *where) add(cond string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		cond = strings.Replace(cond, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conds = append(w.conds, cond)
}

// in adds that column is one of the values; with none, that nothing is.
func in[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		w.conds = append(w.conds, "FALSE")
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	w.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// arg adds an argument that is used outside of the conditions, and gives its
// placeholder.
func (w *where) arg(a any) string {
	w.args = append(w.args, a)
	return "$" + strconv.Itoa(len(w.args))
}

// String is " WHERE …", or nothing.
func (w *where) String() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}
