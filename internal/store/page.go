package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// Cursor is where a page ends: the (created_at, id) of its last row. Lists are
// newest first, so the next page is of the rows before it.
type Cursor struct {
	At time.Time
	ID string
}

// String is the cursor as it goes over the wire; empty for the zero one.
func (c Cursor) String() string {
	if c.ID == "" {
		return ""
	}
	return strconv.FormatInt(c.At.UnixMicro(), 36) + "." + c.ID
}

// ParseCursor reads what String wrote.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	at, id, ok := strings.Cut(s, ".")
	micros, err := strconv.ParseInt(at, 36, 64)
	if !ok || err != nil || !berth.IsID(id) {
		return Cursor{}, berth.InvalidField("after", "this is not a place in the list: give the next of the page before, or nothing for the first page")
	}
	return Cursor{At: time.UnixMicro(micros).UTC(), ID: id}, nil
}

// before adds that a row lies behind the cursor in a list that is newest first.
func (w *where) before(created, id string, c Cursor) {
	if c.ID != "" {
		w.add("("+created+", "+id+") < (?, ?)", c.At.UnixMicro(), c.ID)
	}
}
