package forms

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth/internal/source"
)

// override puts what files called override say into the blocks that they change,
// as terraform does. It tells whether all of the module can be read so.
func override(m *source.Module) bool {
	var blocks, changes []*hcl.Block
	for _, b := range m.Blocks { // the files are in the order of their names
		if source.IsOverride(b.DefRange.Filename) {
			changes = append(changes, b)
		} else {
			blocks = append(blocks, b)
		}
	}
	for _, name := range m.Names {
		if strings.Contains(name, ".tofu") || source.IsOverride(name) && strings.HasSuffix(name, ".json") {
			return false
		}
	}
	for _, c := range changes {
		switch c.Type {
		case "locals":
			if !overrideLocals(blocks, c) {
				return false
			}
			continue
		case "terraform", "provider", "resource":
			continue // nothing of a form
		case "data":
			if c.Labels[0] != parameterType {
				continue
			}
		}
		at := slices.IndexFunc(blocks, func(b *hcl.Block) bool { return b.Type == c.Type && slices.Equal(b.Labels, c.Labels) })
		if at < 0 || !overrideBody(blocks[at].Body, c.Body) {
			return false
		}
	}
	m.Blocks = blocks
	return true
}

// overrideBody replaces the attributes that a change has, and all blocks of the
// types that it has, written out or dynamic.
func overrideBody(base, change hcl.Body) bool {
	to, native := base.(*hclsyntax.Body)
	by, also := change.(*hclsyntax.Body)
	if !native || !also {
		return false
	}
	for name, a := range by.Attributes {
		to.Attributes[name] = a
	}
	replaced := map[string]bool{}
	for _, b := range by.Blocks {
		replaced[made(b)] = true
	}
	if replaced["lifecycle"] { // of which terraform keeps parts
		return false
	}
	to.Blocks = slices.DeleteFunc(to.Blocks, func(b *hclsyntax.Block) bool { return replaced[made(b)] })
	to.Blocks = append(to.Blocks, by.Blocks...)
	return true
}

// made is the type of the blocks that one stands for.
func made(b *hclsyntax.Block) string {
	if b.Type == "dynamic" && len(b.Labels) == 1 {
		return b.Labels[0]
	}
	return b.Type
}

// overrideLocals replaces local values wherever they stand.
func overrideLocals(blocks []*hcl.Block, change *hcl.Block) bool {
	by, native := change.Body.(*hclsyntax.Body)
	if !native {
		return false
	}
	for name, a := range by.Attributes {
		there := false
		for _, b := range blocks {
			to, native := b.Body.(*hclsyntax.Body)
			if b.Type != "locals" || !native || to.Attributes[name] == nil {
				continue
			}
			to.Attributes[name], there = a, true
		}
		if !there {
			return false
		}
	}
	return true
}
