package inside

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// What is wrong with a command is said in words, with what there is instead.
func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for given, says := range map[string]string{
		"stat gpu":                       `has no command "gpu": there are cpu, disk, mem`,
		"stat cpu now":                   `"now" is too much: berth stat cpu`,
		"exp mcp server":                 `has no command "mcp": there are sync`,
		"exp sync wait x":                `has no command "wait": there are complete, start, status, want`,
		"exp sync want app":              "something is missing: berth exp sync want UNIT DEPENDENCY…",
		"exp sync complete":              "something is missing: berth exp sync complete UNIT",
		"external-auth access-token":     "something is missing: berth external-auth access-token ID",
		"external-auth access-token a b": `"b" is too much`,
	} {
		root := &cobra.Command{Use: "berth", SilenceErrors: true, SilenceUsage: true}
		root.AddGroup(&cobra.Group{ID: "inside"})
		root.AddCommand(Commands()...)
		root.SetArgs(strings.Fields(given))
		root.SetOut(io.Discard)
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", given, err)
		}
	}
}
