package inside

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// args bounds how many arguments a command takes, and says it in words. A most
// below 0 is no bound.
func args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		switch {
		case len(given) < least:
			return berth.Errorf(berth.Invalid, "something is missing: %s", cmd.UseLine())
		case most == 0 && len(given) > 0 && cmd.HasSubCommands():
			return noSuchCommand(cmd, given[0])
		case most >= 0 && len(given) > most:
			return berth.Errorf(berth.Invalid, "%q is too much: %s", given[most], cmd.UseLine())
		}
		return nil
	}
}

// onlyBelow is a command that only has others below it.
func onlyBelow(cmd *cobra.Command, given []string) error {
	if len(given) == 0 {
		return cmd.Help()
	}
	return noSuchCommand(cmd, given[0])
}

func noSuchCommand(cmd *cobra.Command, name string) error {
	var has []string
	for _, c := range cmd.Commands() {
		has = append(has, c.Name())
	}
	return berth.Errorf(berth.Invalid, "%s has no command %q: there are %s", cmd.CommandPath(), name, strings.Join(has, ", "))
}
