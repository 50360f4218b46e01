package forms

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/berthdev/berth/internal/source"
)

// budget is how much one evaluation may still do. What it counts is the same on
// every machine, so that an answer does not depend on how busy one is: one for
// each value that an expression gives, and one for each eight bytes of text.
type budget struct{ left int }

// most is worth well under a second; a real template takes a hundredth of it.
const most = 1 << 17

func (b *budget) take(n int) bool {
	if b.left -= n; b.left < 0 {
		b.left = -1
	}
	return b.left >= 0
}

// spentKey is where an evaluation's budget stands in its contexts: parsed
// expressions are shared by evaluations, which have nothing else of their own.
const spentKey = "\x00budget"

var budgetType = cty.Capsule("budget", reflect.TypeFor[budget]())

func budgetOf(ctx *hcl.EvalContext) *budget {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[spentKey]; ok {
			return v.EncapsulatedValue().(*budget)
		}
	}
	return &budget{left: 1000}
}

// guarded is an expression whose values are paid for. Each one within a template's
// expressions is wrapped, so that no loop and no doubling of texts gets far.
type guarded struct {
	hclsyntax.Expression
	names []hcl.Traversal // that a whole expression refers to: those of wrapped parts are not found any more
}

func (g *guarded) Variables() []hcl.Traversal { return g.names }

// UnwrapExpression lets what looks at the form of an expression see it.
func (g *guarded) UnwrapExpression() hcl.Expression { return g.Expression }

func (g *guarded) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(ctx)
	if !b.take(1) {
		return cty.DynamicVal, tooMuch(g.Range())
	}
	v, found := g.Expression.Value(ctx)
	if !b.take(weigh(v)) {
		return cty.DynamicVal, tooMuch(g.Range())
	}
	return v, found
}

func tooMuch(at hcl.Range) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Too much to evaluate", Subject: &at}}
}

// huge is a text that would be a number of too many digits.
var huge = regexp.MustCompile(`^[-+.0-9][0-9._]*[eEpP][-+]?[0-9]{4,}`)

// weigh is what a value costs; more than most for one that others must not see.
func weigh(v cty.Value) int {
	n := 1
	v, _ = v.Unmark()
	switch {
	case v == cty.NilVal || v.IsNull() || !v.IsKnown():
	case v.Type() == cty.String:
		s := v.AsString()
		if s != "" && strings.ContainsRune("+-.0123456789", rune(s[0])) && huge.MatchString(s) {
			return most + 1
		}
		n += len(s) / 8
	case v.Type() == cty.Number:
		if source.Huge(v) {
			return most + 1
		}
	case v.CanIterateElements():
		if v.Type().IsTupleType() { // to make it a list, each type is compared with each
			n += v.LengthInt() * v.LengthInt() / 256
		}
		for it := v.ElementIterator(); it.Next() && n <= most; {
			key, element := it.Element()
			n += weigh(element)
			if key.Type() == cty.String {
				n += weigh(key)
			}
		}
	}
	return n
}

// guardBody wraps the expressions of a body and of its blocks.
func guardBody(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		names := a.Expr.Variables()
		e := guard(a.Expr)
		if g, ok := e.(*guarded); ok {
			g.names = names
		}
		a.Expr = e
	}
	for _, b := range body.Blocks {
		guardBody(b.Body)
	}
}

// guard wraps an expression and all within it, but names and what has no children.
func guard(e hclsyntax.Expression) hclsyntax.Expression {
	each := func(list ...*hclsyntax.Expression) {
		for _, p := range list {
			if *p != nil {
				*p = guard(*p)
			}
		}
	}
	all := func(list []hclsyntax.Expression) {
		for i := range list {
			each(&list[i])
		}
	}
	switch n := e.(type) {
	case *hclsyntax.AnonSymbolExpr, *guarded:
		return e
	case *hclsyntax.LiteralValueExpr:
		if n.Val.Type() != cty.Number {
			return e
		}
	case *hclsyntax.RelativeTraversalExpr:
		each(&n.Source)
	case *hclsyntax.FunctionCallExpr:
		all(n.Args)
	case *hclsyntax.ConditionalExpr:
		each(&n.Condition, &n.TrueResult, &n.FalseResult)
	case *hclsyntax.IndexExpr:
		each(&n.Collection, &n.Key)
	case *hclsyntax.TupleConsExpr:
		all(n.Exprs)
	case *hclsyntax.ObjectConsExpr:
		for i := range n.Items {
			each(&n.Items[i].ValueExpr)
			if key, ok := n.Items[i].KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok && (key.ForceNonLiteral || hcl.ExprAsKeyword(key.Wrapped) == "") {
				each(&key.Wrapped)
			}
		}
	case *hclsyntax.ForExpr:
		each(&n.CollExpr, &n.KeyExpr, &n.ValExpr, &n.CondExpr)
	case *hclsyntax.SplatExpr:
		each(&n.Source, &n.Each)
	case *hclsyntax.TemplateExpr:
		all(n.Parts)
	case *hclsyntax.TemplateWrapExpr:
		each(&n.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		each(&n.Tuple)
	case *hclsyntax.BinaryOpExpr:
		each(&n.LHS, &n.RHS)
	case *hclsyntax.UnaryOpExpr:
		each(&n.Val)
	case *hclsyntax.ParenthesesExpr:
		each(&n.Expression)
	}
	return &guarded{Expression: e}
}
