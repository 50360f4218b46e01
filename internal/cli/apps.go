package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) apps() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "apps WORKSPACE",
		Short:             "List the apps of a workspace and where to open them",
		Example:           "  berth apps web\n  berth apps open web code",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withTarget(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			found, err := c.Apps(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			if !*asJSON && w.Status != string(berth.StatusRunning) {
				a.tell("%s is %s; its template's apps are known while it runs", t, w.Status)
			}
			return appListing.print(a, *asJSON, found.Items)
		})
	}
	cmd.AddCommand(a.appsOpen())
	return cmd
}

var appListing = listing[api.WorkspaceApp]{
	none:   "No apps; a template makes one with a coder_app",
	header: []string{"APP", "KIND", "OPEN TO", "HEALTH", "WHERE", "NOTE"},
	row: func(app api.WorkspaceApp, _ time.Time) []string {
		where := cell(app.URL)
		if app.Kind == "command" {
			where = short(cell(app.Command), 60) // modules put whole scripts there
		}
		return []string{first(app.Slug, app.Name), app.Kind, app.Share, first(app.Health, "-"), where, cell(app.Note)}
	},
}

func (a *app) appsOpen() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "open WORKSPACE[.AGENT] APP",
		Short: "Print the address that opens an app",
		Long: `Print the address that opens an app. For one that opens a program of this
computer and wants a token, each call makes a new one, good for 12 hours: hand
the address to the program and do not keep it.`,
		Example:           "  xdg-open \"$(berth apps open web code)\"",
		Args:              args(2, 2),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			address, err := a.addressOfApp(cmd.Context(), c, given[0], given[1])
			if err != nil {
				return err
			}
			a.say("%s", clean(address))
			return nil
		})
	}
	return cmd
}

func (a *app) addressOfApp(ctx context.Context, c *client.Client, name, slug string) (string, error) {
	w, t, err := a.find(ctx, c, name)
	if err != nil {
		return "", err
	}
	found, err := c.Apps(ctx, w.ID)
	if err != nil {
		return "", err
	}
	for _, app := range found.Items {
		if !strings.EqualFold(app.Slug, slug) || t.agent != "" && !strings.EqualFold(app.Agent, t.agent) {
			continue
		}
		switch {
		case app.Kind == "external":
			opened, err := c.OpenApp(ctx, w.ID, app.Agent, app.Slug)
			return opened.URL, err
		case app.URL == "":
			return "", berth.Errorf(berth.Unavailable, "%s", cell(app.Note))
		}
		return app.URL, nil
	}
	return "", berth.Errorf(berth.NotFound, "%s has no app %s; see berth apps %s", t, slug, t)
}
