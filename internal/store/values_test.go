package store_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// What clean gives can be stored, is no longer than wanted, and is the text
// itself where that could be stored.
func TestClean(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		limit := rapid.IntRange(20, 100).Draw(t, "limit")
		got := store.Clean(s, limit)
		if !utf8.ValidString(got) || strings.ContainsRune(got, 0) || len(got) > limit {
			t.Fatalf("%q became %q", s, got)
		}
		if utf8.ValidString(s) && !strings.ContainsRune(s, 0) && len(s) <= limit && got != s {
			t.Fatalf("%q became %q for nothing", s, got)
		}
	})
}

func TestCursor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := store.Cursor{At: time.UnixMicro(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "at")).UTC(), ID: string(berth.NewID[any]())}
		if got, err := store.ParseCursor(c.String()); err != nil || got != c {
			t.Fatalf("%v became %v, %v", c, got, err)
		}
	})
	for _, s := range []string{"x", "x.y", ".", "zz zz.00000000-0000-0000-0000-000000000000", "1.'; DROP TABLE users"} {
		if _, err := store.ParseCursor(s); berth.ErrorCode(err) != berth.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}
