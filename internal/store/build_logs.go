package store

import (
	"strings"

	"github.com/berthdev/berth"
)

// Limits of one line of a log, in bytes.
const (
	maxLine = 16 << 10
	maxWord = 200  // level, stage, source
	maxText = 4096 // a description, a reason
)

// AppendBuildLogs keeps lines of a build's log: those behind what is there
// already, until the log has most bytes of text. full tells that lines were
// dropped. ok is false when the taking is no longer the caller's. Lines carry
// the seq that they are stored under and come in their order.
func (tx *Tx) AppendBuildLogs(t Taking, lines []berth.Log, most int64) (full, ok bool, err error) {
	// The update comes first: it locks the row, so that batches of one build are
	// written one after the other.
	bytes, err := all(&tx.Query, single[int64], `UPDATE builds SET log_bytes = log_bytes`+held+` RETURNING log_bytes`,
		t.Build, t.Attempt, t.Runner, t.Provider)
	if err != nil || len(bytes) == 0 {
		return false, false, err
	}
	last, err := tx.LastLog(t.Build)
	if err != nil {
		return false, true, err
	}
	keep, size := fitting(lines, last, most-bytes[0])
	if size > 0 {
		if _, err := tx.exec(`UPDATE builds SET log_bytes = log_bytes + $2 WHERE id = $1`, t.Build, size); err != nil {
			return false, true, err
		}
	}
	fresh := 0
	for _, l := range lines {
		if l.Seq > last {
			fresh++
		}
	}
	return len(keep) < fresh, true, tx.InsertBuildLogs(t.Build, keep)
}

// fitting gives the lines behind seq last that fit into room bytes, and their
// size. A line takes a little more than its text, so that empty ones end too.
func fitting(lines []berth.Log, last, room int64) (keep []berth.Log, size int64) {
	for _, l := range lines {
		if l.Seq <= last {
			continue
		}
		l.Text = clean(l.Text, maxLine)
		n := int64(len(l.Text)) + 32
		if size+n > room {
			break
		}
		last = l.Seq
		size += n
		keep = append(keep, l)
	}
	return keep, size
}

// LastLog is the highest seq in a build's log, 0 for an empty one.
func (q *Query) LastLog(id berth.BuildID) (int64, error) {
	return one(q, "build", single[int64], `SELECT COALESCE(max(seq), 0) FROM build_logs WHERE build_id = $1`, id)
}

// logBatch is how many lines go into one statement: both engines bound the
// number of parameters.
const logBatch = 500

// InsertBuildLogs adds lines. Those whose seq is there already are left out.
func (tx *Tx) InsertBuildLogs(id berth.BuildID, lines []berth.Log) error {
	for len(lines) > 0 {
		n := min(len(lines), logBatch)
		var w where
		values := logValues(&w, lines[:n], id)
		if _, err := tx.exec(`INSERT INTO build_logs (build_id, seq, at, level, stage, source, text) VALUES `+
			values+` ON CONFLICT DO NOTHING`, w.args...); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// logValues are the rows of an insert: the given leading values, then a line.
func logValues(w *where, lines []berth.Log, leading ...any) string {
	var s strings.Builder
	for i, l := range lines {
		if i > 0 {
			s.WriteString(", ")
		}
		row := append(append([]any{}, leading...), l.Seq, l.At.UnixMicro(),
			clean(l.Level, maxWord), clean(l.Stage, maxWord), clean(l.Source, maxWord), clean(l.Text, maxLine))
		for j, v := range row {
			s.WriteString(separator(j))
			s.WriteString(w.arg(v))
		}
		s.WriteString(")")
	}
	return s.String()
}

func separator(column int) string {
	if column == 0 {
		return "("
	}
	return ", "
}

// logInto is where the columns of a line are scanned to.
func logInto(l *berth.Log) []any {
	return []any{&l.Seq, at(&l.At), &l.Level, &l.Stage, &l.Source, &l.Text}
}

func scanLog(s scanner) (l berth.Log, err error) {
	err = s.Scan(logInto(&l)...)
	return l, err
}

// BuildLogs gives lines of a build's log behind seq after, oldest first.
func (q *Query) BuildLogs(id berth.BuildID, after int64, most int) ([]berth.Log, error) {
	return all(q, scanLog, `SELECT seq, at, level, stage, source, text FROM build_logs
		WHERE build_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`, id, after, most)
}
