package source

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/berthdev/berth"
)

// Module is one directory of a template.
type Module struct {
	Dir    string            // relative to the template; "." is the root
	Key    string            // terraform's name of the call, such as "a.b"; empty: the root
	Files  map[string][]byte // by the name that places carry
	Names  []string          // of all files that may be configuration
	Blocks []*hcl.Block      // of the types that rootSchema names, in the order of the files
}

// MaxShown is how many errors are shown at once.
const MaxShown = 10

// rootSchema names the blocks that are looked at.
var rootSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "terraform"},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "provider", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "output", LabelNames: []string{"name"}},
}}

// ReadModule parses the .tf and .tf.json files of one directory.
func ReadModule(root, dir string) (Module, error) {
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil {
		return Module{Dir: dir, Files: map[string][]byte{}}, fmt.Errorf("reading the template: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	return parse(dir, names, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(root, dir, name)) })
}

// parse is a module of the files of one directory.
func parse(dir string, names []string, read func(name string) ([]byte, error)) (Module, error) {
	m := Module{Dir: dir, Files: map[string][]byte{}}
	parser := hclparse.NewParser()
	for _, name := range names {
		if strings.HasPrefix(name, ".") {
			continue
		}
		if strings.Contains(name, ".tf") || strings.Contains(name, ".tofu") {
			m.Names = append(m.Names, name)
		}
		if !strings.HasSuffix(name, ".tf") && !strings.HasSuffix(name, ".tf.json") {
			continue
		}
		text, err := read(name)
		if err != nil {
			return m, fmt.Errorf("reading the template: %w", err)
		}
		shown := path.Join(filepath.ToSlash(dir), name)
		if err := bearable(shown, text); err != nil {
			return m, err
		}
		var file *hcl.File
		var found hcl.Diagnostics
		if strings.HasSuffix(name, ".json") {
			file, found = parser.ParseJSON(text, shown)
		} else {
			file, found = parser.ParseHCL(text, shown)
		}
		if found.HasErrors() {
			return m, syntaxError(found)
		}
		content, _, _ := file.Body.PartialContent(rootSchema)
		m.Files[shown] = file.Bytes
		m.Blocks = append(m.Blocks, content.Blocks...)
	}
	return m, nil
}

// syntaxError is the first few of found, each with its place.
func syntaxError(found hcl.Diagnostics) error {
	var list []string
	for _, d := range found {
		if d.Severity == hcl.DiagError && len(list) < MaxShown {
			list = append(list, strings.TrimSpace(Place(d.Subject)+d.Summary+": "+d.Detail))
		}
	}
	return berth.Errorf(berth.Invalid, "%s", strings.Join(list, "\n"))
}

// Place is "main.tf:12: ", or nothing.
func Place(r *hcl.Range) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", r.Filename, r.Start.Line)
}

// Of lists the blocks of one type, and of one first label unless that is empty.
func (m Module) Of(kind, label string) []*hcl.Block {
	var list []*hcl.Block
	for _, b := range m.Blocks {
		if b.Type == kind && (label == "" || len(b.Labels) > 0 && b.Labels[0] == label) {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, func(a, b *hcl.Block) int { return strings.Compare(a.DefRange.Filename, b.DefRange.Filename) })
	return list
}

// Readme is the text of the template's README, whatever its case.
func Readme(root string) string {
	const most = 1 << 20
	entries, err := os.ReadDir(root)
	if err != nil {
		return ""
	}
	i := slices.IndexFunc(entries, func(e fs.DirEntry) bool {
		return e.Type().IsRegular() && strings.EqualFold(e.Name(), "README.md")
	})
	if i < 0 {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(root, entries[i].Name()))
	if err != nil || len(text) > most {
		return ""
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// Source is the text of an expression as it stands in its file.
func (m Module) Source(e hcl.Expression) string {
	if t := Text(e); t != "" {
		return t // a type in quotes, or in JSON
	}
	return strings.Join(strings.Fields(string(m.bytes(e))), " ")
}

// Overrides tells whether a module has files whose blocks change those of others,
// or that only some engines read.
func (m Module) Overrides() bool {
	return slices.ContainsFunc(m.Names, func(name string) bool { return strings.Contains(name, ".tofu") || IsOverride(name) })
}

// IsOverride tells whether the blocks of a file change those of others.
func IsOverride(name string) bool {
	base, _, _ := strings.Cut(path.Base(name), ".tf")
	return base == "override" || strings.HasSuffix(base, "_override")
}
