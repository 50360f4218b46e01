package forms

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/berthdev/berth/internal/source"
)

// Template is the files of a version, read once. It is safe for use by many
// goroutines.
type Template struct {
	modules   map[string]*module // by directory
	installed map[string]string  // directories of the modules that the import fetched, by their key
	why       string             // why nothing of it can be decided; empty as a rule
	size      int
}

// Size is about how much memory it takes, in bytes. One that could not be read,
// nil, takes little.
func (t *Template) Size() int {
	const least = 1 << 10
	if t == nil {
		return least
	}
	return least + t.size
}

// module is one directory, by what it declares.
type module struct {
	source.Module
	variables, locals, outputs map[string]*hcl.Attribute // locals and outputs: their values
	blocks                     map[string]*block         // data of types that are evaluated, by "type.name"
	calls                      map[string]*block
	declared                   map[string]*block // of variables
	functions                  map[string]function.Function
	find                       func(name string) ([]byte, error) // a small file
	order                      []*block                          // the parameters, as they stand
	callOrder                  []*block
}

// block is one whose expressions are guarded; body is nil where it is written in
// a form that is not evaluated.
type block struct {
	*hcl.Block
	body  *hclsyntax.Body
	names []hcl.Traversal // what it refers to, its inner blocks too
	bound map[string]bool // names that it makes itself, in dynamic blocks

	// literal is the name of a parameter or the source of a module, where that
	// stands in the file as it is.
	literal string
	once    bool // it says that its answers hold for one build
}

// perByte is how much memory a parsed byte of a template takes, with its share of
// the tree.
const perByte = 40

// Open reads the configuration among the files. The files are not changed later.
func Open(files source.Files) (*Template, error) {
	list, err := files.Modules()
	if err != nil {
		return nil, err
	}
	t := &Template{modules: map[string]*module{}, installed: map[string]string{}}
	for _, e := range files.Manifest() {
		if e.Key != "" {
			t.installed[e.Key] = e.Dir
		}
	}
	for _, m := range list {
		if !override(&m) && t.why == "" {
			t.why = "a file of the template is for one engine only, or overrides others in a way that only Terraform follows"
		}
		for _, text := range m.Files {
			t.size += perByte * len(text)
		}
		t.modules[m.Dir] = newModule(m, files)
	}
	for _, text := range files {
		t.size += len(text)
	}
	return t, nil
}

func newModule(in source.Module, files source.Files) *module {
	m := &module{Module: in, locals: map[string]*hcl.Attribute{}, outputs: map[string]*hcl.Attribute{}, blocks: map[string]*block{},
		calls: map[string]*block{}, declared: map[string]*block{}, functions: functions(files, "."), find: finder(files, ".")}
	for _, raw := range in.Blocks {
		b := newBlock(raw)
		switch raw.Type {
		case "variable":
			m.declared[raw.Labels[0]] = &block{Block: raw}
		case "locals":
			if b.body == nil {
				attrs, _ := raw.Body.JustAttributes()
				for name := range attrs {
					m.locals[name] = nil
				}
				continue
			}
			for name, a := range b.body.Attributes {
				m.locals[name] = a.AsHCLAttribute()
			}
		case "output":
			m.outputs[raw.Labels[0]] = nil
			if b.body != nil {
				if a, ok := b.body.Attributes["value"]; ok {
					m.outputs[raw.Labels[0]] = a.AsHCLAttribute()
				}
			}
		case "module":
			m.calls[raw.Labels[0]] = b
			m.callOrder = append(m.callOrder, b)
		case "data":
			m.blocks[raw.Labels[0]+"."+raw.Labels[1]] = b
			if raw.Labels[0] == parameterType {
				m.order = append(m.order, b)
			}
		}
	}
	return m
}

const parameterType = "coder_parameter"

// newBlock guards a block that is evaluated.
func newBlock(raw *hcl.Block) *block {
	b := &block{Block: raw, bound: map[string]bool{}}
	switch raw.Type {
	case "data":
		b.literal = source.Literal(raw.Body, "name")
		b.once = source.Literal(raw.Body, "ephemeral") == "true"
	case "module":
		b.literal = source.Literal(raw.Body, "source")
	}
	evaluated := raw.Type == "locals" || raw.Type == "output" || raw.Type == "module" || raw.Type == "data" && raw.Labels[0] == parameterType
	body, native := raw.Body.(*hclsyntax.Body)
	if !evaluated || !native {
		return b
	}
	guardBody(body)
	b.body = body
	b.collect(body)
	return b
}

// collect notes what the expressions of a body refer to.
func (b *block) collect(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		b.names = append(b.names, a.Expr.Variables()...)
	}
	for _, inner := range body.Blocks {
		if inner.Type == "dynamic" && len(inner.Labels) == 1 {
			b.bound[inner.Labels[0]] = true
			if a, ok := inner.Body.Attributes["iterator"]; ok {
				b.bound[hcl.ExprAsKeyword(a.Expr)] = true
			}
		}
		b.collect(inner.Body)
	}
}
