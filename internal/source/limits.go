package source

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth"
)

// Limits of one file. The parser calls itself for whatever is nested, and a Go
// program that runs out of stack ends: so what nests too deep never reaches it.
const (
	maxFile      = 1 << 20 // bytes
	maxNesting   = 64      // brackets, blocks, templates and quotes inside one another
	maxOperators = 1000    // of the expressions that are open at once
)

// bearable refuses a file that nobody writes by hand, before it is parsed.
func bearable(name string, text []byte) error {
	if len(text) > maxFile {
		return berth.Errorf(berth.Limit, "%s is larger than %d kB: a template's configuration is text that people write; put data into files of other names", name, maxFile>>10)
	}
	if len(name) > 5 && name[len(name)-5:] == ".json" {
		return bearableJSON(name, text)
	}
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	return bearableTokens(name, tokens)
}

func bearableTokens(name string, tokens hclsyntax.Tokens) error {
	// What counts how many operators each open bracket has had since the last
	// comma or assignment: that many calls deep their expression can be.
	open, sum := []int{0}, 0
	for _, t := range tokens {
		last := len(open) - 1
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			if t.Type == hclsyntax.TokenOBrack || t.Type == hclsyntax.TokenTemplateControl {
				open[last]++ // a[b][c] and %{if}%{if} nest without brackets inside one another
				sum++
			}
			open = append(open, 0)
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if last > 0 {
				sum -= open[last]
				open = open[:last]
			}
		case hclsyntax.TokenComma, hclsyntax.TokenEqual:
			sum -= open[last]
			open[last] = 0
		case hclsyntax.TokenIdent, hclsyntax.TokenNewline, hclsyntax.TokenNumberLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit,
			hclsyntax.TokenComment, hclsyntax.TokenDot, hclsyntax.TokenColon, hclsyntax.TokenFatArrow, hclsyntax.TokenEOF:
		default:
			open[last]++
			sum++
		}
		if len(open)-1 > maxNesting || sum > maxOperators {
			return tooDeep(fmt.Sprintf("%s:%d: ", name, t.Range.Start.Line))
		}
	}
	return nil
}

func bearableJSON(name string, text []byte) error {
	depth, quoted, escaped, line := 0, false, false, 1
	for _, c := range text {
		switch {
		case c == '\n':
			line++
		case escaped:
			escaped = false
			continue
		case c == '\\':
			escaped = quoted
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > maxNesting {
			return tooDeep(fmt.Sprintf("%s:%d: ", name, line))
		}
	}
	return nil
}

func tooDeep(place string) error {
	return berth.Errorf(berth.Limit, "%sthis is nested too deep or too long for one expression: split it, for instance into locals", place)
}
