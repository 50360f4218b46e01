// Package bundle holds the binaries that berth carries inside itself: the agent
// for every platform that workspaces run on, and the Terraform plugin for the
// machine that the server runs on.
//
// They are embedded as gzip files, which the build puts into the folder files.
// A berth built without them (go build, go test) finds unpacked ones in
// directories instead. The package neither runs nor installs anything.
package bundle

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// Plugin is the name of the Terraform plugin's binary for this machine.
const Plugin = "berth-plugin"

// Agents are the names of the agent's binaries, as workspaces ask for them.
func Agents() []string {
	return []string{"berth-agent-linux-amd64", "berth-agent-linux-arm64"}
}

//go:embed files
var embedded embed.FS

// Bundle finds binaries by name.
type Bundle struct {
	packed fs.FS
	dirs   []string
	found  sync.Map // name → *File: packed files never change, and hashing takes time
}

// New is the bundle of this executable. What it does not carry is looked for
// unpacked in dirs, in order; empty ones are skipped.
func New(dirs ...string) *Bundle {
	packed, err := fs.Sub(embedded, "files")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return &Bundle{packed: packed, dirs: dirs}
}

// File is one binary of a bundle.
type File struct {
	Name string
	Size int64  // unpacked
	Tag  string // changes when the content does; for caches
	gzip []byte // nil for a file in a directory
	path string
}

// Find looks a binary up. When there is none, the error says where it was
// looked for and is fs.ErrNotExist.
func (b *Bundle) Find(name string) (*File, error) {
	if f, ok := b.found.Load(name); ok {
		return f.(*File), nil
	}
	if data, err := fs.ReadFile(b.packed, name+".gz"); err == nil {
		f, err := packedFile(name, data)
		if err == nil {
			b.found.Store(name, f)
		}
		return f, err
	}
	for _, dir := range b.dirs {
		if dir == "" {
			continue
		}
		for _, candidate := range candidates(name) {
			path := filepath.Join(dir, candidate)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				tag := fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size())
				return &File{Name: name, Size: info.Size(), Tag: tag, path: path}, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: this berth was built without %s, and none is in %q", fs.ErrNotExist, name, b.dirs)
}

// candidates are the file names under which go build leaves the binary: one
// for this machine has no platform in its name.
func candidates(name string) []string {
	if name == "berth-agent-"+runtime.GOOS+"-"+runtime.GOARCH {
		return []string{name, "berth-agent"}
	}
	return []string{name}
}

func packedFile(name string, data []byte) (*File, error) {
	if len(data) < 18 { // header and trailer of an empty gzip file
		return nil, errors.New(name + ".gz in the bundle is not a gzip file")
	}
	sum := sha256.Sum256(data)
	return &File{
		Name: name,
		Size: int64(binary.LittleEndian.Uint32(data[len(data)-4:])), // the trailer holds it
		Tag:  hex.EncodeToString(sum[:12]),
		gzip: data,
	}, nil
}

// Open reads the unpacked binary.
func (f *File) Open() (io.ReadCloser, error) {
	if f.gzip == nil {
		return os.Open(f.path)
	}
	return gzip.NewReader(bytes.NewReader(f.gzip))
}

// Gzip reads the packed binary; ok is false where only an unpacked one exists.
func (f *File) Gzip() (r io.ReadSeeker, ok bool) {
	return bytes.NewReader(f.gzip), f.gzip != nil
}
