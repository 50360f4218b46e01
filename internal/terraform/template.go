package terraform

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

// module is what we read of one directory of a template by ourselves, without
// terraform: what is needed before terraform can run, and places for errors.
type module struct {
	dir    string            // relative to the template; "." is the root
	files  map[string][]byte // by the name that places carry
	names  []string          // of all files that may be configuration
	blocks []*hcl.Block
}

// maxShown is how many errors are shown at once.
const maxShown = 10

// rootSchema names the blocks that are looked at.
var rootSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "terraform"},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "module", LabelNames: []string{"name"}},
}}

// readModule parses the .tf and .tf.json files of one directory.
func readModule(root, dir string) (module, error) {
	m := module{dir: dir, files: map[string][]byte{}}
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil {
		return m, fmt.Errorf("reading the template: %w", err)
	}
	parser := hclparse.NewParser()
	for _, entry := range entries {
		name := entry.Name()
		if !entry.Type().IsRegular() || strings.HasPrefix(name, ".") {
			continue
		}
		if strings.Contains(name, ".tf") || strings.Contains(name, ".tofu") {
			m.names = append(m.names, name)
		}
		source, shown := filepath.Join(root, dir, name), path.Join(filepath.ToSlash(dir), name)
		var file *hcl.File
		var found hcl.Diagnostics
		switch {
		case strings.HasSuffix(name, ".tf"), strings.HasSuffix(name, ".tf.json"):
			text, err := os.ReadFile(source)
			if err != nil {
				return m, fmt.Errorf("reading the template: %w", err)
			}
			if strings.HasSuffix(name, ".json") {
				file, found = parser.ParseJSON(text, shown)
			} else {
				file, found = parser.ParseHCL(text, shown)
			}
		default:
			continue
		}
		if found.HasErrors() {
			return m, syntaxError(found)
		}
		content, _, _ := file.Body.PartialContent(rootSchema)
		m.files[shown] = file.Bytes
		m.blocks = append(m.blocks, content.Blocks...)
	}
	return m, nil
}

// syntaxError is the first few of found, each with its place.
func syntaxError(found hcl.Diagnostics) error {
	var list []string
	for _, d := range found {
		if d.Severity == hcl.DiagError && len(list) < maxShown {
			list = append(list, strings.TrimSpace(place(d.Subject)+d.Summary+": "+d.Detail))
		}
	}
	return &RunError{Code: berth.FailedTerraform, Err: berth.Errorf(berth.Invalid, "%s", strings.Join(list, "\n"))}
}

// place is "main.tf:12: ", or nothing.
func place(r *hcl.Range) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", r.Filename, r.Start.Line)
}

// of lists the blocks of one type, and of one first label unless that is empty.
func (m module) of(kind, label string) []*hcl.Block {
	var list []*hcl.Block
	for _, b := range m.blocks {
		if b.Type == kind && (label == "" || len(b.Labels) > 0 && b.Labels[0] == label) {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, func(a, b *hcl.Block) int { return strings.Compare(a.DefRange.Filename, b.DefRange.Filename) })
	return list
}

// checkBackend refuses a template that keeps its state elsewhere: every
// workspace's state is ours to keep, and two workspaces of one template would
// share theirs.
func (m module) checkBackend() error {
	for _, b := range m.of("terraform", "") {
		content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
			{Type: "backend", LabelNames: []string{"type"}}, {Type: "cloud"},
		}})
		for _, inner := range content.Blocks {
			return &RunError{Code: berth.FailedTerraform, Err: berth.Errorf(berth.Invalid,
				"%sthe template has a %s block; remove it: Berth keeps the state of every workspace itself", place(&inner.DefRange), inner.Type)}
		}
	}
	return nil
}

// readme is the text of the template's README, whatever its case.
func readme(root string) string {
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

// source is the text of an expression as it stands in its file.
func (m module) source(e hcl.Expression) string {
	if t := text(e); t != "" {
		return t // a type in quotes, or in JSON
	}
	r := e.Range()
	file, ok := m.files[r.Filename]
	if !ok || r.End.Byte > len(file) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return strings.Join(strings.Fields(string(file[r.Start.Byte:r.End.Byte])), " ")
}
