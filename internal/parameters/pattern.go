package parameters

import (
	"errors"
	"regexp"
	"regexp/syntax"
)

// maxPattern bounds a regular expression of a template, in bytes and in steps of
// its program: a few bytes can ask for a program of a million.
const maxPattern = 5_000

// ErrPattern is of a regular expression that asks for too large a program.
var ErrPattern = errors.New("the regular expression is too large")

// Pattern compiles a regular expression that the author of a template wrote.
// Effort is about how many steps it may take for each byte that it is matched with.
func Pattern(text string) (form *regexp.Regexp, effort int, err error) {
	if len(text) > maxPattern {
		return nil, 0, ErrPattern
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	if effort = steps(tree); effort > maxPattern {
		return nil, 0, ErrPattern
	}
	form, err = regexp.Compile(text)
	return form, effort, err
}

// steps foretells how large the program of a regular expression is, without
// writing out what it repeats.
func steps(e *syntax.Regexp) int {
	n := 1 + len(e.Rune)/2
	if e.Op == syntax.OpLiteral {
		n = 1 + len(e.Rune)
	}
	for _, inner := range e.Sub {
		n += steps(inner)
	}
	if e.Op == syntax.OpRepeat {
		n *= max(e.Min, e.Max, 1) + 1
	}
	return min(n, maxPattern+1)
}
