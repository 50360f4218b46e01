package terminal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// privateModes are the modes of DEC and xterm that outlast a screen's content.
// The three that switch to the alternate screen are kept apart.
var privateModes = [...]int{
	1,    // application cursor keys
	5,    // reverse video
	6,    // origin
	7,    // wrap around; on in a fresh terminal
	12,   // blinking cursor
	25,   // visible cursor; on in a fresh terminal
	45,   // reverse wrap around
	66,   // application keypad
	1004, // focus
	2004, // bracketed paste
	2031, // colour scheme
}

// Of the mouse's modes one is on at a time, and of its codes. A terminal takes
// the end of any of them for the end of the one that it has.
var (
	mouseModes = []int{9, 1000, 1001, 1002, 1003}
	mouseCodes = []int{1005, 1006, 1015, 1016}
)

// ansiModes are insert and new line.
var ansiModes = [...]int{4, 20}

func onWhenFresh(mode int) bool { return mode == 7 || mode == 25 }

func isAlternate(mode int) bool { return mode == 47 || mode == 1047 || mode == 1049 }

// touched is whether a mode was set.
type touched uint8

const (
	untouched touched = iota
	on
	off
)

// style is how characters are drawn: colours, attributes and character sets.
type style struct {
	pen   pen
	sets  [4]string // what designates G0 to G3: "(0"; empty: ASCII
	shift byte      // which of them is used
}

// margins are the rows that scroll; zero: all.
type margins struct{ top, bottom int }

// modes are what a terminal is in beside what it shows.
type modes struct {
	private   [len(privateModes)]touched // by index in privateModes
	ansi      [len(ansiModes)]touched
	mouse     int     // of mouseModes; 0: none
	mouseCode int     // of mouseCodes; 0: none
	keypad    touched // ESC = and ESC >
	cursor    int     // DECSCUSR
	title     string
	alternate int // mode that switched to the alternate screen; 0: it is the usual one
	style     style
	saved     [2]*style // by DECSC, of the usual and the alternate screen; nil: never
	margins   [2]margins
}

func (m *modes) screen() int {
	if m.alternate != 0 {
		return 1
	}
	return 0
}

// switchTo is what turns mode on or off.
func switchTo(prefix string, mode int, to touched) string {
	end := "h"
	if to == off || to == untouched && !onWhenFresh(mode) {
		end = "l"
	}
	return "\x1b[" + prefix + strconv.Itoa(mode) + end
}

// towards is what takes a terminal in modes m to those of to, as far as its
// screen can stay as it is.
func (m modes) towards(to modes) []byte {
	var b strings.Builder
	if m.alternate != 0 && to.alternate == 0 {
		b.WriteString(switchTo("?", m.alternate, off))
	}
	if m.alternate == 0 && to.alternate != 0 {
		b.WriteString(switchTo("?", to.alternate, on))
	}
	for i, mode := range privateModes {
		if m.private[i] != to.private[i] {
			b.WriteString(switchTo("?", mode, to.private[i]))
		}
	}
	for i, mode := range ansiModes {
		if m.ansi[i] != to.ansi[i] {
			b.WriteString(switchTo("", mode, to.ansi[i]))
		}
	}
	b.WriteString(oneOf(m.mouse, to.mouse) + oneOf(m.mouseCode, to.mouseCode))
	if m.keypad != to.keypad {
		b.WriteString(map[touched]string{on: "\x1b=", off: "\x1b>", untouched: "\x1b>"}[to.keypad])
	}
	if m.cursor != to.cursor {
		fmt.Fprintf(&b, "\x1b[%d q", to.cursor)
	}
	if m.title != to.title {
		b.WriteString("\x1b]2;" + to.title + "\x07")
	}
	b.WriteString(m.style.towards(to.style))
	return []byte(b.String())
}

// oneOf goes from one of several modes to another.
func oneOf(from, to int) string {
	switch {
	case from == to:
		return ""
	case to == 0:
		return switchTo("?", from, off)
	}
	return switchTo("?", to, on)
}

func (s style) towards(to style) string {
	var b strings.Builder
	if s.pen != to.pen {
		b.WriteString(to.pen.sequence())
	}
	for i, set := range to.sets {
		if s.sets[i] == set {
			continue
		}
		if set == "" {
			set = string("()*+"[i]) + "B"
		}
		b.WriteString("\x1b" + set)
	}
	if s.shift != to.shift {
		b.WriteString([]string{"\x0f", "\x0e", "\x1bn", "\x1bo"}[to.shift])
	}
	return b.String()
}

// fromFresh is what takes a fresh terminal to m of the usual screen, cursor at
// home.
func (m modes) fromFresh() []byte {
	var b []byte
	var at modes
	if saved := m.saved[0]; saved != nil {
		b = append(b, at.style.towards(*saved)...)
		b = append(b, "\x1b7"...)
		at.style = *saved
	}
	if r := m.margins[0]; r != (margins{}) {
		b = append(b, r.sequence()...)
	}
	return append(b, at.towards(m)...)
}

// sequence sets the margins, and puts the cursor at home.
func (m margins) sequence() string { return fmt.Sprintf("\x1b[%d;%dr", m.top, m.bottom) }

// set is SM, RM, DECSET and DECRST.
func (m *modes) set(c command) {
	to := on
	if c.final == 'l' {
		to = off
	}
	list, values := ansiModes[:], m.ansi[:]
	if c.prefix == '?' {
		list, values = privateModes[:], m.private[:]
	} else if c.prefix != 0 {
		return
	}
	for i := range c.params {
		mode := c.number(i, -1)
		if c.prefix == '?' {
			m.setMouse(mode, to)
		}
		if c.prefix == '?' && (isAlternate(mode) || mode == 1048) {
			m.setAlternate(mode, to)
		} else if at := slices.Index(list, mode); at >= 0 {
			values[at] = to
		}
	}
}

func (m *modes) setMouse(mode int, to touched) {
	value := mode
	if to == off {
		value = 0
	}
	switch {
	case slices.Contains(mouseModes, mode):
		m.mouse = value
	case slices.Contains(mouseCodes, mode):
		m.mouseCode = value
	}
}

func (m *modes) setAlternate(mode int, to touched) {
	switch {
	case mode == 1048 && to == on:
		m.save()
	case mode == 1048:
		m.restore()
	case to == on:
		if mode == 1049 {
			m.save()
		}
		if m.alternate == 0 {
			m.alternate, m.saved[1], m.margins[1] = mode, nil, margins{}
		}
	default:
		m.alternate = 0
		if mode == 1049 {
			m.restore()
		}
	}
}

// save is DECSC: what it keeps beside the cursor's place.
func (m *modes) save() {
	kept := m.style
	m.saved[m.screen()] = &kept
}

// restore is DECRC. What was never saved is as a terminal begins.
func (m *modes) restore() {
	m.style = style{}
	if kept := m.saved[m.screen()]; kept != nil {
		m.style = *kept
	}
}

// softReset is DECSTR.
func (m *modes) softReset() {
	for i, mode := range privateModes {
		switch mode {
		case 1, 6, 7, 25, 45, 66, 1004, 2004:
			m.private[i] = untouched
		}
	}
	m.ansi, m.keypad, m.style = [len(ansiModes)]touched{}, untouched, style{}
	m.margins[m.screen()] = margins{}
}
