package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// completer completes one argument.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// patience is how long a shell waits for names.
const patience = 2 * time.Second

// complete asks the server for names; where it does not answer there are none.
func (a *app) complete(cmd *cobra.Command, names func(context.Context, *client.Client) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	c, err := a.client(client.WithRetry(0))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer c.Close()
	found, err := names(ctx, c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// workspaceNames completes the first argument with the caller's workspaces, and
// those that are shared with them.
func (a *app) workspaceNames(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.complete(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
		p, err := c.Workspaces(ctx, client.List{Query: "owner:me", Limit: 500})
		var names []string
		for _, w := range p.Items {
			names = append(names, w.Name+"\t"+w.Status+", "+w.Template)
		}
		shared, _ := c.Workspaces(ctx, client.List{Query: "shared:me", Limit: 500}) // an older server knows no such filter
		for _, w := range shared.Items {
			names = append(names, w.Owner+"/"+w.Name+"\t"+w.Status+", "+w.Template)
		}
		return names, err
	})
}

// templateNames completes the first argument, or a flag, with template names.
func (a *app) templateNames(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.templateFlag(cmd, nil, "")
}

func (a *app) templateFlag(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
		var names []string
		p, err := c.Templates(ctx, "", client.List{Limit: 500})
		for _, t := range p.Items {
			names = append(names, describe(t))
		}
		return names, err
	})
}

func describe(t api.Template) string {
	if text := cell(first(t.Description, t.DisplayName)); text != "" {
		return t.Name + "\t" + text
	}
	return t.Name
}
