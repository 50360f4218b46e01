package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) list() *cobra.Command {
	var q string
	var all, shared bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List workspaces",
		Example: `  berth list
  berth list -q 'status:running outdated:true'
  berth list --shared
  berth list --all -q template:docker --json`,
		Args: args(0, 0),
	}
	cmd.Flags().StringVarP(&q, "query", "q", "", "only those that match: owner:me status:running template:x name:part outdated:true shared_with_user:x, and parts of the name")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "everybody's, as far as you may see them")
	cmd.Flags().BoolVar(&shared, "shared", false, "those of others that are shared with you")
	cmd.MarkFlagsMutuallyExclusive("all", "shared")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case shared:
			q = strings.TrimSpace("shared:me " + q)
		case !all && !strings.Contains(q, "owner:") && !strings.Contains(q, "shared:me") && !strings.Contains(q, "shared_with_"):
			q = strings.TrimSpace("owner:me " + q)
		}
		return a.withClient(func(c *client.Client) error {
			found, err := collect(client.List{Query: q, Limit: 500}, func(l client.List) (api.Page[api.Workspace], error) {
				return c.Workspaces(cmd.Context(), l)
			})
			if err != nil {
				return err
			}
			others := all || strings.Contains(q, "shared:me") || strings.Contains(q, "shared_with_") || strings.Contains(q, "owner:") && !strings.Contains(q, "owner:me")
			l := a.workspaceListing(others)
			if shared {
				l.none = "No workspaces of others are shared with you"
			}
			return l.print(a, *asJSON, found)
		})
	}
	return cmd
}

// workspaceListing names the owners too where they may be others than oneself.
func (a *app) workspaceListing(owners bool) listing[api.Workspace] {
	return listing[api.Workspace]{
		none:   "No workspaces; make one with: berth create NAME -t TEMPLATE",
		header: []string{"NAME", "TEMPLATE", "STATUS", "NOTE", "USED", "CREATED"},
		row: func(w api.Workspace, now time.Time) []string {
			name := w.Name
			if owners {
				name = w.Owner + "/" + w.Name
			}
			return []string{name, w.Template, a.status(w), note(w), agoPtr(w.LastUsedAt, now), ago(w.CreatedAt, now)}
		},
	}
}

// status is a workspace's status, coloured.
func (a *app) status(w api.Workspace) string {
	paint := a.look.busy
	switch w.Status {
	case "running":
		paint = a.look.ok
		if !w.Healthy {
			paint = a.look.warn
		}
	case "stopped", "deleted", "canceled":
		paint = a.look.off
	case "failed":
		paint = a.look.warn
	}
	return paint(w.Status)
}

// note is what else a line should say of a workspace.
func note(w api.Workspace) string {
	var notes []string
	if w.Status == "running" && !w.Healthy {
		notes = append(notes, first(cell(w.Health), "unhealthy"))
	}
	if w.Outdated {
		notes = append(notes, "outdated")
	}
	if w.Shared {
		notes = append(notes, "shared")
	}
	if w.Build.Waits != "" {
		notes = append(notes, cell(w.Build.Waits))
	}
	return strings.Join(notes, ", ")
}
