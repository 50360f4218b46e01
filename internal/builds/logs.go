package builds

import (
	"context"
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Each attempt numbers its lines from 1. They are stored behind those of the
// attempts before; the upper half of an attempt's room is for our own lines.
const (
	attemptRoom = 1 << 32
	ownLines    = 1 << 31
)

// maxBatch is how many lines one call may bring.
const maxBatch = 10000

// room is the seq behind which the lines of an attempt are stored.
func room(attempt int) int64 { return int64(max(attempt-1, 0)) * attemptRoom }

// Logs keeps lines of the caller's taking. They come in the order of their seq;
// those that came before are kept once. What goes beyond Options.LogBytes is
// dropped, and one line says so.
func (q *Queue) Logs(ctx context.Context, c Call, lines []berth.Log) error {
	if len(lines) == 0 {
		return nil
	}
	if len(lines) > maxBatch {
		return berth.Errorf(berth.Limit, "at most %d lines may be sent at once", maxBatch)
	}
	placed := make([]berth.Log, len(lines))
	for i, l := range lines {
		if l.Seq < 1 || l.Seq >= ownLines {
			return berth.InvalidField("seq", "line %d has the number %d: lines are counted from 1", i, l.Seq)
		}
		l.Seq += room(c.Attempt)
		placed[i] = l
	}
	err := q.db.Guarded(ctx, func(tx *store.Tx) error {
		full, ok, err := tx.AppendBuildLogs(c.taking(), placed, q.opt.LogBytes)
		if err != nil {
			return err
		}
		if !ok {
			return c.stale()
		}
		if full {
			return tx.InsertBuildLogs(c.Build, []berth.Log{{Seq: room(c.Attempt) + ownLines, At: tx.Now, Level: "warn",
				Text: fmt.Sprintf("the log has reached %d MiB: what follows is not kept", q.opt.LogBytes>>20)}})
		}
		return nil
	})
	if err == nil {
		q.db.WakeHere(store.BuildTopic(c.Build))
	}
	return err
}

// note adds a line of our own behind a build's log.
func note(tx *store.Tx, b berth.Build, level, text string) error {
	last, err := tx.LastLog(b.ID)
	if err != nil {
		return err
	}
	seq := max(last, room(b.Attempt)+ownLines) + 1
	return tx.InsertBuildLogs(b.ID, []berth.Log{{Seq: seq, At: tx.Now, Level: level, Text: text}})
}

// ReadLogs gives at most limit lines (0: 1000) behind seq after, oldest first.
func (q *Queue) ReadLogs(ctx context.Context, id berth.BuildID, after int64, limit int) (lines []berth.Log, err error) {
	if limit <= 0 || limit > maxBatch {
		limit = 1000
	}
	err = q.db.Read(ctx, func(query *store.Query) error {
		lines, err = query.BuildLogs(id, after, limit)
		return err
	})
	return lines, err
}

// Watch gives a channel that is rung when the build or its log may have changed,
// and what ends the watching. It is a hint: look now and then all the same.
func (q *Queue) Watch(id berth.BuildID) (<-chan struct{}, func()) {
	return q.db.Waits(store.BuildTopic(id))
}
