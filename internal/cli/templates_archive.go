package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) templatesArchive() *cobra.Command {
	var in api.ArchiveVersions
	var yes bool
	cmd := &cobra.Command{
		Use:   "archive NAME",
		Short: "Put away the versions that nothing uses",
		Long: `Put away the versions of a template whose import did not succeed, or with --all
every version that is not the active one and that no workspace uses. Lists leave
archived versions out, and no workspace is made from one.
berth templates versions unarchive brings one back.`,
		Example:           "  berth templates archive docker\n  berth templates archive docker --all --dry-run",
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().BoolVarP(&in.All, "all", "a", false, "every version that nothing uses, not only those whose import did not succeed")
	cmd.Flags().BoolVar(&in.DryRun, "dry-run", false, "change nothing; tell which")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			would, err := c.ArchiveUnused(cmd.Context(), *org, given[0], api.ArchiveVersions{All: in.All, DryRun: true})
			if err != nil {
				return err
			}
			if n := len(would.Versions); n > 0 && !in.DryRun {
				if err := a.confirm(cmd.Context(), yes, fmt.Sprintf("Archive %s of %s?", count(n, "version", "versions"), given[0]), cell("Put away: "+strings.Join(would.Versions, ", ")+".")); err != nil {
					return err
				}
				if would, err = c.ArchiveUnused(cmd.Context(), *org, given[0], in); err != nil {
					return err
				}
			}
			if *asJSON {
				return a.json(would)
			}
			done := "archived"
			if in.DryRun {
				done = "would be archived"
			}
			if len(would.Versions) == 0 {
				a.say("%s has no versions to archive", given[0])
				return nil
			}
			a.say("%s %s: %s", count(len(would.Versions), "version", "versions"), done, cell(strings.Join(would.Versions, ", ")))
			return nil
		})
	}
	return cmd
}

func (a *app) versionsArchive() *cobra.Command {
	return a.archiving("archive", "Put versions of a template away that nothing uses",
		"Put versions of a template away. Lists leave them out, and no workspace is made\nfrom them. Neither the active version nor one that workspaces use can be archived.",
		"is archived", (*client.Client).ArchiveVersion)
}

func (a *app) versionsUnarchive() *cobra.Command {
	return a.archiving("unarchive", "Bring archived versions of a template back",
		"Bring archived versions of a template back.", "is back", (*client.Client).UnarchiveVersion)
}

func (a *app) archiving(verb, short, long, done string, do func(*client.Client, context.Context, string, string, string) (api.TemplateVersion, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:               verb + " NAME VERSION…",
		Short:             short,
		Long:              long,
		Example:           "  berth templates versions " + verb + " docker v3 v4",
		Args:              args(2, -1),
		ValidArgsFunction: a.versionNames(-1),
	}
	org := a.organizationFlag(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			var changed []api.TemplateVersion
			for _, name := range given[1:] {
				v, err := do(c, cmd.Context(), *org, given[0], name)
				if err != nil {
					return err
				}
				if changed = append(changed, v); !*asJSON {
					a.say("%s, version %s %s", given[0], v.Name, done)
				}
			}
			if *asJSON {
				return a.json(changed)
			}
			return nil
		})
	}
	return cmd
}

// versionNames completes a template's name, and then names of its versions: as
// many as there may be, or with -1 any number.
func (a *app) versionNames(most int) completer {
	return func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(given) == 0 || most >= 0 && len(given) > most {
			return a.templateNames(cmd, given, typed)
		}
		org, _ := cmd.Flags().GetString("org")
		archived := cmd.Name() == "unarchive"
		return a.complete(cmd, func(ctx context.Context, c *client.Client) (names []string, err error) {
			p, err := c.TemplateVersions(ctx, first(org, berth.DefaultOrganization), given[0], archived, client.List{Limit: 100})
			for _, v := range p.Items {
				if archived == (v.ArchivedAt != nil) {
					names = append(names, v.Name+"\t"+short(cell(v.Message), 60))
				}
			}
			return names, err
		})
	}
}
