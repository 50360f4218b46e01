package lint

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth/internal/source"
)

// template is what is judged.
type template struct {
	all   []*module // callers first
	root  *module
	plans *Plans
	kept  map[string]bool // of the plans: persistent, by address of the block
	known map[hcl.Expression]knownOrigins
	list  []found

	followed int // references, up to patience
}

// module is one call of a module.
type module struct {
	source.Module
	parent   *module
	call     *hcl.Block // the block that calls it
	children map[string]*module
	blocks   map[string]*hcl.Block // resources and data, by "resource.TYPE.NAME"
	calls    map[string]*hcl.Block
	locals   map[string]hcl.Expression
	outputs  map[string]*hcl.Block
}

func newTemplate(modules []source.Module, plans *Plans) *template {
	t := &template{plans: plans, known: map[hcl.Expression]knownOrigins{}}
	byKey := map[string]*module{}
	for _, s := range modules {
		m := &module{Module: s, children: map[string]*module{}, blocks: map[string]*hcl.Block{}, calls: map[string]*hcl.Block{}, locals: map[string]hcl.Expression{}, outputs: map[string]*hcl.Block{}}
		for _, b := range s.Blocks {
			m.index(b)
		}
		if above, name, nested := cutLast(s.Key); s.Key != "" {
			if !nested {
				above = ""
			}
			m.parent = byKey[above]
			if m.parent == nil {
				continue // what calls it could not be read
			}
			m.call = m.parent.calls[name]
			m.parent.children[name] = m
		}
		byKey[s.Key] = m
		t.all = append(t.all, m)
	}
	t.root = t.all[0]
	if plans != nil {
		t.kept = map[string]bool{}
		for _, r := range plans.Resources {
			t.kept[r.Address] = r.Persistent
		}
	}
	return t
}

// cutLast gives "a.b" and "c" for "a.b.c".
func cutLast(key string) (above, name string, nested bool) {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i], key[i+1:], true
	}
	return "", key, false
}

func (m *module) index(b *hcl.Block) {
	switch b.Type {
	case "resource", "data":
		m.blocks[b.Type+"."+b.Labels[0]+"."+b.Labels[1]] = b
	case "module":
		m.calls[b.Labels[0]] = b
	case "output":
		m.outputs[b.Labels[0]] = b
	case "locals":
		for name, a := range attributes(b.Body) {
			m.locals[name] = a.Expr
		}
	}
}

// foreign tells whether a module came from elsewhere at the import.
func (m *module) foreign() bool {
	return slices.Contains(strings.Split(filepath.ToSlash(m.Dir), "/"), ".terraform")
}

// address is the address of a resource or data block.
func (m *module) address(b *hcl.Block) string {
	var parts []string
	if m.Key != "" {
		for _, name := range strings.Split(m.Key, ".") {
			parts = append(parts, "module", name)
		}
	}
	if b.Type == "data" {
		parts = append(parts, "data")
	}
	return strings.Join(append(parts, b.Labels...), ".")
}

// each calls visit for the blocks of one kind and type, all modules over; an
// empty type means all.
func (t *template) each(kind, label string, visit func(m *module, b *hcl.Block)) {
	for _, m := range t.all {
		for _, b := range m.Of(kind, label) {
			visit(m, b)
		}
	}
}

// made calls visit for the resources that a workspace is made of.
func (t *template) made(visit func(m *module, b *hcl.Block)) {
	t.each("resource", "", func(m *module, b *hcl.Block) {
		if !strings.HasPrefix(b.Labels[0], "coder_") && !bookkeeping[b.Labels[0]] && t.planned(m.address(b)) {
			visit(m, b)
		}
	})
}

// bookkeeping are resources that exist in the state alone.
var bookkeeping = map[string]bool{
	"terraform_data": false, // stands in for real ones in tests and sketches
	"null_resource":  true, "random_id": true, "random_pet": true, "random_string": true, "random_password": true, "random_uuid": true,
	"random_integer": true, "random_shuffle": true, "time_sleep": true, "time_static": true, "time_offset": true, "time_rotating": true,
	"tls_private_key": true, "tls_self_signed_cert": true, "tls_cert_request": true, "tls_locally_signed_cert": true,
}

// planned tells whether a block has objects in a start or a stop, as far as that
// is known.
func (t *template) planned(address string) bool {
	if t.kept == nil {
		return true
	}
	_, there := t.kept[address]
	return there
}

// persistent tells whether a block is still there after a stop.
func (t *template) persistent(m *module, b *hcl.Block) bool {
	if kept, planned := t.kept[m.address(b)]; planned {
		return kept
	}
	if t.turns(m, b) {
		return false
	}
	for ; m.parent != nil && m.call != nil; m = m.parent {
		if t.turns(m.parent, m.call) {
			return false
		}
	}
	return true
}

// turns tells whether how many there are of a block depends on whether the
// workspace starts or stops.
func (t *template) turns(m *module, b *hcl.Block) bool {
	all := attributes(b.Body)
	for _, name := range []string{"count", "for_each"} {
		if a, ok := all[name]; ok && t.origins(m, b, a.Expr).any(isTransition) {
			return true
		}
	}
	return false
}

func isTransition(o origin) bool {
	return o.is("data.coder_workspace") && (o.attr == "start_count" || o.attr == "transition" || o.attr == "")
}

// attributes are those of a body itself, without its blocks. JSON does not tell
// the two apart, so of it there are all.
func attributes(body hcl.Body) hcl.Attributes {
	if native, ok := body.(*hclsyntax.Body); ok {
		all := hcl.Attributes{}
		for name, a := range native.Attributes {
			all[name] = a.AsHCLAttribute()
		}
		return all
	}
	all, _ := body.JustAttributes()
	return all
}

// nested are the blocks of one type directly within a body.
func nested(body hcl.Body, kind string, labels ...string) []*hcl.Block {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: kind, LabelNames: labels}}})
	return content.Blocks
}

// value is one expression of a block and the names that lead to it.
type value struct {
	path []string
	expr hcl.Expression
}

func (v value) name() string { return v.path[len(v.path)-1] }

// values lists all expressions of a block that its objects are made of, in the
// order of the file.
func values(body hcl.Body) []value {
	var list []value
	collect(body, nil, &list)
	slices.SortStableFunc(list, func(a, b value) int { return a.expr.Range().Start.Byte - b.expr.Range().Start.Byte })
	return list
}

// settings of terraform, which are no part of what a block makes.
var settings = map[string]bool{"depends_on": true, "provider": true, "providers": true, "lifecycle": true}

func collect(body hcl.Body, path []string, list *[]value) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		all, _ := body.JustAttributes()
		for name, a := range all {
			if len(path) > 0 || !settings[name] {
				*list = append(*list, value{append(slices.Clone(path), name), a.Expr})
			}
		}
		return
	}
	for name, a := range native.Attributes {
		if len(path) > 0 || !settings[name] {
			*list = append(*list, value{append(slices.Clone(path), name), a.Expr})
		}
	}
	for _, b := range native.Blocks {
		switch {
		case len(path) == 0 && b.Type == "lifecycle", len(path) > 50:
		case b.Type == "dynamic" && len(b.Labels) == 1:
			at := append(slices.Clone(path), b.Labels[0])
			if a, ok := b.Body.Attributes["for_each"]; ok {
				*list = append(*list, value{append(slices.Clone(at), "for_each"), a.Expr})
			}
			for _, inner := range b.Body.Blocks {
				if inner.Type == "content" {
					collect(inner.Body, at, list)
				}
			}
		default:
			collect(b.Body, append(slices.Clone(path), b.Type), list)
		}
	}
}

// extent is all of a block, from its first line to its last.
func extent(b *hcl.Block) hcl.Range {
	if native, ok := b.Body.(*hclsyntax.Body); ok {
		return hcl.RangeBetween(b.DefRange, native.Range())
	}
	return b.DefRange
}
