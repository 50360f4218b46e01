package shell

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An Xauthority file says which cookie opens which display. It is written here,
// so that no xauth is needed in the workspace: entries of a family and four
// counted strings, numbers big-endian.

// familyLocal is the family of displays of this machine, whose address is the
// host's name. Libraries look for it also when DISPLAY names a loopback address.
const familyLocal = 256

// maxXauthority bounds the file that is read; one entry takes some 50 bytes.
const maxXauthority = 1 << 20

type xauthEntry struct {
	family                uint16
	address, number, name string
	data                  []byte
}

// same tells whether two entries are about the same display.
func (e xauthEntry) same(o xauthEntry) bool {
	return e.family == o.family && e.address == o.address && e.number == o.number
}

func (e xauthEntry) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, e.family)
	for _, field := range []string{e.address, e.number, e.name, string(e.data)} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(field)))
		b = append(b, field...)
	}
	return b
}

// cutXauthEntry reads the first entry of b; ok is false where there is none
// that is whole.
func cutXauthEntry(b []byte) (e xauthEntry, rest []byte, ok bool) {
	if len(b) < 2 {
		return e, b, false
	}
	e.family, rest = binary.BigEndian.Uint16(b), b[2:]
	var fields [4][]byte
	for i := range fields {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return xauthEntry{}, b, false
		}
		n := 2 + int(binary.BigEndian.Uint16(rest))
		fields[i], rest = rest[2:n], rest[n:]
	}
	e.address, e.number, e.name, e.data = string(fields[0]), string(fields[1]), string(fields[2]), fields[3]
	return e, rest, true
}

// replaceXauth puts e into a file's content, in front, in place of what was said
// of its display; or takes e out, but not what another session has said of the
// display since. What cannot be read stays at the end.
func replaceXauth(content []byte, e xauthEntry, put bool) []byte {
	var out []byte
	if put {
		out = e.append(out)
	}
	for {
		old, rest, ok := cutXauthEntry(content)
		if !ok {
			return append(out, content...)
		}
		if !old.same(e) || !put && !bytes.Equal(old.data, e.data) {
			out = append(out, content[:len(content)-len(rest)]...)
		}
		content = rest
	}
}

// editing keeps the sessions of this process from waiting for each other's
// lock files.
var editing sync.Mutex

// editXauthority puts e into the Xauthority file at path, or takes it out.
func editXauthority(path string, e xauthEntry, put bool) error {
	editing.Lock()
	defer editing.Unlock()
	unlock, err := lockXauthority(path)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := readXauthority(path)
	if err != nil {
		return err
	}
	changed := replaceXauth(old, e, put)
	if bytes.Equal(old, changed) {
		return nil
	}
	if len(changed) == 0 {
		return os.Remove(path)
	}
	fresh := path + "-n" // the name that xauth uses too, under the same lock
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(fresh, changed, 0o600); err != nil {
		os.Remove(fresh)
		return err
	}
	return os.Rename(fresh, path)
}

func readXauthority(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxXauthority {
		return nil, fmt.Errorf("%s is not an Xauthority file", path)
	}
	return io.ReadAll(io.LimitReader(f, maxXauthority))
}

const (
	xauthWait  = 3 * time.Second  // for another program's lock
	xauthStale = 20 * time.Second // the age at which a lock is that of a dead one
)

// lockXauthority takes the lock that xauth takes: FILE-c, linked to FILE-l.
func lockXauthority(path string) (unlock func(), err error) {
	if !isDir(filepath.Dir(path)) {
		return nil, fmt.Errorf("%s is not a directory", filepath.Dir(path))
	}
	create, link := path+"-c", path+"-l"
	unlock = func() { os.Remove(link); os.Remove(create) }
	for end := time.Now().Add(xauthWait); ; time.Sleep(20 * time.Millisecond) {
		f, err := os.OpenFile(create, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			f.Close()
			err = os.Link(create, link)
			if err == nil || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) {
				return unlock, nil // or this file system has no links
			}
			os.Remove(create)
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if info, err := os.Lstat(create); err == nil && time.Since(info.ModTime()) > xauthStale {
			unlock()
			continue
		}
		if info, err := os.Lstat(link); err == nil && time.Since(info.ModTime()) > xauthStale {
			unlock()
			continue
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%s is locked by another program", path)
		}
	}
}
