package activity

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

// maxDetail is how many bytes of a detail are kept.
const maxDetail = 120

// Book keeps what was seen of the use of workspaces until it is written. Its
// methods may be called from many goroutines; none of them waits but those with
// a context.
type Book struct {
	mu      sync.Mutex
	pending map[page]berth.Evidence // not in the database yet
}

// page is what one row of evidence is about.
type page struct {
	workspace berth.WorkspaceID
	kind      berth.EvidenceKind
}

// NewBook makes an empty book.
func NewBook() *Book { return &Book{pending: map[page]berth.Evidence{}} }

// Note says that something uses the workspace at this moment.
func (b *Book) Note(workspace berth.WorkspaceID, kind berth.EvidenceKind, detail string) {
	now := time.Now()
	b.note(workspace, berth.Evidence{Kind: kind, Detail: detail, Since: now, At: now})
}

func (b *Book) note(workspace berth.WorkspaceID, e berth.Evidence) {
	if workspace == "" || !slices.Contains(berth.EvidenceKinds, e.Kind) {
		return
	}
	e.Detail = short(e.Detail)
	b.mu.Lock()
	defer b.mu.Unlock()
	at := page{workspace, e.Kind}
	if known, ok := b.pending[at]; ok {
		e = known.Merge(e)
	}
	b.pending[at] = e
}

// Recent is what was seen of a workspace and is not in the database yet.
func (b *Book) Recent(workspace berth.WorkspaceID) []berth.Evidence {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []berth.Evidence
	for _, kind := range berth.EvidenceKinds {
		if e, ok := b.pending[page{workspace, kind}]; ok {
			found = append(found, e)
		}
	}
	return found
}

// short makes a detail from outside one line that can be stored and shown.
func short(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxDetail)], "")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
}
