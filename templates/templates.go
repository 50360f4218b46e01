// Package templates holds the starter templates that `berth templates init`
// writes: complete, small, and commented for those who will change them.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed process docker kubernetes
var files embed.FS

// Starter is one template to begin with.
type Starter struct {
	Name        string
	Description string // one line
}

// Starters lists them, the simplest first.
func Starters() []Starter {
	return []Starter{
		{"process", "a process of the server's own machine with a home directory; needs nothing else"},
		{"docker", "a container with a persistent home volume"},
		{"kubernetes", "a pod with a persistent home"},
	}
}

// Open gives a starter's files. The error is fs.ErrNotExist for an unknown name.
func Open(name string) (fs.FS, error) {
	if _, err := fs.Stat(files, name); err != nil {
		return nil, err
	}
	return fs.Sub(files, name)
}
