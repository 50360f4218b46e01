package source

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of what calls are followed: modules may call each other in a ring.
const (
	maxCalls = 500
	maxDepth = 20
)

// ReadCalls parses the template's root and its modules once for each call of
// them, callers first. Those that came from elsewhere are found where they are
// installed, local ones also without an installation; others are left out.
func ReadCalls(dir string) ([]Module, error) {
	root, err := ReadModule(dir, ".")
	if err != nil {
		return nil, err
	}
	installed := map[string]string{}
	for _, e := range Manifest(dir) {
		installed[e.Key] = e.Dir
	}
	parsed := map[string]Module{".": root}
	all := []Module{root}
	for n := 0; n < len(all) && n < maxCalls; n++ {
		caller := all[n]
		if strings.Count(caller.Key, ".") >= maxDepth {
			continue
		}
		for _, b := range caller.Of("module", "") {
			key := strings.TrimPrefix(caller.Key+"."+b.Labels[0], ".")
			at, ok := installed[key]
			if s := Literal(b.Body, "source"); !ok && local(s) {
				at, ok = path.Join(filepath.ToSlash(caller.Dir), s), true
			}
			at = filepath.Clean(at)
			if !ok || !filepath.IsLocal(at) {
				continue
			}
			m, seen := parsed[at]
			if !seen {
				if m, err = ReadModule(dir, at); err != nil {
					continue // terraform says what is wrong with it
				}
				parsed[at] = m
			}
			m.Key = key
			all = append(all, m)
		}
	}
	return slices.Clip(all), nil
}

func local(source string) bool {
	return strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../")
}
