package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// queryArgument is which argument of our helpers is the text of the query.
var queryArgument = map[string]int{"row": 0, "exec": 0, "must": 1, "all": 2, "one": 3, "state": 0}

// built are the functions that build a query when they run. Their tests run
// them; add one here with a test of its filters.
var built = []string{
	"AgentsOf", "Looked", "Lives", "runs", "ofLives", "ActivityOf", "HoldsOf", "rightsOf", "noteActivity", "AppendAgentLogs", "InsertBuildLogs", "SeeAgents",
	"Builds", "BuildPage", "WorkspacePage", "TemplatePage", "OrganizationPage", "Members", "VersionPage", "UserPage", "ForgetPerson", "Favorites", "AuditPage", "SealedOtherwise", "Reseal", "SealedHeads",
	"NoticePage", "TroubledDeliveries", "ActPage",
	"all", "one", "must", "state", "size", // helpers: they pass on what they are given
}

// Every query of the package is understood by both engines: a column that is
// renamed in the schema alone is found here.
func TestEveryQueryPrepares(t *testing.T) {
	t.Parallel()
	queries, dynamic := queriesOfPackage(t)
	if len(queries) < 50 {
		t.Fatalf("found only %d queries", len(queries))
	}
	for _, where := range dynamic {
		if _, name, _ := strings.Cut(where, " "); !slices.Contains(built, name) {
			t.Errorf("%s builds its query when it runs: write it as a constant, or add it to the list built", where)
		}
	}
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		for where, query := range queries {
			if other := map[string]string{"sqlite": "postgres.go", "postgres": "sqlite.go"}[db.Engine()]; strings.HasPrefix(where, other) {
				continue
			}
			if err := store.Prepare(t.Context(), db, query); err != nil {
				t.Errorf("%s: %v\n%s", where, err, query)
			}
		}
	})
}

// queriesOfPackage reads the constant queries from the source, by their place,
// and the places of those that are no constants.
func queriesOfPackage(t *testing.T) (queries map[string]string, dynamic []string) {
	t.Helper()
	files := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			f, err := parser.ParseFile(files, e.Name(), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, f)
		}
	}
	global := constants{}
	for _, f := range parsed {
		for _, d := range f.Decls {
			global.declare(d)
		}
	}
	global.settle()
	queries = map[string]string{}
	for _, f := range parsed {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			local := constants{}
			for name, e := range global {
				local[name] = e
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if d, ok := n.(*ast.DeclStmt); ok {
					local.declare(d.Decl)
				}
				return true
			})
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				i, ok := queryArgument[called(call)]
				if !ok || i >= len(call.Args) {
					return true
				}
				where := files.Position(call.Pos()).String()
				if text, ok := local.eval(call.Args[i]); ok {
					queries[where] = text
				} else {
					dynamic = append(dynamic, where+" "+fn.Name.Name)
				}
				return true
			})
		}
	}
	return queries, dynamic
}

// called is the name of the function or method of a call.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.IndexExpr:
		if id, ok := f.X.(*ast.Ident); ok {
			return id.Name
		}
	}
	return ""
}

// constants are the string constants in a scope, as they are written.
type constants map[string]ast.Expr

func (c constants) declare(d ast.Decl) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST {
		return
	}
	for _, s := range g.Specs {
		v := s.(*ast.ValueSpec)
		for i, name := range v.Names {
			if i < len(v.Values) {
				c[name.Name] = v.Values[i]
			}
		}
	}
}

// settle forgets the constants that are no strings.
func (c constants) settle() {
	for name, e := range c {
		if _, ok := c.eval(e); !ok {
			delete(c, name)
		}
	}
}

func (c constants) eval(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.Ident:
		v, ok := c[e.Name]
		if !ok {
			return "", false
		}
		return c.eval(v)
	case *ast.ParenExpr:
		return c.eval(e.X)
	case *ast.BinaryExpr:
		l, lok := c.eval(e.X)
		r, rok := c.eval(e.Y)
		return l + r, lok && rok && e.Op == token.ADD
	}
	return "", false
}
