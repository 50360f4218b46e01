package agent

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/retry"
)

const (
	// maxLogBytes is what one agent process sends in all; stopLogBytes more are
	// kept for what its stop scripts say.
	maxLogBytes  = 1 << 20
	stopLogBytes = 64 << 10
	// lineCost is what a line counts beside its text, so that empty lines are
	// limited too.
	lineCost = 40
	maxLine  = 8 << 10
	maxBatch = 64 << 10
	batching = 250 * time.Millisecond
)

// logQueue sends lines to the server in batches, each once and in order. It
// holds what the server has not taken; since all that an agent may send is
// limited, so is what it holds. The number of a line is that of the news.
type logQueue struct {
	*retry.Outbox
	boot int64 // set before the first line

	covers atomic.Pointer[strings.Replacer] // hides secrets; nil: there are none

	left    int            // bytes that may still come
	cut     bool           // and the log has said that none may
	share   map[string]int // the same for each source
	pending []berth.Log
}

func newLogQueue(log *slog.Logger, send func(context.Context, api.AgentLogs) error) *logQueue {
	q := &logQueue{left: maxLogBytes, share: map[string]int{}}
	q.Outbox = retry.NewOutbox(log, "lines of the log", func() retry.Report {
		lines := q.batch()
		return retry.Report{UpTo: lines[len(lines)-1].Seq, Send: func(ctx context.Context) error {
			return send(ctx, api.AgentLogs{Boot: q.boot, Lines: lines})
		}}
	})
	q.Gather = batching
	return q
}

// hide has what r finds in later lines replaced.
func (q *logQueue) hide(r *strings.Replacer) { q.covers.Store(r) }

// cover is text as it may be read.
func (q *logQueue) cover(text string) string {
	if r := q.covers.Load(); r != nil {
		text = r.Replace(text)
	}
	return text
}

// add queues one line. What is over the limit is dropped, after a line that
// says so. No source gets more than half of what was left when it began, so
// that one that prints without end leaves room for those after it.
func (q *logQueue) add(level, stage, source, text string) {
	if q.full(source) {
		return
	}
	text = q.cover(clean(text))
	q.Lock()
	defer q.Unlock()
	cost := len(text) + lineCost
	share, begun := q.share[source]
	if !begun {
		share = max(q.left/2, stopLogBytes/4)
	}
	switch {
	case share < 0 || q.cut:
	case cost > q.left:
		q.cut, q.left = true, 0
		q.append("warn", stage, source, fmt.Sprintf("The log ends here: an agent keeps %d kB of it. The scripts go on, and write on to the files of their log_path.", maxLogBytes>>10))
	case cost > share:
		q.share[source] = -1
		q.append("warn", stage, source, fmt.Sprintf("The log of %s ends here: it is too long to be kept. What it prints from now on is only in its file, if it has one.", source))
	default:
		q.left -= cost
		q.share[source] = share - cost
		q.append(level, stage, source, text)
	}
}

// full tells whether a line of source would be dropped, whatever it is.
func (q *logQueue) full(source string) bool {
	q.Lock()
	defer q.Unlock()
	return q.cut || q.share[source] < 0
}

func (q *logQueue) append(level, stage, source, text string) {
	q.pending = append(q.pending, berth.Log{Seq: q.Note(), At: time.Now().UTC(), Level: level, Stage: stage, Source: source, Text: text})
}

// allow lets n more bytes be sent.
func (q *logQueue) allow(n int) {
	q.Lock()
	defer q.Unlock()
	q.left += n
	q.cut = false
	clear(q.share)
}

// clean makes text fit to be stored: valid UTF-8 without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// batch forgets the lines that the server has and gives the next ones.
func (q *logQueue) batch() []berth.Log {
	if n := len(q.pending) - int(q.News()-q.Told()); n > 0 {
		q.pending = slices.Clone(q.pending[n:])
	}
	size := 0
	for i, l := range q.pending {
		if size += len(l.Text) + lineCost; size > maxBatch && i > 0 {
			return q.pending[:i]
		}
	}
	return q.pending
}
