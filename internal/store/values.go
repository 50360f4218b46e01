package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The helpers below come in pairs: what goes into a column, and what takes
// it out.

// stamp is t as it is stored: microseconds since 1970, NULL for the zero time.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// at scans what stamp stored into t: UTC, the zero time for NULL.
func at(t *time.Time) sql.Scanner { return timeColumn{t} }

type timeColumn struct{ t *time.Time }

func (c timeColumn) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*c.t = time.Time{}
	case int64:
		*c.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time column holds a %T", v)
	}
	return nil
}

// span is d as it is stored: microseconds.
func span(d time.Duration) int64 { return d.Microseconds() }

// spanOrNull is span, or NULL for 0.
func spanOrNull(d time.Duration) any {
	if d == 0 {
		return nil
	}
	return span(d)
}

// spanIfAny is span, or NULL for nil.
func spanIfAny(d *time.Duration) any {
	if d == nil {
		return nil
	}
	return span(*d)
}

// lasts scans what span and spanOrNull stored into d, as 0 for NULL.
func lasts(d *time.Duration) sql.Scanner {
	return spanColumn{func(v *time.Duration) {
		if *d = 0; v != nil {
			*d = *v
		}
	}}
}

// mayLast scans a length that may be NULL into d, as nil.
func mayLast(d **time.Duration) sql.Scanner { return spanColumn{func(v *time.Duration) { *d = v }} }

type spanColumn struct{ set func(*time.Duration) }

func (c spanColumn) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		c.set(nil)
	case int64:
		d := time.Duration(v) * time.Microsecond
		c.set(&d)
	default:
		return fmt.Errorf("a column of a length of time holds a %T", v)
	}
	return nil
}

// asJSON is v as it is stored in a *_json column: text, never bytes, which
// SQLite would not find equal to text. What we store can always be encoded.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: %T cannot be stored as JSON: %v", v, err))
	}
	return string(b)
}

// fromJSON scans what asJSON stored into the value that into points at.
func fromJSON(into any) sql.Scanner { return jsonColumn{into} }

type jsonColumn struct{ into any }

func (c jsonColumn) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), c.into)
	case []byte:
		return json.Unmarshal(v, c.into)
	default:
		return fmt.Errorf("a JSON column holds a %T", v)
	}
}

// orNull is s, or NULL for the empty text.
func orNull[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// text scans a text that may be NULL into s, as the empty text.
func text[S ~string](s *S) sql.Scanner { return textColumn[S]{s} }

type textColumn[S ~string] struct{ s *S }

func (c textColumn[S]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*c.s = ""
	case string:
		*c.s = S(v)
	case []byte:
		*c.s = S(v)
	default:
		return fmt.Errorf("a text column holds a %T", v)
	}
	return nil
}

// clean makes a text from outside storable: PostgreSQL takes neither NUL nor
// what is not UTF-8. At most limit bytes are kept.
func clean(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= limit {
		return s
	}
	const cut = " … (cut)"
	return strings.ToValidUTF8(s[:max(0, limit-len(cut))], "") + cut
}
