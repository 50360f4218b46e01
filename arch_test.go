package berth_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/berthdev/berth"

// arrows is the plan of the house: what each package may import, of ours. A
// package that is not here fails the test, so that a new room is put on the
// plan on purpose.
var arrows = map[string][]string{
	".":      {},
	"api":    {"."},
	"client": {".", "api", "internal/tunnel"},

	"internal/authz":      {"."},
	"internal/claims":     {"."},
	"internal/parameters": {"."},
	"internal/lifecycle":  {"."},

	"internal/clientfile": {"."},

	"internal/seal":  {},
	"internal/store": {"."},

	"internal/accounts":      {".", "internal/authz", "internal/store", "internal/seal"},
	"internal/policies":      {".", "internal/store"},
	"internal/organizations": {".", "internal/authz", "internal/store", "internal/accounts", "internal/policies"},
	"internal/signin":        {".", "internal/authz", "internal/store", "internal/seal", "internal/claims", "internal/clientfile", "internal/accounts", "internal/organizations"},
	"internal/quota":         {".", "internal/authz", "internal/store", "internal/organizations"},
	"internal/audit":         {".", "internal/authz", "internal/store"},

	"internal/sharing": {".", "internal/authz", "internal/store"},

	"internal/builds":     {".", "internal/store", "internal/seal"},
	"internal/templates":  {".", "internal/authz", "internal/organizations", "internal/providers", "internal/policies", "internal/sharing", "internal/store", "internal/seal", "internal/builds", "internal/parameters", "internal/forms", "internal/source"},
	"internal/providers":  {".", "internal/authz", "internal/store", "internal/tags"},
	"internal/workspaces": {".", "internal/forms", "internal/authz", "internal/sharing", "internal/store", "internal/seal", "internal/builds", "internal/accounts", "internal/credentials", "internal/templates", "internal/providers", "internal/parameters", "internal/quota", "internal/tags", "internal/machines"},

	"internal/notices":   {".", "internal/authz", "internal/store"},
	"internal/schedules": {".", "internal/policies", "internal/authz", "internal/sharing", "internal/store", "internal/workspaces", "internal/activity", "internal/providers", "internal/builds", "internal/lifecycle", "internal/notices", "internal/organizations", "internal/templates", "internal/accounts"},

	"internal/credentials": {".", "internal/authz", "internal/store", "internal/seal", "internal/clientfile"},
	"internal/activity":    {".", "internal/authz", "internal/sharing", "internal/store"},

	"internal/source":    {"."},
	"internal/tags":      {".", "internal/forms", "internal/source"},
	"internal/machines":  {"."},
	"internal/forms":     {".", "internal/source", "internal/parameters"},
	"internal/lint":      {".", "internal/source", "internal/parameters"},
	"internal/journal":   {},
	"internal/warm":      {".", "internal/journal"},
	"internal/terraform": {".", "internal/journal", "internal/source", "internal/lint", "internal/parameters", "internal/tags"},
	"internal/plugin":    {".", "internal/journal", "internal/warm"},
	"internal/runner":    {".", "api", "client", "internal/terraform", "internal/plugin", "internal/journal", "internal/warm"},

	"internal/agent":          {".", "api", "client", "internal/tunnel", "internal/agent/activity", "internal/agent/doctor", "internal/agent/ports", "internal/agent/retry", "internal/agent/shell", "internal/agent/spawn", "internal/agent/terminal", "internal/agent/usage"},
	"internal/agent/activity": {".", "api", "internal/agent/retry", "internal/agent/shell", "internal/agent/usage"},
	"internal/agent/doctor":   {".", "api", "client", "internal/tunnel"},
	"internal/agent/ports":    {".", "api", "internal/agent/retry", "internal/tunnel"},
	"internal/agent/retry":    {"."},
	"internal/agent/shell":    {"internal/agent/spawn"},
	"internal/agent/spawn":    {},
	"internal/agent/usage":    {},
	"internal/agent/terminal": {"internal/agent/shell", "internal/agent/spawn"},
	"internal/inside":         {".", "api", "client", "internal/agent/usage"},

	"internal/tunnel": {},
	"internal/links":  {".", "internal/tunnel"},
	"internal/apps":   {".", "internal/links", "internal/tunnel"},

	"internal/bundle":  {},
	"internal/loop":    {},
	"internal/httpapi": {".", "api", "internal/policies", "internal/sharing", "internal/authz", "internal/accounts", "internal/organizations", "internal/signin", "internal/quota", "internal/audit", "internal/builds", "internal/templates", "internal/providers", "internal/workspaces", "internal/credentials", "internal/activity", "internal/schedules", "internal/notices", "internal/lifecycle", "internal/links", "internal/apps", "internal/tunnel", "internal/loop", "internal/bundle"},
	"internal/server":  {"*"},
	"internal/cli":     {".", "api", "client", "internal/tunnel", "templates"},

	"internal/trial": {".", "api", "client", "internal/cli", "internal/lint", "internal/server", "internal/source", "internal/terraform"},

	"scripts/summary": {},

	"dashboard":        {},
	"templates":        {},
	"cmd/berth":        {"internal/cli", "internal/server", "internal/trial"},
	"cmd/berth-agent":  {"internal/agent", "internal/cli", "internal/inside"},
	"cmd/berth-plugin": {"internal/plugin", "internal/journal"},
}

// pure packages decide; they may not look at the world.
var pure = []string{"internal/authz", "internal/claims", "internal/lifecycle", "internal/parameters"}

var impure = []string{"context", "net", "os", "database/sql", "math/rand", "math/rand/v2", "log", "log/slog"}

// owners says which packages alone may import a library.
var owners = map[string][]string{
	"github.com/danielgtaylor/huma":             {"internal/httpapi"},
	"database/sql":                              {"internal/store"},
	"modernc.org/sqlite":                        {"internal/store"},
	"github.com/jackc/pgx":                      {"internal/store"},
	"github.com/coder/terraform-provider-coder": {"internal/plugin"},
	"github.com/hashicorp/terraform-plugin-sdk": {"internal/plugin"},
	"github.com/hashicorp/terraform-json":       {"internal/terraform"},
	"github.com/charmbracelet":                  {"internal/cli"},
	"github.com/coreos/go-oidc":                 {"internal/signin"},
	"golang.org/x/oauth2":                       {"internal/signin"},
	"github.com/wneessen/go-mail":               {"internal/notices"},
}

// never holds what a package must not reach, even through others.
var never = map[string][]string{
	"client":          {"internal/store", "internal/httpapi", "internal/server", "internal/workspaces"},
	"internal/cli":    {"internal/store", "internal/httpapi", "internal/server", "internal/workspaces"},
	"internal/agent":  {"internal/store", "internal/httpapi", "internal/server", "internal/workspaces"},
	"internal/runner": {"internal/store", "internal/httpapi", "internal/server", "internal/workspaces"},
	"internal/inside": {"internal/store", "internal/httpapi", "internal/server", "internal/workspaces"},
	"cmd/berth-agent": {"internal/store", "internal/httpapi", "internal/server", "internal/workspaces"},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Doc        string
	Name       string
	GoFiles    []string
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Imports,Deps,Doc,Name,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]pkg{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if room, ours := ours(p.ImportPath); ours {
			all[room] = p
		}
	}
	return all
}

func ours(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// testOnly tells whether a room holds helpers and programs of tests, which may
// import anything and may be imported by tests alone.
func testOnly(room string) bool {
	return strings.HasPrefix(room, "test/") || strings.HasSuffix(path.Base(room), "test")
}

func TestArrows(t *testing.T) {
	for room, p := range packages(t) {
		if testOnly(room) {
			continue
		}
		may, known := arrows[room]
		if !known {
			t.Errorf("%s is not in the table of arrows; put it there and into ARCHITECTURE.md", room)
			continue
		}
		for _, imp := range p.Imports {
			if to, ok := ours(imp); ok && !slices.Contains(may, to) && !slices.Contains(may, "*") {
				t.Errorf("%s imports %s, which the table of arrows does not allow", room, to)
			}
			if slices.Contains(pure, room) && slices.Contains(impure, imp) {
				t.Errorf("%s is pure and imports %s", room, imp)
			}
			for lib, rooms := range owners {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(rooms, room) {
					t.Errorf("%s imports %s, which belongs to %s", room, imp, strings.Join(rooms, ", "))
				}
			}
		}
		for _, dep := range p.Deps {
			if to, ok := ours(dep); ok && slices.Contains(never[room], to) {
				t.Errorf("%s reaches %s", room, to)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	plan, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for room, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", room)
		}
		if base := strings.ToLower(path.Base(room)); slices.Contains([]string{"util", "utils", "common", "models", "types", "helpers", "pkg"}, base) {
			t.Errorf("%s: name the room after what is in it", room)
		}
		if room != "." && !strings.HasPrefix(room, "test/") && !strings.Contains(string(plan), "`"+room+"`") {
			t.Errorf("ARCHITECTURE.md does not name %s", room)
		}
	}
}

// Pure packages take now as an argument, and only terraform starts processes
// named after it.
func TestNoClockInPurePackages(t *testing.T) {
	for _, room := range pure {
		eachFile(t, room, func(name string, f *ast.File) {
			ast.Inspect(f, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since" || sel.Sel.Name == "Until") {
						t.Errorf("%s reads the clock", name)
					}
				}
				return true
			})
		})
	}
}

func TestFilesStayReadable(t *testing.T) {
	// A longer file wants a reason; these have one.
	reasons := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if n := strings.Count(string(b), "\n"); n > 500 && reasons[name] == "" {
			t.Errorf("%s has %d lines: split it by noun, or give the reason here", name, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A package is read whole, or has so many files because each stands for itself.
func TestPackagesStayReadable(t *testing.T) {
	reasons := map[string]string{
		"internal/cli":        "one file for each command, which share listing.go, calling.go and the like",
		"internal/httpapi":    "one file for each noun, in front of one use case each",
		"internal/store":      "one file for each noun; all SQL is in one place",
		"internal/terraform":  "installations, imports and runs have files of their own; all of them start terraform, which no other package may",
		"internal/workspaces": "one file for each thing that a workspace does; create, build and kind are the ones to read first",
	}
	for room, p := range packages(t) {
		lines := 0
		for _, name := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(room, name))
			if err != nil {
				t.Fatal(err)
			}
			lines += strings.Count(string(b), "\n")
		}
		if lines > 4000 && reasons[room] == "" {
			t.Errorf("%s has %d lines: split it, or give the reason here", room, lines)
		}
	}
}

func eachFile(t *testing.T, room string, f func(name string, file *ast.File)) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(room, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		f(name, file)
	}
}
