package agent

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
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
// limited, so is what it holds.
type logQueue struct {
	boot int64 // set before the first line
	log  *slog.Logger
	send func(context.Context, api.AgentLogs) error

	covers atomic.Pointer[strings.Replacer] // hides secrets; nil: there are none

	mu      sync.Mutex
	seq     int64
	left    int            // bytes that may still come
	cut     bool           // and the log has said that none may
	share   map[string]int // the same for each source
	pending []berth.Log
	hurry   bool // do not wait for more lines
	wake    chan struct{}
	empty   chan struct{} // closed while nothing is pending
}

func newLogQueue(log *slog.Logger, send func(context.Context, api.AgentLogs) error) *logQueue {
	q := &logQueue{log: log, send: send, left: maxLogBytes, share: map[string]int{}, wake: make(chan struct{}, 1), empty: make(chan struct{})}
	close(q.empty)
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
	q.mu.Lock()
	defer q.mu.Unlock()
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
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.cut || q.share[source] < 0
}

func (q *logQueue) append(level, stage, source, text string) {
	if len(q.pending) == 0 {
		q.empty = make(chan struct{})
	}
	q.seq++
	q.pending = append(q.pending, berth.Log{Seq: q.seq, At: time.Now().UTC(), Level: level, Stage: stage, Source: source, Text: text})
	wake(q.wake)
}

// allow lets n more bytes be sent.
func (q *logQueue) allow(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left += n
	q.cut = false
	clear(q.share)
}

// clean makes text fit to be stored: valid UTF-8 without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// batch is the next lines to send; nil when there are none.
func (q *logQueue) batch() (lines []berth.Log, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := 0
	for i, l := range q.pending {
		if size += len(l.Text) + lineCost; size > maxBatch && i > 0 {
			return q.pending[:i], true
		}
	}
	return q.pending, q.hurry
}

// run sends until ctx ends.
func (q *logQueue) run(ctx context.Context) {
	tries := backoff{what: "sending the log", log: q.log}
	for {
		lines, hurry := q.batch()
		if len(lines) == 0 {
			select {
			case <-q.wake:
			case <-ctx.Done():
				return
			}
			// More lines are likely to follow the first.
			if !hurry {
				q.collect(ctx)
			}
			continue
		}
		err := withTimeout(ctx, func(ctx context.Context) error {
			return q.send(ctx, api.AgentLogs{Boot: q.boot, Lines: lines})
		})
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			tries.worked()
		case berth.ErrorCode(err) == berth.Invalid, berth.ErrorCode(err) == berth.Conflict:
			// Cannot be read, or a newer process speaks for this agent now.
			q.log.Warn("the server does not take lines of the log", "lines", len(lines), "error", err)
		default:
			if !tries.failed(ctx, err) {
				return
			}
			continue
		}
		q.sent(len(lines))
		if !hurry {
			q.collect(ctx)
		}
	}
}

// collect waits a moment, unless somebody waits for the queue to be empty.
func (q *logQueue) collect(ctx context.Context) {
	end := time.NewTimer(batching)
	defer end.Stop()
	for {
		select {
		case <-end.C:
			return
		case <-ctx.Done():
			return
		case <-q.wake:
			if _, hurry := q.batch(); hurry {
				return
			}
		}
	}
}

func (q *logQueue) sent(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending = append([]berth.Log(nil), q.pending[n:]...)
	if len(q.pending) == 0 && n > 0 {
		close(q.empty)
	}
}

// flush waits until everything is sent; false when ctx ended first.
func (q *logQueue) flush(ctx context.Context) bool {
	q.mu.Lock()
	q.hurry = true
	empty := q.empty
	wake(q.wake)
	q.mu.Unlock()
	select {
	case <-empty:
		return true
	case <-ctx.Done():
		return false
	}
}
