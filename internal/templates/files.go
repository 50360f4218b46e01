package templates

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/berthdev/berth"
)

// What of files is shown: more helps nobody who reads it.
const (
	maxDiffed = 1 << 20 // bytes of a file whose lines are compared
	maxDiffs  = 4 << 20 // bytes of all that is shown
)

// stored reads an archive in its normal form, as this package wrote it.
func stored(data []byte) (map[string]file, error) {
	files := map[string]file{}
	for t := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading a stored archive: %w", err)
		}
		text, err := io.ReadAll(t)
		if err != nil {
			return nil, fmt.Errorf("reading a stored archive: %w", err)
		}
		files[h.Name] = file{text, h.Mode&0o111 != 0}
	}
}

// compareFiles lists the files in which two archives differ, by path.
func compareFiles(was, is map[string]file) []berth.FileChange {
	names := slices.Collect(maps.Keys(was))
	for name := range is {
		if _, both := was[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	all, room := []berth.FileChange{}, maxDiffs
	for _, name := range names {
		a, before := was[name]
		b, now := is[name]
		c := berth.FileChange{Path: name, Change: berth.Changed}
		from, to := "a/"+name, "b/"+name
		switch {
		case !before:
			c.Change, from = berth.Added, "/dev/null"
		case !now:
			c.Change, to = berth.Removed, "/dev/null"
		case bytes.Equal(a.data, b.data) && a.executable == b.executable:
			continue
		case a.executable != b.executable:
			c.Note = "it is executable now"
			if a.executable {
				c.Note = "it is not executable any more"
			}
		}
		switch {
		case !isText(a.data) || !isText(b.data):
			c.Note = "it is not text"
		case len(a.data) > maxDiffed || len(b.data) > maxDiffed:
			c.Note = "it is too large to show"
		case room <= 0:
			c.Note = "too much is different to show it all"
		default:
			c.Diff = string(diff.Diff(from, a.data, to, b.data))
			room -= len(c.Diff)
		}
		all = append(all, c)
	}
	return all
}

func isText(b []byte) bool { return utf8.Valid(b) && !bytes.ContainsRune(b, 0) }
