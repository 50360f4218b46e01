package store

import (
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// Page says which part of a list is wanted. Lists are ordered by the time of
// creation and the id, so that a page begins at the same place while rows come
// and go.
type Page struct {
	After Cursor // the last row of the page before; zero: from the start
	Limit int    // 0: 50
}

// NewPage reads what a caller asks for: at most 500 rows behind the cursor that
// the page before gave as the next.
func NewPage(after string, limit int) (Page, error) {
	if limit < 0 || limit > 500 {
		return Page{}, berth.InvalidField("limit", "a page has between 1 and 500 entries")
	}
	c, err := ParseCursor(after)
	return Page{After: c, Limit: limit}, err
}

// bound adds where the page begins in a list by created and id, and gives the
// end of the query. One row more than the page is read, to know whether there
// is a next one.
func (p Page) bound(w *where, created, id string, newestFirst bool) string {
	order := ""
	switch {
	case newestFirst:
		order = " DESC"
		w.before(created, id, p.After)
	case p.After.ID != "":
		w.add("("+created+", "+id+") > (?, ?)", p.After.At.UnixMicro(), p.After.ID)
	}
	return " ORDER BY " + created + order + ", " + id + order + " LIMIT " + strconv.Itoa(limit(p.Limit)+1)
}

// cut shortens rows to the page and gives the cursor of its last row, "" when
// there is no next page.
func cut[T any](p Page, rows []T, cursor func(T) Cursor) ([]T, string) {
	n := limit(p.Limit)
	if len(rows) <= n {
		return rows, ""
	}
	rows = rows[:n]
	return rows, cursor(rows[n-1]).String()
}

// lowered is a name from outside as it is compared.
func lowered(name string) string { return strings.ToLower(clean(name, maxWord)) }
