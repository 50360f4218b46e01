package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) roles() *cobra.Command {
	cmd := newGroup("roles", "What roles there are, and what each may do", a.rolesList(), a.rolesShow())
	cmd.Aliases = []string{"role"}
	return cmd
}

func (a *app) rolesList() *cobra.Command {
	return listCommand(a, "List the roles of the site and of organizations, and what shares carry", (*client.Client).Roles, listing[api.Role]{
		header: []string{"OF", "NAME", "ABOUT"},
		row:    func(r api.Role, _ time.Time) []string { return []string{r.Of, r.Name, r.About} },
	})
}

func (a *app) rolesShow() *cobra.Command {
	var of string
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show what a role may do",
		Long: `Show what a role may do. The same words name roles of the site and of
organizations, and what a share of a template or workspace carries; without --of
all of that name are shown.`,
		Example: `  berth roles show template-admin
  berth roles show owner --of organization
  berth roles show use`,
		Args: args(1, 1),
	}
	cmd.Flags().StringVar(&of, "of", "", "site, organization or share")
	asJSON := jsonFlag(cmd)
	_ = cmd.RegisterFlagCompletionFunc("of", cobra.FixedCompletions([]string{"site", "organization", "share"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.ValidArgsFunction = a.roleNames
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			all, err := c.Roles(cmd.Context())
			if err != nil {
				return err
			}
			found := []api.Role{}
			var known []string
			for _, r := range all.Items {
				if (of == "" || r.Of == of) && strings.EqualFold(r.Name, given[0]) {
					found = append(found, r)
				}
				known = append(known, r.Of+" "+r.Name)
			}
			if len(found) == 0 {
				return usagef("there is no such role; there are: %s", strings.Join(known, ", "))
			}
			if *asJSON {
				return a.json(found)
			}
			for i, r := range found {
				if i > 0 {
					a.say("")
				}
				a.say("%s of %s: %s", r.Name, article(r.Of), r.About)
				section(a, []string{"KIND", "MAY", "WHOSE"}, r.Rights, func(x api.Right) []string {
					return []string{x.Kind, strings.Join(x.Actions, " "), x.Whose}
				})
			}
			return nil
		})
	}
	return cmd
}

// roleNames completes the first argument with what sets of rights there are.
func (a *app) roleNames(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.complete(cmd, func(ctx context.Context, c *client.Client) (names []string, err error) {
		all, err := c.Roles(ctx)
		for _, r := range all.Items {
			if !slices.Contains(names, r.Name) {
				names = append(names, r.Name)
			}
		}
		return names, err
	})
}

// article names where a role is given, in a sentence.
func article(of string) string {
	switch of {
	case "organization":
		return "an organization"
	case "share":
		return "a share"
	default:
		return "the " + of
	}
}
