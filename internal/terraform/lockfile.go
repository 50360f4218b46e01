package terraform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// lockName is the file in which terraform keeps the versions of plugins.
const lockName = source.LockFile

// parseLock reads which plugins a lock file names.
func parseLock(text []byte) ([]berth.Plugin, error) {
	file, found := hclsyntax.ParseConfig(text, lockName, hcl.InitialPos)
	if found.HasErrors() {
		return nil, fmt.Errorf("reading the plugins that terraform chose: %w", found)
	}
	content, _, _ := file.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "provider", LabelNames: []string{"source"}}}})
	var list []berth.Plugin
	for _, b := range content.Blocks {
		p := berth.Plugin{Source: b.Labels[0], Version: source.Literal(b.Body, "version")}
		if p.Version == "" || strings.Count(p.Source, "/") != 2 || strings.ContainsAny(p.Source+p.Version, "\"\\$\n") || strings.Contains(p.Source+"/"+p.Version, "..") {
			return nil, berth.Errorf(berth.Internal, "terraform chose a plugin %q in version %q, which cannot be one", p.Source, p.Version)
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b berth.Plugin) int { return strings.Compare(a.Source, b.Source) })
	return list, nil
}

// writeLock is a lock file without hashes. Terraform then does not hash every
// plugin at every command; the mirror is hashed by us, once for each change.
func writeLock(plugins []berth.Plugin) []byte {
	var b strings.Builder
	b.WriteString("# Versions only: the binaries are checked by Berth.\n")
	for _, p := range plugins {
		fmt.Fprintf(&b, "\nprovider %q {\n  version = %q\n}\n", p.Source, p.Version)
	}
	return []byte(b.String())
}
