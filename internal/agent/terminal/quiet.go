package terminal

import "bytes"

// quietly tells whether a sequence may be shown to somebody who is not the one
// that the program talks to: in a replay, and to further viewers. What makes a
// terminal answer (the answer would be typed into the shell), write to the
// clipboard or ring is left out, and so is what nobody knows.
func quietly(s state, raw []byte) bool {
	switch s {
	case escape:
		last := raw[len(raw)-1]
		return len(raw) > 2 || last != 'Z' && last != '\\' // DECID; the end of a string, which has one
	case csi:
		return quietCSI(readCSI(raw))
	case osc:
		return quietOSC(raw)
	default: // DECRQSS, XTGETTCAP, graphics: questions, or of no use to a text
		return false
	}
}

func quietCSI(c command) bool {
	switch c.final {
	case 'c', 'n', 'x', 't', 'i', 'y': // who are you, where is the cursor, parameters, windows, printer, checksums
		return false
	case 'p':
		return string(c.middle) == "!" // not DECRQM
	case 'q':
		return c.prefix == 0 // not XTVERSION
	case 'u':
		return c.prefix != '?' // not the keyboard's flags
	case 'm':
		return c.prefix != '?' // not XTQMODKEYS
	case 'v', 'w', '|', '}', '{', 'z':
		return len(c.middle) == 0 && c.prefix == 0
	case 'S':
		return c.prefix == 0 // not XTSMGRAPHICS
	}
	return true
}

func quietOSC(raw []byte) bool {
	number, body := readOSC(raw)
	switch {
	case number >= 0 && number <= 2, number == 7, number == 8, number == 133, number == 633:
		return true // title, directory, link, marks of shells
	case number == 4, number >= 10 && number <= 19:
		return !bytes.Contains(body, []byte{'?'}) // colours
	case number == 104, number == 105, number >= 110 && number <= 119:
		return true // the usual colours again
	}
	return false
}

// quietControl is the same for control characters: neither ENQ nor BEL.
func quietControl(c byte) bool { return c != 5 && c != 7 }
