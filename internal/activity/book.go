package activity

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// maxDetail is how many bytes of a detail are kept.
const maxDetail = 120

// Options of a Book.
type Options struct {
	// Agent asks an agent, over its link, what it saw; an error says that it
	// did not answer.
	Agent func(ctx context.Context, agent berth.AgentID) ([]Seen, error)
	// MaxHold is how long a hold may last from the moment it is set or renewed;
	// 0: a day.
	MaxHold time.Duration
	Log     *slog.Logger
}

// Book keeps what was seen of the use of workspaces, and their holds. Its
// methods may be called from many goroutines; none of them waits but those with
// a context.
type Book struct {
	db *store.DB
	o  Options

	writes sync.Mutex // held by the one Write that goes on

	mu      sync.Mutex
	pending map[page]berth.Evidence // not in the database yet
	writing map[page]berth.Evidence // on its way there
}

// page is what one row of evidence is about.
type page struct {
	workspace berth.WorkspaceID
	kind      berth.EvidenceKind
}

// New makes a book on an open database.
func New(db *store.DB, o Options) *Book {
	if o.MaxHold == 0 {
		o.MaxHold = 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Book{db: db, o: o, pending: map[page]berth.Evidence{}}
}

// Note says that something uses the workspace at this moment.
func (b *Book) Note(workspace berth.WorkspaceID, kind berth.EvidenceKind, detail string) {
	now := time.Now()
	b.note(workspace, berth.Evidence{Kind: kind, Detail: short(detail), Since: now, At: now})
}

func (b *Book) note(workspace berth.WorkspaceID, e berth.Evidence) {
	if workspace == "" || !slices.Contains(berth.EvidenceKinds, e.Kind) {
		return
	}
	// As the database keeps times, so that what it has is not news.
	e.Since, e.At = e.Since.UTC().Truncate(time.Microsecond), e.At.UTC().Truncate(time.Microsecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	at := page{workspace, e.Kind}
	if known, ok := b.pending[at]; ok {
		e = known.Merge(e)
	}
	b.pending[at] = e
}

// Recent is what was seen of a workspace and may not be in the database yet.
// Read it before the database: what is written in between is in both then, not
// in neither.
func (b *Book) Recent(workspace berth.WorkspaceID) []berth.Evidence {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []berth.Evidence
	for _, kind := range berth.EvidenceKinds {
		at := page{workspace, kind}
		for _, from := range []map[page]berth.Evidence{b.writing, b.pending} {
			if e, ok := from[at]; ok {
				found = append(found, e)
			}
		}
	}
	return berth.MergeEvidence(found)
}

// short makes a detail from outside one line that can be stored and shown.
func short(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxDetail)], "")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
}
