package terraform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Recover reads what a run in dir left behind when nobody was there to finish
// it: the newest of its state, its errored state and those that were kept
// elsewhere, and what its journal knows beyond that. A directory without state,
// or none at all, gives an empty Result, and so does a run that was not allowed
// to change anything. Its Lost says what may be left over.
func Recover(dir string, kept ...[]byte) (Result, error) { return recovered(dir, true, kept...) }

// Glance is Recover while terraform or the journal may still run: it reads the
// newest whole state alone.
func Glance(dir string) (Result, error) { return recovered(dir, false) }

func recovered(dir string, over bool, kept ...[]byte) (Result, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Result{}, nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("looking for a state: %w", err)
	}
	d := &directory{path: dir, root: root}
	defer d.close()
	state, missing, unread := d.settled(over, kept...)
	if state == nil {
		return Result{}, unread
	}
	r, err := ReadState(state)
	if _, none := d.journaled(); none == nil {
		r.Journaled = true
	}
	for _, l := range missing {
		r.Lost = append(r.Lost, l.say())
	}
	return r, errors.Join(err, unread)
}

// repair puts into the state what the journal knows beyond it.
func (r *run) repair() (state []byte, lineage string, serial int64) {
	kept := [][]byte{r.State}
	if r.watcher.last != nil {
		kept = append(kept, r.watcher.last)
	}
	state, missing, err := r.dir.settled(true, kept...)
	if err != nil {
		r.say("error", "The journal of this build cannot be used: "+err.Error()+". Something that terraform was just making may be left behind.")
	}
	if before, _, had := r.dir.newest(); state != nil && (before == nil || !sameSerial(state, had)) {
		r.say("info", "What was made, and terraform had not recorded, is in the state again.")
	}
	for _, l := range missing {
		r.say("warn", l.say()+". The next build looks for it.")
		r.missing = append(r.missing, l.say())
	}
	if state != nil {
		lineage, serial, _ = Header(state)
	}
	return state, lineage, serial
}

func sameSerial(state []byte, serial int64) bool {
	_, s, err := Header(state)
	return err == nil && s == serial
}
