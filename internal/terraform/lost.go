package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthdev/berth/internal/journal"
)

// lostName is where changes of which nobody knows whether they were made travel
// to the next build: in the state, beside what terraform reads of it.
const lostName = "berth_lost"

// takeLost takes them out of a state. What is left is as terraform wrote it.
func takeLost(state []byte) (clean []byte, missing []lost) {
	var top rawObject
	if json.Unmarshal(state, &top) != nil || top[lostName] == nil {
		return state, nil
	}
	_ = json.Unmarshal(top[lostName], &missing)
	delete(top, lostName)
	clean, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		return state, nil
	}
	return clean, missing
}

// withLost puts changes into a state that nobody knows of, beside those that are
// in it, but for those whose object it has.
func withLost(state []byte, list []lost) []byte {
	clean, all := takeLost(state)
	f, err := parseState(clean)
	if err != nil || len(list) == 0 {
		return state
	}
	var top rawObject
	if json.Unmarshal(clean, &top) != nil {
		return state
	}
	there := f.addresses()
	all = slices.DeleteFunc(merged(all, list), func(l lost) bool { return l.in(there) })
	if len(all) == 0 {
		return clean
	}
	if top[lostName], err = json.Marshal(all); err != nil {
		return state
	}
	with, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		return state
	}
	return with
}

// in tells whether its object is one of these.
func (l lost) in(addresses []string) bool {
	return len(l.Addresses) == 1 && slices.Contains(addresses, l.Addresses[0])
}

// merged has each change once.
func merged(a, b []lost) []lost {
	all := slices.Clone(a)
	for _, l := range b {
		if !slices.ContainsFunc(a, func(o lost) bool {
			return o.Type == l.Type && slices.Equal(o.Addresses, l.Addresses) && maps.EqualFunc(o.Known, l.Known, bytesEqual)
		}) {
			all = append(all, l)
		}
	}
	return all
}

func bytesEqual(a, b json.RawMessage) bool { return bytes.Equal(a, b) }

// lostFile is where a build keeps what it was told to look for, until it has
// found it: should it be killed, the next one looks.
const lostFile = "lost.json"

func writeLost(dir string, list []lost) error {
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, lostFile)
	if err := os.Remove(path + ".part"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeWhole(path+".part", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// unfound is what a build in the directory still had to look for.
func (d *directory) unfound() (list []lost) {
	if text, err := d.read(lostFile, maxState); err == nil {
		_ = json.Unmarshal(text, &list)
	}
	return list
}

// say tells people what may be left behind.
func (l lost) say() string {
	text := "A " + l.Type
	switch len(l.Addresses) {
	case 0:
	case 1:
		text = l.Addresses[0]
	default:
		text = "One of " + strings.Join(l.Addresses, ", ")
	}
	for _, name := range []string{"id", "name"} {
		var value string
		if json.Unmarshal(l.Known[name], &value) == nil && value != "" {
			text += fmt.Sprintf(" (%s %q)", name, value)
			break
		}
	}
	return fmt.Sprintf("%s was being made when that was cut; %s", text, l.Why)
}

// errNothing says that a build was not allowed to change anything.
var errNothing = errors.New("nothing was let through")

// journaled reads the journal of a run. There is none where the error is
// fs.ErrNotExist; errNothing says that it let nothing through.
func (d *directory) journaled() ([]journal.Record, error) {
	text, err := d.read(journalName+"/"+journal.FileName, maxState)
	if err != nil {
		return nil, err
	}
	records, err := journal.Read(text)
	if err != nil {
		return nil, errNothing // not even its first line was whole
	}
	for _, r := range records {
		if r.Event == journal.Released {
			return records, nil
		}
	}
	return nil, errNothing
}

// settled is the newest state that there is, in the directory or kept elsewhere,
// with what the journal knows beyond it. It is empty where nothing was allowed to
// change. While changes may run, which is until it is over, the journal is asked
// for nothing else.
func (d *directory) settled(over bool, kept ...[]byte) (state []byte, missing []lost, err error) {
	state, lineage, serial := d.newest()
	for _, other := range kept {
		if l, s, err := Header(other); err == nil && (state == nil || l == lineage && s > serial) {
			state, lineage, serial = other, l, s
		}
	}
	if state != nil {
		state = withLost(state, d.unfound())
	}
	records, err := d.journaled()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return state, nil, nil
	case errors.Is(err, errNothing):
		return nil, nil, nil
	case err != nil:
		return state, nil, fmt.Errorf("reading the journal of a build: %w", err)
	case !over:
		return state, nil, nil
	}
	defer func() {
		// Anything that ran as the build's user may have written the journal, and
		// whoever reads it has other builds to look after.
		if p := recover(); p != nil {
			missing, err = nil, fmt.Errorf("reading the journal of a build: what it holds cannot be read (%v)", p)
		}
	}()
	return replay(state, records)
}
