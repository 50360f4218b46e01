package terminal

import (
	"time"

	"github.com/berthdev/berth/internal/agent/shell"
)

// Announce shows a line in every terminal, between the lines of its program,
// also to those who come back to it later. It tells how many terminals there
// are.
func (s *Terminals) Announce(line string) (terminals int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.all {
		t.mu.Lock()
		if t.end == nil {
			terminals++
		}
		t.lines.Announce(line)
		t.announceDue(false)
		waits := t.lines.Waiting()
		t.mu.Unlock()
		if waits {
			time.AfterFunc(shell.HalfSequence, func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.announceDue(true)
			})
		}
	}
	return terminals
}

// announceDue shows the lines that may be shown now.
func (t *terminal) announceDue(force bool) {
	if t.end != nil {
		return
	}
	data := t.lines.Take(t.history, t.size.Columns, force)
	if data == nil {
		return
	}
	t.give(data)
	if !t.history.Full() && !t.exited {
		shell.PromptAgain(t.master, t.cmd.Process.Pid)
	}
}
