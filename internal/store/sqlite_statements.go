package store

import (
	"container/list"
	"context"
	sqldriver "database/sql/driver"
	"regexp"

	driver "modernc.org/sqlite"
)

// SQLite reads and plans the text of a statement each time, which takes longer
// than most of ours take to run. So every connection keeps the last ones that it
// ran. It is what pgx does for PostgreSQL.

// keptStatements is how many statements a connection keeps: those of the loops
// and of what people do all day, at some kilobytes each.
const keptStatements = 100

// boundLimit is a bound LIMIT. SQLite plans a statement that has one anew each time
// that it is bound, even to the same number; of one that is computed it makes no
// plans.
var boundLimit = regexp.MustCompile(`LIMIT (\$\d+)`)

// keepingConnector makes connections that keep statements.
type keepingConnector struct {
	name   string
	driver *driver.Driver
}

func (c keepingConnector) Driver() sqldriver.Driver { return c.driver }

func (c keepingConnector) Connect(context.Context) (sqldriver.Conn, error) {
	conn, err := c.driver.Open(c.name)
	if err != nil {
		return nil, err
	}
	return &keepingConn{sqliteConn: conn.(sqliteConn), known: map[string]*list.Element{}, recent: list.New()}, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	sqldriver.Conn
	sqldriver.ConnBeginTx
	sqldriver.ConnPrepareContext
	sqldriver.ExecerContext
	sqldriver.Pinger
	sqldriver.QueryerContext
	sqldriver.SessionResetter
	sqldriver.Validator
}

// keepingConn keeps statements. As any connection, it is used by one goroutine at
// a time.
type keepingConn struct {
	sqliteConn
	known  map[string]*list.Element
	recent *list.List // of *kept, the last used first
}

type kept struct {
	sqldriver.Stmt
	text string
	busy bool // its rows are being read
}

// statement is the kept statement of a text; nil while its rows are read.
func (c *keepingConn) statement(ctx context.Context, text string) (*kept, error) {
	if e, ok := c.known[text]; ok {
		c.recent.MoveToFront(e)
		if k := e.Value.(*kept); !k.busy {
			return k, nil
		}
		return nil, nil
	}
	s, err := c.PrepareContext(ctx, boundLimit.ReplaceAllString(text, "LIMIT ($1 + 0)"))
	if err != nil {
		return nil, err
	}
	k := &kept{Stmt: s, text: text}
	c.known[text] = c.recent.PushFront(k)
	for e := c.recent.Back(); e != nil && c.recent.Len() > keptStatements; {
		before := e.Prev()
		if old := e.Value.(*kept); !old.busy {
			c.recent.Remove(e)
			delete(c.known, old.text)
			if err := old.Close(); err != nil {
				return nil, err
			}
		}
		e = before
	}
	return k, nil
}

// unwatched is ctx without its end, for which the driver would start a goroutine
// with each statement. Ours are short, and before each of them database/sql looks
// whether there is still somebody who waits.
func unwatched(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func (c *keepingConn) ExecContext(ctx context.Context, text string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	k, err := c.statement(ctx, text)
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		return c.sqliteConn.ExecContext(ctx, text, args)
	}
	return k.Stmt.(sqldriver.StmtExecContext).ExecContext(unwatched(ctx), args)
}

func (c *keepingConn) QueryContext(ctx context.Context, text string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	k, err := c.statement(ctx, text)
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		return c.sqliteConn.QueryContext(ctx, text, args)
	}
	rows, err := k.Stmt.(sqldriver.StmtQueryContext).QueryContext(unwatched(ctx), args)
	if err != nil {
		return nil, err
	}
	k.busy = true
	return &keptRows{Rows: rows, k: k}, nil
}

// keptRows gives its statement back.
type keptRows struct {
	sqldriver.Rows
	k *kept
}

func (r *keptRows) Close() error {
	r.k.busy = false
	return r.Rows.Close()
}

// Close ends the statements first: a connection with open ones stays.
func (c *keepingConn) Close() error {
	for e := c.recent.Front(); e != nil; e = e.Next() {
		e.Value.(*kept).Close()
	}
	return c.sqliteConn.Close()
}
