// Package inside has the commands that make sense inside a workspace alone.
// They are reached there as `berth NAME` and `coder NAME`, beside those of
// package cli.
//
// What they need of the workspace they ask the agent for, on its local socket
// (BERTH_AGENT_SOCKET), which lets in the workspace's own user and root alone.
//
// It does not hold secrets: a key or token that a command gets is handed on and
// forgotten.
package inside

import "github.com/spf13/cobra"

// Commands are all of this package's commands.
func Commands() []*cobra.Command {
	all := []*cobra.Command{
		dotfilesCommand(), externalAuth(), gitAskpass(), gitssh(),
		statCommand(),
		exp(),
	}
	for _, c := range all {
		c.GroupID = "inside" // of the command line's help
	}
	return all
}
