package activity

import (
	"context"
	"maps"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// atOnce is how many sightings one transaction writes.
const atOnce = 500

// Write writes what was seen into the database and tells of how many rows. What
// could not be written is kept for the next time. It is called by a loop, each
// minute, and once more when the server stops.
func (b *Book) Write(ctx context.Context) (int, error) {
	b.writes.Lock()
	defer b.writes.Unlock()
	taken := b.take()
	defer b.giveBack()
	written := 0
	for len(taken) > 0 {
		n := min(len(taken), atOnce)
		err := b.db.Guarded(ctx, func(tx *store.Tx) error { return tx.NoteActivity(taken[:n]) })
		if err != nil {
			return written, err
		}
		b.wrote(taken[:n])
		written += n
		taken = taken[n:]
	}
	return written, nil
}

// take moves what is pending to what is being written.
func (b *Book) take() []store.Sighting {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writing, b.pending = b.pending, map[page]berth.Evidence{}
	taken := make([]store.Sighting, 0, len(b.writing))
	for at, e := range b.writing {
		taken = append(taken, store.Sighting{Workspace: at.workspace, Evidence: e})
	}
	return taken
}

func (b *Book) wrote(done []store.Sighting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range done {
		delete(b.writing, page{s.Workspace, s.Kind})
	}
}

// giveBack makes pending again what was not written.
func (b *Book) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, e := range maps.All(b.writing) {
		if newer, ok := b.pending[at]; ok {
			e = e.Merge(newer)
		}
		b.pending[at] = e
	}
	b.writing = nil
}
