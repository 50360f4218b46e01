package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
