package templates

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/source"
)

// A template that is too large to be kept would be read at every look at its form.
func TestLargeTemplatesAreNotReadAgain(t *testing.T) {
	t.Parallel()
	var big strings.Builder
	for i := range 15_000 {
		fmt.Fprintf(&big, "locals {\n  a%d = \"%030d\"\n}\n", i, i)
	}
	for name, want := range map[string]bool{"locals {\n  a = 1\n}\n": true, big.String(): false} {
		r := library{}
		read := open(source.Files{"main.tf": []byte(name)})
		r.keep("v", read)
		if _, kept := r.kept["v"]; (read != nil) != want || !kept {
			t.Errorf("%d bytes: read %t, kept %t", len(name), read != nil, kept)
		}
	}
}
