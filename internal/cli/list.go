package cli

import (
	"slices"
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
		Long: `List workspaces, those that you marked with berth favorite before the others.
Dormant ones are left out unless the query says dormant:true or dormant:false.

STOPS is when a running one is stopped by itself as things are, which use may
move; STARTS when its schedule starts it next.`,
		Example: `  berth list
  berth list -q 'status:running outdated:true'
  berth list --shared
  berth list -q dormant:true
  berth list --all -q template:docker --json`,
		Args: args(0, 0),
	}
	cmd.Flags().StringVarP(&q, "query", "q", "", "only those that match: owner:me status:running template:x name:part outdated:true dormant:true favorite:true shared_with_user:x, and parts of the name")
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
			found, asleep := shownFirst(found, q)
			others := all || strings.Contains(q, "shared:me") || strings.Contains(q, "shared_with_") || strings.Contains(q, "owner:") && !strings.Contains(q, "owner:me")
			l := a.workspaceListing(others)
			if shared {
				l.none = "No workspaces of others are shared with you"
			}
			if len(found) == 0 && asleep > 0 {
				l.none = "All of them are dormant"
			}
			if err := l.print(a, *asJSON, found); err != nil || asleep == 0 {
				return err
			}
			a.tell("%s not shown: berth list -q dormant:true", count(asleep, "dormant workspace is", "dormant workspaces are"))
			return nil
		})
	}
	return cmd
}

// shownFirst is what a list shows of what was found, favorites first, and how
// many dormant ones it leaves out because nobody asked for them.
func shownFirst(found []api.Workspace, query string) (shown []api.Workspace, asleep int) {
	if !strings.Contains(query, "dormant:") {
		all := len(found)
		found = slices.DeleteFunc(found, func(w api.Workspace) bool { return w.DormantAt != nil })
		asleep = all - len(found)
	}
	slices.SortStableFunc(found, func(a, b api.Workspace) int {
		switch {
		case a.Favorite == b.Favorite:
			return 0
		case a.Favorite:
			return -1
		default:
			return 1
		}
	})
	return found, asleep
}

// workspaceListing names the owners too where they may be others than oneself.
func (a *app) workspaceListing(owners bool) listing[api.Workspace] {
	return listing[api.Workspace]{
		none:   "No workspaces; make one with: berth create NAME -t TEMPLATE",
		header: []string{"NAME", "TEMPLATE", "STATUS", "NOTE", "STOPS", "STARTS", "USED", "CREATED"},
		row: func(w api.Workspace, now time.Time) []string {
			name := w.Name
			if owners {
				name = w.Owner + "/" + w.Name
			}
			return []string{name, w.Template, a.status(w), note(w, now), clockPtr(w.StopsAt, now), dayPtr(w.StartsAt, now), agoPtr(w.LastUsedAt, now), ago(w.CreatedAt, now)}
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
func note(w api.Workspace, now time.Time) string {
	var notes []string
	if w.Favorite {
		notes = append(notes, "favorite")
	}
	if w.DormantAt != nil {
		asleep := "dormant"
		if w.DeletingAt != nil {
			asleep += ", deleted on " + day(*w.DeletingAt, now)
		}
		notes = append(notes, asleep)
	}
	switch {
	case w.Status != "running":
	case !w.Healthy:
		notes = append(notes, first(cell(w.Health), "unhealthy"))
	case w.Health != "":
		notes = append(notes, cell(w.Health))
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
