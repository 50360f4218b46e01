package forms

import (
	"fmt"
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/berthdev/berth/internal/source"
)

// Calculator computes single expressions of a template. All of them together may
// do as much as one evaluation.
type Calculator struct {
	budget    *budget
	functions map[string]function.Function
}

// NewCalculator makes one. Its expressions read no files.
func NewCalculator() *Calculator {
	c := &Calculator{budget: &budget{left: most}, functions: functions(source.Files{}, ".")}
	maps.Copy(c.functions, patterns(c.budget))
	delete(c.functions, "file")
	delete(c.functions, "fileexists")
	return c
}

// Value parses an expression and computes it with the variables that give finds
// for what it refers to.
func (c *Calculator) Value(text string, give func([]hcl.Traversal) (map[string]cty.Value, error)) (v cty.Value, found hcl.Diagnostics, err error) {
	e, err := source.Expression(text)
	if err != nil {
		return v, nil, err
	}
	names := e.Variables()
	native, ok := e.(hclsyntax.Expression)
	if !ok {
		return v, nil, fmt.Errorf("the expression is of an unknown kind")
	}
	variables, err := give(names)
	if err != nil {
		return v, nil, err
	}
	defer func() {
		if recover() != nil { // a library's
			err = fmt.Errorf("the expression cannot be evaluated")
		}
	}()
	variables = maps.Clone(variables)
	variables[spentKey] = cty.CapsuleVal(budgetType, c.budget)
	v, found = guard(native).Value(&hcl.EvalContext{Variables: variables, Functions: c.functions})
	return v, found, nil
}
