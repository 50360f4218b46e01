package terraform

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth/internal/source"
)

// hostArguments of a provider block have the plugin start a program of the host.
var hostArguments = map[string]bool{"exec": true, "ssh_opts": true}

// varies says what in a provider block is not the same for every build of a
// version; "" if nothing is. A plugin may keep clients and tokens of one
// configuration, and the next build may be another person's.
func varies(m source.Module, b *hcl.Block) string {
	c := &constants{locals: localValues(m), asked: map[string]bool{}}
	return c.body(b.Body)
}

func localValues(m source.Module) map[string]hcl.Expression {
	all := map[string]hcl.Expression{}
	for _, b := range m.Of("locals", "") {
		values, _ := b.Body.JustAttributes()
		for name, a := range values {
			all[name] = a.Expr
		}
	}
	return all
}

type constants struct {
	locals map[string]hcl.Expression
	asked  map[string]bool // locals that were looked at
}

func (c *constants) body(body hcl.Body) string {
	native, ok := body.(*hclsyntax.Body)
	if !ok { // JSON: inner blocks are attributes there
		attributes, _ := body.JustAttributes()
		for name, a := range attributes {
			if why := c.argument(name, a.Expr); why != "" {
				return why
			}
		}
		return ""
	}
	for name, a := range native.Attributes {
		if why := c.argument(name, a.Expr); why != "" {
			return why
		}
	}
	for _, inner := range native.Blocks {
		if hostArguments[inner.Type] {
			return startsPrograms(inner.Type)
		}
		if why := c.body(inner.Body); why != "" {
			return why
		}
	}
	return ""
}

func startsPrograms(argument string) string {
	return fmt.Sprintf("starts a program of the host (%s)", argument)
}

func (c *constants) argument(name string, e hcl.Expression) string {
	if hostArguments[name] {
		return startsPrograms(name)
	}
	if ref := c.reference(e); ref != "" {
		return fmt.Sprintf("is configured by %s, which may differ between workspaces", ref)
	}
	return ""
}

// reference is the first one in e that may differ between builds.
func (c *constants) reference(e hcl.Expression) string {
	for _, t := range e.Variables() {
		switch t.RootName() {
		case "var", "path", "terraform":
			continue
		case "local":
			name := step(t, 1)
			if c.asked[name] {
				continue
			}
			c.asked[name] = true
			value, ok := c.locals[name]
			if !ok {
				return "local." + name
			}
			if ref := c.reference(value); ref != "" {
				return ref
			}
			continue
		case "data":
			return "data." + step(t, 1) + "." + step(t, 2)
		}
		return t.RootName() + "." + step(t, 1)
	}
	return ""
}

// step is the name of the nth part of a reference.
func step(t hcl.Traversal, n int) string {
	if n < len(t) {
		if a, ok := t[n].(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return "*"
}
