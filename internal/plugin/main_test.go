package plugin

import (
	"os"
	"testing"
)

// TestMain clears what a surrounding Berth may have set.
func TestMain(m *testing.M) {
	for _, name := range []string{keyVariable, allowVariable, rootVariable, workspaceVariable, buildVariable} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}
