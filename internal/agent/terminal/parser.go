package terminal

import "unicode/utf8"

// maxToken bounds what a parser holds, in bytes. A longer sequence is let
// through to the one who sees everything and to nobody else.
const maxToken = 4096

// state is where a parser is in the grammar of terminals (ECMA-48, as xterm
// and VT500 read it).
type state uint8

const (
	ground state = iota
	escape       // behind ESC, or its intermediates
	csi          // control sequence: parameters, intermediates, a final byte
	osc          // operating system command, to BEL or ST
	dcs          // device control string, to ST
	text         // SOS, PM or APC string, to ST
)

// parser cuts a stream of bytes into tokens: a character, a control, or a
// whole escape sequence. It keeps at most maxToken bytes, whatever comes.
type parser struct {
	state   state
	token   []byte // of the unfinished one
	over    bool   // the token is longer than maxToken: the rest of it is gone
	rune    [utf8.UTFMax]byte
	partial int // bytes of rune that are there
}

// idle tells whether the parser is between tokens.
func (p *parser) idle() bool { return p.state == ground && p.partial == 0 }

// taker takes what a parser finds.
type taker interface {
	plain(run []byte)             // printable ASCII
	character(raw []byte)         // one UTF-8 character, not a control
	control(c byte)               // C0 control by itself, or DEL
	sequence(s state, raw []byte) // a whole sequence, as it came
}

// feed parses data and tells t of every token that ends in it.
func (p *parser) feed(data []byte, t taker) {
	for len(data) > 0 {
		if p.idle() {
			n := 0
			for n < len(data) && data[n] >= ' ' && data[n] < 0x7f {
				n++
			}
			if n > 0 {
				t.plain(data[:n])
				data = data[n:]
				continue
			}
		}
		b := data[0]
		data = data[1:]
		if p.partial > 0 || b >= 0x80 {
			p.wide(b, t)
			continue
		}
		p.step(rune(b), []byte{b}, t)
	}
}

// wide collects the bytes of a character outside of ASCII. Bytes that are no
// UTF-8 are dropped, as terminals drop them.
func (p *parser) wide(b byte, t taker) {
	if p.partial > 0 && b&0xc0 != 0x80 {
		p.partial = 0 // the character was cut off
		if b < 0x80 {
			p.step(rune(b), []byte{b}, t)
			return
		}
	}
	p.rune[p.partial] = b
	p.partial++
	raw := p.rune[:p.partial]
	if !utf8.FullRune(raw) {
		return
	}
	r, size := utf8.DecodeRune(raw)
	p.partial = 0
	if r == utf8.RuneError && size <= 1 {
		return
	}
	p.step(r, append([]byte(nil), raw...), t)
}

// step takes one character, raw as it came.
func (p *parser) step(r rune, raw []byte, t taker) {
	switch p.state {
	case ground:
		p.onGround(r, raw, t)
	case osc, dcs, text:
		p.inString(r, raw, t)
	default:
		p.inSequence(r, raw, t)
	}
}

// c1 is the second byte of the two that a C1 control stands for.
func c1(r rune) rune { return r - 0x40 }

func (p *parser) onGround(r rune, raw []byte, t taker) {
	switch {
	case r == 0x1b:
		p.begin(escape, raw)
	case r >= 0x80 && r < 0xa0:
		p.begin(escape, raw)
		p.introduced(c1(r), t)
	case r < ' ' || r == 0x7f:
		t.control(byte(r))
	default:
		t.character(raw)
	}
}

func (p *parser) begin(s state, raw []byte) {
	p.state, p.over = s, false
	p.token = append(p.token[:0], raw...)
}

func (p *parser) keep(raw []byte) {
	if p.over || len(p.token)+len(raw) > maxToken {
		p.over = true
		return
	}
	p.token = append(p.token, raw...)
}

// finish ends a token; one that was too long is not told of.
func (p *parser) finish(t taker) {
	if s := p.state; !p.over {
		p.state = ground
		t.sequence(s, p.token)
	}
	p.state, p.over = ground, false
	p.token = p.token[:0]
}

// abandon ends a token that has no end.
func (p *parser) abandon() {
	p.state, p.over = ground, false
	p.token = p.token[:0]
}

// introduced goes on behind ESC and the byte that says what it introduces.
func (p *parser) introduced(r rune, t taker) {
	switch r {
	case '[':
		p.state = csi
	case ']':
		p.state = osc
	case 'P':
		p.state = dcs
	case 'X', '^', '_':
		p.state = text
	default:
		p.finish(t)
	}
}

func (p *parser) inSequence(r rune, raw []byte, t taker) {
	switch {
	case r == 0x18 || r == 0x1a: // CAN, SUB
		p.abandon()
	case r == 0x1b:
		p.begin(escape, raw)
	case r >= 0x80 && r < 0xa0:
		p.begin(escape, raw)
		p.introduced(c1(r), t)
	case r >= 0xa0: // no part of any sequence: it ends in nothing
		p.abandon()
	case r < ' ': // done at once, within the sequence
		t.control(byte(r))
	case r == 0x7f:
	case p.state == escape && r < '0': // intermediate
		p.keep(raw)
	case p.state == escape && len(p.token) == 1:
		p.keep(raw)
		p.introduced(r, t)
	case p.state == csi && r < '@':
		p.keep(raw)
	default:
		p.keep(raw)
		p.finish(t)
	}
}

// inString takes one character of a string. An ESC ends the string as ST does;
// where it is the first half of an ST, the other half does nothing.
func (p *parser) inString(r rune, raw []byte, t taker) {
	switch {
	case r == 0x1b:
		p.finish(t)
		p.begin(escape, raw)
	case r == 0x18 || r == 0x1a:
		p.abandon()
	case r == 0x9c || r == 7 && p.state == osc:
		p.keep(raw)
		p.finish(t)
	case r >= 0x80 && r < 0xa0:
		p.begin(escape, raw)
		p.introduced(c1(r), t)
	default:
		p.keep(raw)
	}
}
