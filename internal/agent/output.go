package agent

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// maxLogFile is how long a file of log_path gets.
const maxLogFile = 5 << 20

// output takes what one run of a script prints: into its log file, and by lines
// into the log that people see. Neither can make the script fail.
type output struct {
	line func(text string)

	mu   sync.Mutex
	file *os.File // nil: none, or it failed
	left int
	part []byte
}

// newOutput opens the script's log file, anew unless there is more to add. A disk that is full or a path
// that cannot be written costs the file alone.
func newOutput(path string, more bool, log *slog.Logger, line func(string)) *output {
	o := &output{line: line, left: maxLogFile}
	if path == "" {
		return o
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		log.Warn("no log file for a script", "path", path, "error", err)
		return o
	}
	// NOFOLLOW: the temporary directory is everybody's.
	anew := os.O_TRUNC
	if more {
		anew = os.O_APPEND
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|anew|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		log.Warn("no log file for a script", "path", path, "error", err)
		return o
	}
	o.file = f
	return o
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.toFile(p)
	o.part = append(o.part, p...)
	for {
		i := bytes.IndexByte(o.part, '\n')
		if i < 0 && len(o.part) < maxLine {
			return len(p), nil
		}
		if i < 0 || i > maxLine {
			o.line(string(o.part[:maxLine]))
			o.part = o.part[maxLine:]
			continue
		}
		o.line(shown(o.part[:i]))
		o.part = o.part[i+1:]
	}
}

// shown is what a terminal would show of a line at its end: a carriage return
// begins it anew, as progress bars do.
func shown(line []byte) string {
	line = bytes.TrimRight(line, "\r")
	return string(line[bytes.LastIndexByte(line, '\r')+1:])
}

func (o *output) toFile(p []byte) {
	if o.file == nil {
		return
	}
	cut := len(p) > o.left
	if cut {
		p = p[:o.left]
	}
	o.left -= len(p)
	_, err := o.file.Write(p)
	if err == nil && !cut {
		return
	}
	if cut {
		fmt.Fprintf(o.file, "\nThe file ends here: it holds %d MB.\n", maxLogFile>>20)
	}
	o.file.Close()
	o.file = nil
}

// Close gives out the last line, if it has no end.
func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.part) > 0 {
		o.line(shown(o.part))
		o.part = nil
	}
	if o.file != nil {
		o.file.Close()
		o.file = nil
	}
	return nil
}
