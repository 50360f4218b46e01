package cli

import "github.com/spf13/cobra"

// args bounds how many arguments a command takes, and says it in words.
func args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		switch {
		case len(given) < least:
			return usagef("something is missing: %s", cmd.UseLine())
		case most >= 0 && len(given) > most:
			return usagef("%q is too much: %s", given[most], cmd.UseLine())
		}
		return nil
	}
}

// ifGiven is the value of a flag that was given, and nil for one that was not.
func ifGiven[T any](cmd *cobra.Command, flag string, value *T) *T {
	if cmd.Flags().Changed(flag) {
		return value
	}
	return nil
}
