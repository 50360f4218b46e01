package plugin

import (
	"os"
	"testing"
)

// TestMain clears what a surrounding Berth may have set.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == SlotsCommand {
		os.Exit(slotsMain(os.Args[2:]))
	}
	if len(os.Args) > 2 && os.Args[1] == "ask" && askMain != nil {
		os.Exit(askMain(os.Args[2]))
	}
	for _, name := range []string{keyVariable, allowVariable, rootVariable, workspaceVariable, buildVariable} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// askMain is another process of a test, where there is one.
var askMain func(address string) int
