package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) show() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show WORKSPACE",
		Short:             "Show a workspace",
		Example:           "  berth show web\n  berth show ana/web --json\n  berth show web --timings",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	var number int
	timings := cmd.Flags().Bool("timings", false, "show how long the newest build took, and what of it")
	cmd.Flags().IntVar(&number, "build", 0, "with --timings: the build of that number")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if number != 0 && !*timings {
			return usagef("--build is for --timings; berth builds show shows a build")
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, _ target) error {
			if *timings {
				return a.timings(cmd.Context(), c, w, number, *asJSON)
			}
			unknown := refresh(cmd.Context(), c, &w)
			if *asJSON {
				return a.json(w)
			}
			a.showWorkspace(w, time.Now())
			if unknown {
				a.tell("Its agent does not say what it is used for at the moment; what is here may be old.")
			}
			if found, err := c.Apps(cmd.Context(), w.ID); err == nil && len(found.Items) > 0 { // an older server has none
				a.say("")
				return appListing.print(a, false, found.Items)
			}
			return nil
		})
	}
	return cmd
}

func (a *app) showWorkspace(w api.Workspace, now time.Time) {
	state := a.status(w)
	if w.Reason != "" {
		state += " (" + cell(w.Reason) + ")"
	}
	a.field("workspace", w.Owner+"/"+w.Name)
	a.field("status", state)
	switch {
	case w.Status != "running":
	case !w.Healthy:
		a.field("health", a.look.warn(first(cell(w.Health), "unhealthy")))
	default:
		a.field("health", cell(w.Health))
	}
	for _, g := range w.Agents {
		for _, note := range g.Notes {
			a.field("note", cell(g.Name+": "+note))
		}
		a.showPressure(g, now)
	}
	version := w.Template + ", version " + w.Build.Version
	if w.Outdated {
		version += ", outdated: berth update " + w.Name + " --dry-run shows what is new"
	}
	a.field("template", version)
	a.field("provider", w.Provider)
	a.field("last build", fmt.Sprintf("%d, %s, %s, by %s, %s", w.Build.Number, w.Build.Transition, w.Build.Status, w.Build.Initiator, ago(w.Build.CreatedAt, now)))
	a.field("waits", cell(w.Build.Waits))
	a.field("created", ago(w.CreatedAt, now))
	if w.DailyCost > 0 {
		a.field("costs", fmt.Sprintf("%d a day", w.DailyCost))
	}
	if w.Shared {
		a.field("shared", "with others: berth sharing show "+w.Owner+"/"+w.Name)
	}
	a.showActivity(w, now)
	a.showAhead(w, now)
	if !w.ConnectStarts || w.ConnectForbidden {
		a.field("connections", "do not start it when it is stopped")
	}
	a.showParameters(w.Build.Parameters)
	section(a, []string{"AGENT", "STATUS", "SCRIPTS", "PLATFORM", "VERSION"}, w.Agents, func(g api.Agent) []string {
		return []string{g.Name, g.Status + sayIf(g.Outside, ", started by hand", ""), g.Lifecycle, g.OS + "/" + g.Arch, cell(g.Version)}
	})
	a.showSteps(w, now)
	var shown []berth.Resource
	for _, r := range w.Build.Resources {
		if !r.Hide {
			shown = append(shown, r)
		}
	}
	section(a, []string{"RESOURCE", "TYPE", "AGENT", "COSTS", ""}, shown, func(r berth.Resource) []string {
		return []string{cell(r.Address), cell(r.Type), cell(agentsIn(w, r.Address)), sayIf(r.Cost > 0, strconv.Itoa(r.Cost)+" a day", ""), cell(itemsOf(r))}
	})
	if w.Build.Error != "" {
		a.say("")
		a.say("%s", clean(w.Build.Error))
	}
}

// agentsIn names the agents that run in a resource.
func agentsIn(w api.Workspace, address string) string {
	var names []string
	for _, g := range w.Agents {
		if g.Resource == address {
			names = append(names, g.Name)
		}
	}
	return strings.Join(names, ", ")
}

// itemsOf is what a template says of a resource, in one line.
func itemsOf(r berth.Resource) string {
	var list []string
	for _, i := range r.Metadata {
		switch {
		case i.Null:
		case i.Sensitive:
			list = append(list, i.Key+": (hidden)")
		default:
			list = append(list, i.Key+": "+i.Value)
		}
	}
	return strings.Join(list, ", ")
}

func (a *app) showParameters(p map[string]string) {
	for i, name := range slices.Sorted(maps.Keys(p)) {
		label := ""
		if i == 0 {
			label = "parameters"
		}
		fmt.Fprintf(a.out, "%s %s = %s\n", a.look.head(fmt.Sprintf("%-13s", label)), cell(name), cell(p[name]))
	}
}
