package shell

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Screen follows what is written to a terminal.
type Screen interface {
	Write(data []byte)
	// Between tells whether no character and no sequence is half written.
	Between() bool
	// Full tells whether a program has the whole screen for itself, as an editor.
	Full() bool
}

// Announcements are lines for the people at one terminal that are not from its
// program. They go between two tokens of its output and never to its input.
//
// Under a program that has the whole screen a line is drawn on the last row,
// with the cursor put back; since the program may draw over it, it is printed
// once more when the program has left.
//
// They are not safe for use by several goroutines.
type Announcements struct {
	due   []string
	again []string // shown on the last row only
}

// Announce adds a line.
func (a *Announcements) Announce(line string) { a.due = append(a.due, line) }

// Waiting tells whether a line was not shown at all.
func (a *Announcements) Waiting() bool { return len(a.due) > 0 }

// Take gives what is to be written to the terminal now; nil: nothing. on may be
// nil: then nothing is known of it. columns is its width, 0: not known. force
// does not wait for the end of a sequence, but breaks it off.
func (a *Announcements) Take(on Screen, columns int, force bool) []byte {
	between, full := on == nil || on.Between(), on != nil && on.Full()
	if !between && (!force || !a.Waiting()) {
		return nil
	}
	var b bytes.Buffer
	if !between {
		b.WriteByte(0x18) // CAN
	}
	switch {
	case full && !a.Waiting():
		return nil
	case full: // there is room for one
		fmt.Fprintf(&b, "\x1b7\x1b[?6l\x1b[9999;1H\x1b[0;7m%s\x1b[K\x1b8", cut(a.due[len(a.due)-1], columns))
		a.again, a.due = append(a.again, a.due...), nil
	default:
		for _, line := range append(a.again, a.due...) {
			fmt.Fprintf(&b, "\r\n%s\r\n", line)
		}
		a.again, a.due = nil, nil
	}
	if b.Len() == 0 {
		return nil
	}
	return b.Bytes()
}

// cut shortens a line to the width of a terminal.
func cut(line string, columns int) string {
	if r := []rune(line); columns > 1 && len(r) >= columns {
		return string(r[:columns-1])
	}
	return line
}

// OneLine is text as one line that cannot steer a terminal.
func OneLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == 0x7f:
			return ' '
		case r >= 0x80 && r < 0xa0, r == '\ufffd', r == 0x61c, r >= 0x200e && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, text)), " ")
}

// jiggle is how long a terminal is a row smaller, to have its program draw anew
// what it shows.
const jiggle = 50 * time.Millisecond

// Redraw has the program in front of a terminal draw anew what it shows: it is
// told that the size has changed, and that it has changed back.
func Redraw(master *os.File) {
	size, err := sizeOf(master)
	if err != nil || size.Row < 3 {
		return
	}
	smaller := *size
	smaller.Row--
	setSize(master, &smaller)
	time.AfterFunc(jiggle, func() {
		if now, err := sizeOf(master); err == nil && *now == smaller { // else somebody changed it
			setSize(master, size)
		}
	})
}

// PromptAgain has a shell that waits for a command show its prompt anew, with
// what was typed. It does nothing while a command of the shell runs.
func PromptAgain(master *os.File, shell int) {
	front := 0
	if control(master, func(fd int) (err error) { front, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP); return err }) == nil && front == shell {
		Redraw(master)
	}
}
