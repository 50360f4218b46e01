package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/berthdev/berth"
)

// sqlite is the engine of one process: a file in WAL mode, readers that refuse
// to write, and one writer that locks at the start of each transaction (a
// transaction that reads first and locks later would fail at once when another
// one wrote in between, whatever the busy timeout says).
type sqlite struct {
	path  string
	tests bool // see ForTests
}

// readers is how many snapshots may be open at once.
const readers = 8

func (sqlite) name() string { return "sqlite" }

// common holds for each connection. FULL keeps a committed transaction through
// a power cut. busy_timeout, in ms, is for other processes: a backup, a shell.
var common = []string{"busy_timeout(10000)", "synchronous(FULL)", "temp_store(MEMORY)"}

func (s sqlite) handle(connections int, txlock string, pragmas ...string) *sql.DB {
	v := url.Values{"_pragma": append(append([]string{}, common...), pragmas...)}
	if s.tests {
		v.Add("_pragma", "synchronous(OFF)")
	}
	if txlock != "" {
		v.Set("_txlock", txlock)
	}
	db := sql.OpenDB(keepingConnector{name: "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?" + v.Encode(), driver: &driver.Driver{}})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

func (s sqlite) open(ctx context.Context) (reader, writer *sql.DB, err error) {
	writer = s.handle(1, "immediate", "journal_mode(WAL)", "foreign_keys(1)")
	if err = s.ping(ctx, writer); err != nil {
		writer.Close()
		return nil, nil, s.cannotOpen(err)
	}
	return s.handle(readers, "", "query_only(1)"), writer, nil
}

func (s sqlite) openForMigrations(ctx context.Context) (*sql.DB, error) {
	if err := s.makeFile(); err != nil {
		return nil, err
	}
	db := s.handle(1, "immediate", "journal_mode(WAL)", "foreign_keys(0)")
	if err := s.ping(ctx, db); err != nil {
		db.Close()
		return nil, s.cannotOpen(err)
	}
	return db, nil
}

// ping connects. Of several that open a fresh file at once only one can switch
// it to WAL; SQLite refuses the others at once, whatever the busy timeout says,
// because they hold a lock that the one waits for. So they come again.
func (s sqlite) ping(ctx context.Context, db *sql.DB) error {
	for end := time.Now().Add(retryBudget); ; {
		err := db.PingContext(ctx)
		if err == nil || !s.retry(err) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(1+rand.IntN(20)) * time.Millisecond):
		}
	}
}

// makeFile creates the file for its owner alone (SQLite would make it readable
// for all; its side files take its mode) and finds out early whether it and its
// directory can be written. A file that exists is not opened here: closing it
// would drop the locks that this process may hold on it.
func (s sqlite) makeFile() error {
	dir := filepath.Dir(s.path)
	if s.path == "" {
		return berth.InvalidField("database_url", "the database URL names no file: write sqlite:PATH")
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		return f.Close()
	case !errors.Is(err, os.ErrExist):
		return s.notWritable(dir, err)
	}
	if info, err := os.Stat(s.path); err == nil && !info.Mode().IsRegular() {
		return berth.Errorf(berth.Invalid, "%s is not a file: choose another path for the database", s.path)
	}
	for _, p := range []string{s.path, dir} {
		if err := unix.Access(p, unix.W_OK); err != nil {
			return s.notWritable(p, err)
		}
	}
	return nil
}

func (s sqlite) notWritable(path string, err error) error {
	cause := err
	var p *os.PathError
	if errors.As(err, &p) {
		cause = p.Err
	}
	return &berth.Error{Code: berth.Unavailable, Err: err, Message: fmt.Sprintf(
		"the database cannot be written, %s: %v. Choose another data directory with --data, or make this one writable for the user that runs berth", path, cause)}
}

func (s sqlite) cannotOpen(err error) error {
	if why := s.away(err); why != "" {
		return &berth.Error{Code: berth.Unavailable, Message: why, Err: err}
	}
	if code(err) == sqlite3.SQLITE_NOTADB {
		return &berth.Error{Code: berth.Invalid, Err: err, Message: fmt.Sprintf(
			"%s is not a SQLite database: choose another path, or restore it from a backup", s.path)}
	}
	return fmt.Errorf("opening %s: %w", s.path, err)
}

func (sqlite) begin(ctx context.Context, db *sql.DB, _ mode) (*sql.Tx, error) {
	return db.BeginTx(ctx, nil) // the handle knows whether to lock
}

// lockMigrations has nothing to do: an immediate transaction is alone.
func (sqlite) lockMigrations(context.Context, *sql.Tx) error { return nil }

func (sqlite) script(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, text)
	return err
}

func (sqlite) verify(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		var table, parent string
		var row, key sql.NullInt64
		if err := rows.Scan(&table, &row, &parent, &key); err != nil {
			return err
		}
		return fmt.Errorf("row %d of table %s refers to nothing in %s", row.Int64, table, parent)
	}
	return rows.Err()
}

// code is SQLite's primary result code, 0 for other errors.
func code(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

func (sqlite) retry(err error) bool {
	return code(err) == sqlite3.SQLITE_BUSY || code(err) == sqlite3.SQLITE_LOCKED
}

func (sqlite) constraint(err error) (constraintKind, string) {
	var e *driver.Error
	if !errors.As(err, &e) || e.Code()&0xff != sqlite3.SQLITE_CONSTRAINT {
		return noConstraint, ""
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		_, name, _ := strings.Cut(e.Error(), "UNIQUE constraint failed: ")
		name, _, _ = strings.Cut(name, " (") // the driver adds the number
		return uniqueConstraint, strings.TrimSpace(name)
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return foreignKey, ""
	}
	return otherConstraint, ""
}

// uniques knows SQLite's names: "index 'NAME'" for an index on an expression,
// else "table.column, table.column".
func (sqlite) uniques(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `
		SELECT t.name, i.name, i.origin, c.name
		FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
		WHERE t.type = 'table' AND i."unique" = 1
		ORDER BY t.name, i.name, c.seqno`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns := map[string][]string{} // of an index
	for rows.Next() {
		var table, index, origin string
		var column sql.NullString
		if err := rows.Scan(&table, &index, &origin, &column); err != nil {
			return nil, err
		}
		if origin == "pk" {
			index = table + "_pkey"
		}
		if !column.Valid {
			columns[index] = []string{"index '" + index + "'"}
			continue
		}
		if c := columns[index]; len(c) == 0 || !strings.HasPrefix(c[0], "index ") {
			columns[index] = append(c, table+"."+column.String)
		}
	}
	names := map[string]string{}
	for index, c := range columns {
		names[strings.Join(c, ", ")] = index
	}
	return names, rows.Err()
}

func (s sqlite) away(err error) string {
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		return "the disk of the database is full: free some space, then try again"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return "the database cannot be written: see that its directory is there and belongs to the user that runs berth"
	case sqlite3.SQLITE_IOERR:
		return "the disk of the database gave an error: see the log of the machine"
	case sqlite3.SQLITE_CORRUPT:
		return "the database is damaged: restore it from a backup"
	}
	return ""
}

func (sqlite) notify(context.Context, *sql.DB, string) {}

func (sqlite) listen(context.Context, func(string)) {}

func (sqlite) size(q *Query) (n int64, err error) {
	err = q.row(`SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`).Scan(&n)
	return n, err
}
