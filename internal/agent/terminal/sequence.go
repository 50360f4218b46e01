package terminal

import (
	"bytes"
	"strconv"
)

// maxParams is how many parameters of a sequence are looked at, and maxParam
// the largest number that one can be.
const (
	maxParams = 32
	maxParam  = 65535
)

// command is a control sequence taken apart.
type command struct {
	prefix byte     // one of < = > ?, or 0
	params []string // with their sub-parameters behind colons
	middle []byte   // intermediates
	final  byte
}

// readCSI takes a whole control sequence apart.
func readCSI(raw []byte) command {
	body := afterIntroducer(raw)
	if len(body) == 0 {
		return command{}
	}
	c := command{final: body[len(body)-1]}
	body = body[:len(body)-1]
	if len(body) > 0 && body[0] >= '<' && body[0] <= '?' {
		c.prefix, body = body[0], body[1:]
	}
	end := bytes.IndexFunc(body, func(r rune) bool { return r < '0' || r > ';' })
	if end < 0 {
		end = len(body)
	}
	c.middle = body[end:]
	if end > 0 {
		for _, param := range bytes.SplitN(body[:end], []byte{';'}, maxParams+1) {
			if len(c.params) < maxParams {
				c.params = append(c.params, string(param))
			}
		}
	}
	return c
}

// number is parameter i, or otherwise where it is missing.
func (c command) number(i, otherwise int) int {
	if i >= len(c.params) || c.params[i] == "" {
		return otherwise
	}
	return atoi(c.params[i], otherwise)
}

// atoi is the number at the beginning of s, before a colon.
func atoi(s string, otherwise int) int {
	for i := range len(s) {
		if s[i] == ':' {
			s = s[:i]
			break
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > maxParam {
		return otherwise
	}
	return n
}

// afterIntroducer leaves out ESC and the byte behind it, or the one character
// that stands for both.
func afterIntroducer(raw []byte) []byte {
	if len(raw) < 2 {
		return nil
	}
	return raw[2:]
}

// readOSC gives the number of an operating system command and what is behind
// it; -1 when it has none.
func readOSC(raw []byte) (number int, body []byte) {
	body = bytes.TrimSuffix(bytes.TrimSuffix(afterIntroducer(raw), []byte{7}), []byte("\u009c"))
	digits, rest, _ := bytes.Cut(body, []byte{';'})
	n, err := strconv.Atoi(string(digits))
	if err != nil || n < 0 {
		return -1, nil
	}
	return n, rest
}
