package source

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Graph tells what the resources and data sources of a template refer to, by
// their addresses without instance keys. References go through local values, the
// variables of modules and their outputs.
type Graph struct {
	calls map[string]*call // by address, such as "module.a.module.b."; "" is the root
	seen  map[string][]string
}

// call is one module of a template, as often as it is called.
type call struct {
	prefix  string
	parent  *call
	block   *hcl.Block // in the parent
	blocks  map[string]*hcl.Block
	locals  map[string]hcl.Expression
	outputs map[string]*hcl.Block
}

// ReadGraph reads the references of the template in dir, whose modules are read
// already.
func ReadGraph(dir string, modules []Module) Graph {
	g := Graph{calls: map[string]*call{}, seen: map[string][]string{}}
	at := map[string]Module{}
	for _, m := range modules {
		at[m.Dir] = m
	}
	g.add("", nil, nil, at["."])
	entries := Manifest(dir)
	slices.SortFunc(entries, func(a, b Entry) int { // parents first
		return strings.Count(a.Key, ".") - strings.Count(b.Key, ".")
	})
	for _, e := range entries {
		m, known := at[filepath.Clean(e.Dir)]
		if e.Key == "" || !known {
			continue
		}
		names := strings.Split(e.Key, ".")
		parent := g.calls[callPrefix(names[:len(names)-1])]
		if parent == nil {
			continue
		}
		g.add(callPrefix(names), parent, parent.blocks["module."+names[len(names)-1]], m)
	}
	return g
}

// callPrefix is what the addresses in a module begin with.
func callPrefix(names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString("module." + n + ".")
	}
	return b.String()
}

func (g Graph) add(prefix string, parent *call, block *hcl.Block, m Module) {
	c := &call{prefix: prefix, parent: parent, block: block, blocks: map[string]*hcl.Block{}, locals: map[string]hcl.Expression{}, outputs: map[string]*hcl.Block{}}
	for _, b := range m.Blocks {
		switch {
		case b.Type == "resource" && len(b.Labels) == 2:
			c.blocks[b.Labels[0]+"."+b.Labels[1]] = b
		case b.Type == "data" && len(b.Labels) == 2:
			c.blocks["data."+b.Labels[0]+"."+b.Labels[1]] = b
		case b.Type == "module" && len(b.Labels) == 1:
			c.blocks["module."+b.Labels[0]] = b
		case b.Type == "output" && len(b.Labels) == 1:
			c.outputs[b.Labels[0]] = b
		case b.Type == "locals":
			attributes, _ := b.Body.JustAttributes()
			for name, a := range attributes {
				c.locals[name] = a.Expr
			}
		}
	}
	g.calls[prefix] = c
}

// Needs lists the resources and data sources that the one at address needs, all
// the way down, sorted.
func (g Graph) Needs(address string) []string {
	if found, ok := g.seen[address]; ok {
		return found
	}
	all := map[string]bool{}
	queue := g.of(address)
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if next == address || all[next] {
			continue
		}
		all[next] = true
		queue = append(queue, g.of(next)...)
	}
	found := slices.Sorted(maps.Keys(all))
	g.seen[address] = found
	return found
}

// Names lists the resources and data sources that an attribute of the block at
// address names, in the order of the text.
func (g Graph) Names(address, attribute string) []string {
	c, b := g.block(address)
	if b == nil {
		return nil
	}
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: attribute}}})
	a, ok := content.Attributes[attribute]
	if !ok {
		return nil
	}
	w := walk{graph: g, been: map[string]bool{}}
	w.expression(c, a.Expr)
	return w.found
}

// of is what the block at address refers to, not what that does.
func (g Graph) of(address string) []string {
	c, b := g.block(address)
	if b == nil {
		return nil
	}
	w := walk{graph: g, been: map[string]bool{}}
	w.body(c, b.Body)
	for m := c; m.parent != nil && m.block != nil; m = m.parent { // count, for_each and depends_on of the calls around it
		for _, name := range []string{"count", "for_each", "depends_on"} {
			content, _, _ := m.block.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
			if a, ok := content.Attributes[name]; ok {
				w.expression(m.parent, a.Expr)
			}
		}
	}
	return w.found
}

func (g Graph) block(address string) (*call, *hcl.Block) {
	names, rest := []string{}, address
	for strings.HasPrefix(rest, "module.") {
		name, after, ok := strings.Cut(rest[len("module."):], ".")
		if !ok {
			return nil, nil
		}
		names, rest = append(names, name), after
	}
	c := g.calls[callPrefix(names)]
	if c == nil {
		return nil, nil
	}
	return c, c.blocks[rest]
}

// walk follows references until it comes to resources and data sources.
type walk struct {
	graph Graph
	been  map[string]bool
	found []string
}

func (w *walk) body(c *call, body hcl.Body) {
	native, ok := body.(*hclsyntax.Body)
	if !ok { // in JSON, blocks are attributes too
		attributes, _ := body.JustAttributes()
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			w.expression(c, attributes[name].Expr)
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(native.Attributes)) {
		w.expression(c, native.Attributes[name].Expr)
	}
	for _, b := range native.Blocks {
		w.body(c, b.Body)
	}
}

func (w *walk) expression(c *call, e hcl.Expression) {
	for _, t := range e.Variables() {
		w.reference(c, t)
	}
}

// reference follows one reference in a module.
func (w *walk) reference(c *call, t hcl.Traversal) {
	words := Names(t)
	if len(words) == 0 {
		return
	}
	if words[0] == "resource" {
		words = words[1:]
	}
	if len(words) < 2 {
		return
	}
	key := c.prefix + words[0] + "." + words[1]
	switch words[0] {
	case "local":
		if e, ok := c.locals[words[1]]; ok && w.first(key) {
			w.expression(c, e)
		}
	case "var":
		if c.parent == nil || c.block == nil || !w.first(key) {
			return
		}
		content, _, _ := c.block.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: words[1]}}})
		if a, ok := content.Attributes[words[1]]; ok {
			w.expression(c.parent, a.Expr)
		}
	case "module":
		inner := w.graph.calls[key+"."]
		if inner == nil {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(inner.outputs)) {
			if (len(words) == 2 || words[2] == name) && w.first(key+".output."+name) {
				w.body(inner, inner.outputs[name].Body)
			}
		}
	case "data":
		if len(words) > 2 && c.blocks["data."+words[1]+"."+words[2]] != nil {
			w.find(key + "." + words[2])
		}
	default:
		if c.blocks[words[0]+"."+words[1]] != nil {
			w.find(key)
		}
	}
}

func (w *walk) find(address string) {
	if w.first(address) {
		w.found = append(w.found, address)
	}
}

func (w *walk) first(key string) bool {
	before := w.been[key]
	w.been[key] = true
	return !before
}

// Names are the names in a reference, without the keys between them.
func Names(t hcl.Traversal) []string {
	var words []string
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			words = append(words, s.Name)
		case hcl.TraverseAttr:
			words = append(words, s.Name)
		}
	}
	return words
}
