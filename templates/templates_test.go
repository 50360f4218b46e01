package templates

import (
	"errors"
	"io/fs"
	"testing"
)

func TestStarters(t *testing.T) {
	t.Parallel()
	for _, s := range Starters() {
		files, err := Open(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"main.tf", "README.md"} {
			if text, err := fs.ReadFile(files, name); err != nil || len(text) == 0 {
				t.Errorf("%s: %s: %v", s.Name, name, err)
			}
		}
		if s.Description == "" {
			t.Errorf("%s has no description", s.Name)
		}
	}
	if _, err := Open("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unknown starter: %v", err)
	}
}
