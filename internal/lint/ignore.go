package lint

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth"
)

// ignoring is a comment such as
//
//	# berth:ignore nothing-persistent homes are on the file server
var ignoring = regexp.MustCompile(`^(?://|#|/\*)\s*berth:ignore(?:\s+([A-Za-z-]+))?(?:[\s:]+(.*?))?\s*(?:\*/)?\s*$`)

// remark is one such comment. It counts for the block that it stands in or
// directly above.
type remark struct {
	code string
	from hcl.Range
}

// ignores reads the comments of the template's own files. It tells of a finding
// whether one takes it away.
func (t *template) ignores() func(found) bool {
	var remarks []remark
	seen := map[string]bool{}
	for _, m := range t.all {
		if m.foreign() {
			continue
		}
		for name, text := range m.Files {
			if !seen[name] && !strings.HasSuffix(name, ".json") {
				seen[name] = true
				remarks = append(remarks, t.remarks(m, name, text)...)
			}
		}
	}
	return func(f found) bool {
		for _, r := range remarks {
			if r.code == f.Code && (f.block.Filename == "" || r.concerns(f.block)) {
				return true
			}
		}
		return false
	}
}

// concerns tells whether the comment stands in a block, or on the lines just
// above its first.
func (r remark) concerns(block hcl.Range) bool {
	return r.from.Filename == block.Filename && r.from.End.Line >= block.Start.Line-1 && r.from.Start.Line <= block.End.Line
}

func (t *template) remarks(m *module, name string, text []byte) []remark {
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	var list []remark
	for i := 0; i < len(tokens); i++ {
		if tokens[i].Type != hclsyntax.TokenComment {
			continue
		}
		parts := ignoring.FindStringSubmatch(strings.TrimSpace(string(tokens[i].Bytes)))
		if parts == nil {
			continue
		}
		r := remark{code: parts[1], from: tokens[i].Range}
		// The lines of one comment belong together.
		last := ownLine(r.from)
		for j := i + 1; j < len(tokens) && tokens[j].Type == hclsyntax.TokenComment && tokens[j].Range.Start.Line == last+1; j++ {
			last = ownLine(tokens[j].Range)
		}
		r.from.End.Line = last
		if _, known := Codes[r.code]; !known || r.code == "ignore" {
			t.add(berth.FindingNote, "ignore", m, &tokens[i].Range, nil, "", "berth:ignore names no check, so nothing is ignored; write # berth:ignore CODE and the reason")
			continue
		}
		if strings.TrimSpace(parts[2]) == "" {
			t.add(berth.FindingNote, "ignore", m, &tokens[i].Range, nil, "", "berth:ignore %s says no reason; add why this is as it should be, for those who come after", r.code)
		}
		list = append(list, r)
	}
	return list
}

// ownLine is the last line that a comment stands on: the token of one with # or
// // goes on to the start of the next.
func ownLine(r hcl.Range) int {
	if r.End.Column == 1 && r.End.Line > r.Start.Line {
		return r.End.Line - 1
	}
	return r.End.Line
}
