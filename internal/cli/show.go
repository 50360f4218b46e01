package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
)

func (a *app) show() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show WORKSPACE",
		Short:             "Show a workspace",
		Example:           "  berth show web\n  berth show ana/web --json",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		c, err := a.client()
		if err != nil {
			return err
		}
		defer c.Close()
		w, _, err := a.findOnly(cmd.Context(), c, given[0])
		if err != nil {
			return err
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
			a.showApps("", found.Items)
		}
		return nil
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
	if w.Status == "running" && !w.Healthy {
		a.field("health", a.look.warn(first(cell(w.Health), "unhealthy")))
	}
	for _, g := range w.Agents {
		for _, note := range g.Notes {
			a.field("note", cell(g.Name+": "+note))
		}
		a.showPressure(g, now)
	}
	version := w.Template + ", version " + w.Build.Version
	if w.Outdated {
		version += ", outdated: berth update " + w.Name
	}
	a.field("template", version)
	a.field("provider", w.Provider)
	a.field("last build", fmt.Sprintf("%d, %s, %s, by %s, %s", w.Build.Number, w.Build.Transition, w.Build.Status, w.Build.Initiator, ago(w.Build.CreatedAt, now)))
	a.field("waits", cell(w.Build.Waits))
	a.field("created", ago(w.CreatedAt, now))
	a.showActivity(w, now)
	if !w.ConnectStarts || w.ConnectForbidden {
		a.field("connections", "do not start it when it is stopped")
	}
	a.showParameters(w.Build.Parameters)
	if len(w.Agents) > 0 {
		a.say("")
		var rows [][]string
		for _, g := range w.Agents {
			rows = append(rows, []string{g.Name, g.Status, g.Lifecycle, g.OS + "/" + g.Arch, cell(g.Version)})
		}
		a.table("", []string{"AGENT", "STATUS", "SCRIPTS", "PLATFORM", "VERSION"}, rows)
	}
	a.showSteps(w, now)
	if len(w.Build.Resources) > 0 {
		a.say("")
		var rows [][]string
		for _, r := range w.Build.Resources {
			if !r.Hide {
				rows = append(rows, []string{cell(r.Address), cell(r.Type)})
			}
		}
		a.table("", []string{"RESOURCE", "TYPE"}, rows)
	}
	if w.Build.Error != "" {
		a.say("")
		a.say("%s", clean(w.Build.Error))
	}
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
