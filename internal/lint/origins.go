package lint

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth/internal/source"
)

// origin is an attribute that a value comes from, or a function that makes it.
type origin struct {
	module *module
	block  string // "data.TYPE.NAME", "resource.TYPE.NAME", "function.NAME"
	kind   string // "data.TYPE", "resource.TYPE", "function"
	attr   string // empty: the object as a whole
}

func (o origin) is(kind string) bool { return o.kind == kind }

type origins map[origin]bool

func (o origins) any(is func(origin) bool) bool {
	for each := range o {
		if is(each) {
			return true
		}
	}
	return false
}

// origins tells what an expression in a block of m is made from: through locals,
// modules, and the attributes of other blocks. b may be nil.
func (t *template) origins(m *module, b *hcl.Block, e hcl.Expression) origins {
	if known, ok := t.known[e]; ok && known.module == m {
		return known.origins
	}
	w := walk{template: t, found: origins{}, seen: map[step]bool{}}
	w.expression(m, b, e)
	t.known[e] = knownOrigins{m, w.found}
	return w.found
}

// knownOrigins are those of an expression in the module where it was last asked
// for.
type knownOrigins struct {
	module *module
	origins
}

// patience is how many references are followed in all. A template in which
// everything refers to everything is judged by what was found until then.
const patience = 2_000_000

// step is what was followed already.
type step struct {
	module *module
	name   string
}

type walk struct {
	*template
	found origins
	seen  map[step]bool
	depth int
}

// maxWalk bounds how deep references are followed; each is followed once.
const maxWalk = 200

func (w *walk) expression(m *module, b *hcl.Block, e hcl.Expression) {
	if w.depth > maxWalk {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	for _, traversal := range e.Variables() {
		if w.followed++; w.followed > patience {
			return
		}
		w.reference(m, b, traversal)
	}
	if native, ok := e.(hclsyntax.Expression); ok {
		_ = hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
			if call, ok := n.(*hclsyntax.FunctionCallExpr); ok {
				w.found[origin{m, "function." + call.Name, "function", call.Name}] = true
			}
			return nil
		})
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func (w *walk) reference(m *module, b *hcl.Block, traversal hcl.Traversal) {
	names := source.Names(traversal)
	once := func(name string) bool {
		s := step{m, name}
		fresh := !w.seen[s]
		w.seen[s] = true
		return fresh
	}
	switch names[0] {
	case "local":
		if e, ok := m.locals[at(names, 1)]; ok && once("local."+names[1]) {
			w.expression(m, nil, e)
		}
	case "var":
		if m.parent == nil || m.call == nil || !once("var."+at(names, 1)) {
			return
		}
		if a, ok := attributes(m.call.Body)[at(names, 1)]; ok {
			w.expression(m.parent, m.call, a.Expr)
		}
	case "module":
		w.output(m, at(names, 1), at(names, 2), once)
	case "each":
		if b != nil {
			if a, ok := attributes(b.Body)["for_each"]; ok && once("each."+b.DefRange.String()) {
				w.expression(m, nil, a.Expr)
			}
		}
	case "count", "self", "path", "terraform":
	case "data":
		if len(names) >= 3 {
			w.block(m, "data."+names[1], names[2], at(names, 3))
		}
	default:
		if len(names) >= 2 {
			w.block(m, "resource."+names[0], names[1], at(names, 2))
		}
	}
}

// output follows the output of a called module, or all of them.
func (w *walk) output(m *module, call, name string, once func(string) bool) {
	child, ok := m.children[call]
	if !ok || !once("module."+call+"."+name) {
		return
	}
	for each, b := range child.outputs {
		if name == "" || name == each {
			if a, ok := attributes(b.Body)["value"]; ok {
				w.expression(child, b, a.Expr)
			}
		}
	}
}

// block follows an attribute of a block: what it is set to or, if it is not set
// and so made by the plugin, all that the block is made from. What the coder
// plugin makes is an origin itself.
func (w *walk) block(m *module, kind, name, attr string) {
	b, ok := m.blocks[kind+"."+name]
	if !ok {
		return
	}
	w.found[origin{m, kind + "." + name, kind, attr}] = true
	s := step{m, kind + "." + name + "." + attr}
	if w.seen[s] {
		return
	}
	w.seen[s] = true
	coder := len(b.Labels[0]) > 6 && b.Labels[0][:6] == "coder_"
	all := values(b.Body)
	set := false
	for _, v := range all {
		if v.path[0] == attr {
			set = true
		}
	}
	if coder && !set {
		return
	}
	for _, v := range all {
		if !set || v.path[0] == attr {
			w.expression(m, b, v.expr)
		}
	}
}

// text is the value of an attribute if it stands there as a literal, or as the
// attribute of another block that does.
func (m *module) text(e hcl.Expression) (string, bool) {
	if v, found := e.Value(nil); !found.HasErrors() {
		return source.Plain(v), !v.IsNull() && v.IsWhollyKnown()
	}
	traversal, found := hcl.AbsTraversalForExpr(e)
	if found.HasErrors() {
		return "", false
	}
	names := source.Names(traversal)
	if len(names) != 4 || names[0] != "data" {
		return "", false
	}
	b, ok := m.blocks["data."+names[1]+"."+names[2]]
	if !ok {
		return "", false
	}
	text := source.Literal(b.Body, names[3])
	return text, text != ""
}
