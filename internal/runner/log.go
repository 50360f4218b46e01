package runner

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/berthdev/berth"
)

const (
	maxLine    = 32 << 10 // bytes of one log line
	maxLog     = 32 << 20 // bytes of a build's log: a runaway script must not fill the disk or the database
	maxWaiting = 10_000   // lines kept in memory while the disk is full
)

// logWriter appends numbered lines to a build's log. It never fails: lines that
// a full disk refuses wait in memory until there is room, and the oldest are
// given up, said so, when they become too many.
type logWriter struct {
	mu      sync.Mutex
	file    *os.File
	seq     int64
	size    int64
	waiting [][]byte
	lost    int
	cut     bool
	makeWay func() // frees the reserve
	wake    func() // called after each line
}

// openLog goes on after the last whole line of the log at path.
func openLog(path string) (*logWriter, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	w := &logWriter{file: file, makeWay: func() {}, wake: func() {}}
	last := byte('\n')
	in := bufio.NewReaderSize(file, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		w.size += int64(len(line))
		if len(line) > 0 {
			last = line[len(line)-1]
		}
		var l berth.Log
		if json.Unmarshal(line, &l) == nil && l.Seq > w.seq {
			w.seq = l.Seq
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			file.Close()
			return nil, err
		}
	}
	if last != '\n' { // cut by a crash of the machine
		w.waiting = append(w.waiting, []byte{'\n'})
	}
	return w, nil
}

// Log numbers, cleans and appends one line.
func (w *logWriter) Log(l berth.Log) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return
	}
	if w.size > maxLog {
		w.cut = true
		l = berth.Log{Level: "warn", Stage: l.Stage, Source: "berth",
			Text: fmt.Sprintf("The log is longer than %d MB; the rest of it is left out.", maxLog>>20)}
	}
	w.append(l)
	w.flush()
	w.wake()
}

func (w *logWriter) append(l berth.Log) {
	if l.At.IsZero() {
		l.At = time.Now()
	}
	if l.Level == "" {
		l.Level = "info"
	}
	w.seq++
	l.Seq, l.Text = w.seq, cleanText(l.Text)
	line, err := json.Marshal(l)
	if err != nil {
		return // a time outside the years of JSON: nothing that can be said of it
	}
	if len(w.waiting) >= maxWaiting {
		w.waiting = w.waiting[1:]
		w.lost++
	}
	w.waiting = append(w.waiting, append(line, '\n'))
}

// flush writes what waits, as far as the disk lets it. A line that was written
// in part is taken back, so that the next try does not join two halves.
func (w *logWriter) flush() {
	for tries := 0; len(w.waiting) > 0; {
		n, err := w.file.Write(w.waiting[0])
		if err == nil {
			w.size += int64(n)
			w.waiting = w.waiting[1:]
			if len(w.waiting) == 0 && w.lost > 0 {
				lost := w.lost
				w.lost = 0
				w.append(berth.Log{Level: "warn", Source: "berth", Text: fmt.Sprintf("%d lines of the log were lost because the disk was full.", lost)})
			}
			continue
		}
		if n > 0 {
			w.file.Truncate(w.size)
		}
		if tries++; tries > 1 || !full(err) {
			return
		}
		w.makeWay()
	}
}

// Flush tries once more to write what waits; it tells whether nothing is left.
func (w *logWriter) Flush() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return len(w.waiting) == 0
}

func (w *logWriter) Close() error { return w.file.Close() }

// cleanText makes any bytes fit for JSON, both databases and a terminal's
// line: valid UTF-8, no NUL, not longer than maxLine.
func cleanText(s string) string {
	if strings.ContainsRune(s, 0) {
		s = strings.ReplaceAll(s, "\x00", "�")
	}
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= maxLine {
		return s
	}
	s = s[:maxLine]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + " … (cut)"
}

// logTail reads a log that may still grow.
type logTail struct {
	path   string
	offset int64
	seq    int64
}

// Next gives the whole lines that follow, at most max of them and about a
// megabyte, and none when there are none yet. It moves on only by Ack.
func (t *logTail) Next(max int) (lines []berth.Log, to acked, err error) {
	to = acked{Seq: t.seq, Offset: t.offset}
	file, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, to, nil
	}
	if err != nil {
		return nil, to, err
	}
	defer file.Close()
	const chunk = 1 << 20
	info, err := file.Stat()
	if err != nil || info.Size() <= t.offset {
		return nil, to, err
	}
	data := make([]byte, min(chunk, info.Size()-t.offset))
	n, err := file.ReadAt(data, t.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, to, err
	}
	data = data[:n]
	for len(lines) < max {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			if n == chunk && to.Offset == t.offset { // no line is that long: damaged
				to.Offset += chunk
			}
			break
		}
		var l berth.Log
		if json.Unmarshal(data[:end], &l) == nil && l.Seq > to.Seq {
			lines = append(lines, l)
			to.Seq = l.Seq
		}
		to.Offset += int64(end) + 1
		data = data[end+1:]
	}
	return lines, to, nil
}

// Ack moves on to what Next gave.
func (t *logTail) Ack(to acked) { t.seq, t.offset = to.Seq, to.Offset }
