package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) organizationsProviders() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "providers ORGANIZATION [allow|deny PROVIDER]",
		Short: "List, allow and deny the workspace providers of an organization",
		Long: `List the workspace providers that an organization may use, or allow or deny one,
which owners of the site may.

Where a workspace or a push names none, the default provider is used, or the
first in the list where that is not allowed. What an organization has on a
provider that is denied stays, and can be started and stopped.`,
		Example: `  berth organizations providers research
  berth organizations providers research allow cluster-a
  berth organizations providers research deny built-in`,
		Args: args(1, 3),
		ValidArgsFunction: func(cmd *cobra.Command, given []string, part string) ([]string, cobra.ShellCompDirective) {
			if len(given) == 1 {
				return []string{"allow", "deny"}, cobra.ShellCompDirectiveNoFileComp
			}
			return a.organizationNames(cmd, given, part)
		},
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if len(given) == 2 || len(given) == 3 && given[1] != "allow" && given[1] != "deny" {
			return usagef("say which workspace provider to allow or to deny: %s", cmd.UseLine())
		}
		return a.withClient(func(c *client.Client) error {
			if len(given) == 1 {
				found, err := c.AllowedProviders(cmd.Context(), given[0])
				if err != nil {
					return err
				}
				return allowedListing.print(a, *asJSON, found.Items)
			}
			change, done := c.AllowProvider, "may use"
			if given[1] == "deny" {
				change, done = c.DenyProvider, "may not use"
			}
			if err := change(cmd.Context(), given[0], given[2]); err != nil {
				return err
			}
			a.say("%s %s the workspace provider %s", given[0], done, given[2])
			return nil
		})
	}
	return cmd
}

var allowedListing = listing[api.AllowedProvider]{
	none:   "The organization may use no workspace provider; an owner of the site allows one.",
	header: []string{"NAME", "WHERE NONE IS NAMED"},
	row: func(p api.AllowedProvider, _ time.Time) []string {
		return []string{cell(p.Name), sayIf(p.Used, "used", "")}
	},
}
