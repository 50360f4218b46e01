package source

import (
	"os"
	"path/filepath"
)

// Entry is one line of terraform's list of installed modules.
type Entry struct {
	Key, Source, Version, Dir string
}

// Manifest lists the modules that are installed in dir, the root among them.
func Manifest(dir string) []Entry {
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(manifest)))
	if err != nil {
		return nil // a template without modules has none
	}
	return entries(text)
}

// Read parses the template's root and its installed modules. The root
// comes first.
func Read(dir string) ([]Module, error) {
	root, err := ReadModule(dir, ".")
	if err != nil {
		return nil, err
	}
	all, seen := []Module{root}, map[string]bool{".": true}
	for _, m := range Manifest(dir) {
		at := filepath.Clean(m.Dir)
		if m.Key == "" || seen[at] || !filepath.IsLocal(at) {
			continue
		}
		seen[at] = true
		if inner, err := ReadModule(dir, at); err == nil {
			inner.Key = m.Key
			all = append(all, inner)
		}
	}
	return all, nil
}
