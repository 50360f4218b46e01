package journal

import (
	"encoding/binary"
	"errors"
)

// Bounds of what is read out of a record. Libraries call themselves for whatever
// is nested, and make room for as many elements as a value says that it has.
const (
	maxShape   = 16 << 20 // bytes of one schema
	maxNesting = 200
)

var errUnbearable = errors.New("the value is broken, or nested too deep")

// bearable tells whether msgpack is one whole value whose parts are there.
func bearable(b []byte) error {
	open := []int{1} // values that are still to come, of each that is open
	for len(open) > 0 {
		last := len(open) - 1
		if open[last] == 0 {
			open = open[:last]
			continue
		}
		open[last]--
		size, inner, ok := header(b)
		if !ok || size > len(b) || inner > len(b)-size {
			return errUnbearable
		}
		b = b[size:]
		if inner > 0 {
			open = append(open, inner)
		}
		if len(open) > maxNesting {
			return errUnbearable
		}
	}
	if len(b) > 0 {
		return errUnbearable
	}
	return nil
}

// header is how many bytes the value at the beginning of b takes without those
// inside it, and how many there are of these.
func header(b []byte) (size, inner int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	counted := func(width int) int { // the length in the bytes after the first
		if len(b) < 1+width {
			ok = false
			return 0
		}
		var n [8]byte
		copy(n[8-width:], b[1:])
		return int(binary.BigEndian.Uint64(n[:]))
	}
	ok = true
	switch c := b[0]; {
	case c < 0x80, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3:
		size = 1
	case c < 0x90:
		size, inner = 1, 2*int(c&0xf)
	case c < 0xa0:
		size, inner = 1, int(c&0xf)
	case c < 0xc0:
		size = 1 + int(c&0x1f)
	case c >= 0xc4 && c <= 0xc6: // binary
		width := 1 << (c - 0xc4)
		size = 1 + width + counted(width)
	case c >= 0xc7 && c <= 0xc9: // extension
		width := 1 << (c - 0xc7)
		size = 2 + width + counted(width)
	case c == 0xca, c == 0xcb: // float
		size = 1 + 4<<(c-0xca)
	case c >= 0xcc && c <= 0xcf: // unsigned
		size = 1 + 1<<(c-0xcc)
	case c >= 0xd0 && c <= 0xd3: // signed
		size = 1 + 1<<(c-0xd0)
	case c >= 0xd4 && c <= 0xd8: // extension of fixed size
		size = 2 + 1<<(c-0xd4)
	case c >= 0xd9 && c <= 0xdb: // text
		width := 1 << (c - 0xd9)
		size = 1 + width + counted(width)
	case c == 0xdc, c == 0xdd: // list
		width := 2 << (c - 0xdc)
		size, inner = 1+width, counted(width)
	case c == 0xde, c == 0xdf: // map
		width := 2 << (c - 0xde)
		size, inner = 1+width, 2*counted(width)
	default:
		ok = false
	}
	return size, inner, ok
}

// bearableJSON refuses JSON that is nested too deep.
func bearableJSON(text []byte) error {
	depth, quoted, escaped := 0, false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > maxNesting {
			return errUnbearable
		}
	}
	return nil
}
