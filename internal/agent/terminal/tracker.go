package terminal

import (
	"bytes"
	"unicode/utf8"
)

// maxTitle bounds a title that is kept, in bytes.
const maxTitle = 512

// tracker follows the modes of a terminal through what is written to it.
type tracker struct {
	parser
	modes modes
	// The functions below may be nil. They hear of each token once the modes
	// are what it makes them: emit of those that may be repeated to others,
	// switched when the screen changed between usual and alternate, and reset
	// when all was cleared.
	emit     func(token []byte)
	switched func(before modes)
	reset    func()
}

// Screen follows what is written to a terminal, as far as others need to know.
type Screen struct{ tracker }

// NewScreen follows a terminal from its beginning.
func NewScreen() *Screen { return &Screen{} }

// Write takes what the terminal is given.
func (s *Screen) Write(data []byte) { s.write(data) }

// Between tells whether no character and no sequence is half written.
func (s *Screen) Between() bool { return s.idle() }

// Full tells whether a program has the whole screen for itself.
func (s *Screen) Full() bool { return s.modes.alternate != 0 }

func (t *tracker) write(data []byte) { t.feed(data, t) }

func (t *tracker) out(token []byte) {
	if t.emit != nil {
		t.emit(token)
	}
}

func (t *tracker) plain(run []byte)     { t.out(run) }
func (t *tracker) character(raw []byte) { t.out(raw) }

func (t *tracker) control(c byte) {
	switch c {
	case 0x0e:
		t.modes.style.shift = 1
	case 0x0f:
		t.modes.style.shift = 0
	}
	if quietControl(c) {
		t.out([]byte{c})
	}
}

func (t *tracker) sequence(s state, raw []byte) {
	if raw = spelled(raw); len(raw) < 2 {
		return
	}
	before := t.modes
	switch s {
	case escape:
		if raw[len(raw)-1] == 'c' && len(raw) == 2 {
			t.modes = modes{}
			if t.reset != nil {
				t.reset()
			}
			t.out(raw)
			return
		}
		t.escaped(raw)
	case csi:
		t.commanded(readCSI(raw))
	case osc:
		t.titled(raw)
		raw = ended(raw)
	}
	if (before.alternate != 0) != (t.modes.alternate != 0) && t.switched != nil {
		t.switched(before)
		return
	}
	if quietly(s, raw) {
		t.out(raw)
	}
}

// spelled replaces a C1 control, which not every terminal reads, by ESC and a
// letter.
func spelled(raw []byte) []byte {
	if r, size := utf8.DecodeRune(raw); r >= 0x80 && r < 0xa0 {
		return append([]byte{0x1b, byte(c1(r))}, raw[size:]...)
	}
	return raw
}

// ended gives a string that another sequence ended an end of its own.
func ended(raw []byte) []byte {
	if raw[len(raw)-1] == 7 || bytes.HasSuffix(raw, []byte("\u009c")) {
		return raw
	}
	return append(raw[:len(raw):len(raw)], "\x1b\\"...)
}

func (t *tracker) escaped(raw []byte) {
	m, final := &t.modes, raw[len(raw)-1]
	if len(raw) > 2 {
		switch raw[1] {
		case '(', ')', '*', '+':
			set := ""
			if len(raw) <= 5 && string(raw[2:]) != "B" {
				set = string(raw[1:])
			}
			m.style.sets[raw[1]-'('] = set
		}
		return
	}
	switch final {
	case '7':
		m.save()
	case '8':
		m.restore()
	case '=':
		m.keypad = on
	case '>':
		m.keypad = off
	case 'n':
		m.style.shift = 2
	case 'o':
		m.style.shift = 3
	}
}

func (t *tracker) commanded(c command) {
	m := &t.modes
	switch string(c.prefix) + string(c.middle) + string(c.final) {
	case "\x00m":
		m.style.pen.apply(c.params)
	case "\x00h", "\x00l", "?h", "?l":
		m.set(c)
	case "\x00r":
		m.margins[m.screen()] = margins{c.number(0, 1), c.number(1, maxParam)}
		if len(c.params) == 0 {
			m.margins[m.screen()] = margins{}
		}
	case "\x00s":
		if len(c.params) == 0 {
			m.save()
		}
	case "\x00u":
		m.restore()
	case "\x00!p":
		m.softReset()
	case "\x00 q":
		m.cursor = c.number(0, 0)
	}
}

func (t *tracker) titled(raw []byte) {
	number, body := readOSC(raw)
	if (number == 0 || number == 2) && len(body) <= maxTitle {
		t.modes.title = string(body)
	}
}
