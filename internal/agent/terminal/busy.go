package terminal

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// busy tells whether anything beside the shell runs in its session, or was
// started by it and is still there: in the foreground or not.
func busy(shell int) bool {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return true // nobody knows: let it be
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		pid, parent, session, state := readStat(text)
		if pid != shell && (parent == shell || session == shell) && state != 'Z' && state != 'X' {
			return true
		}
	}
	return false
}

// readStat reads a process from its /proc/PID/stat. Its name is the program's
// own choice, and may hold anything.
func readStat(text []byte) (pid, parent, session int, state byte) {
	head, _, _ := bytes.Cut(text, []byte{' '})
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 4 {
		return 0, 0, 0, 'X'
	}
	number := func(b []byte) int { n, _ := strconv.Atoi(string(b)); return n }
	return number(head), number(fields[1]), number(fields[3]), fields[0][0]
}
