package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) scheduleExplain() *cobra.Command {
	var acts int
	var facts bool
	cmd := &cobra.Command{
		Use:   "explain WORKSPACE",
		Short: "Say why a workspace runs or does not, what comes, and what was done by itself",
		Long: `Say why a workspace runs or does not, what will be done with it by itself in the
next two weeks if nobody does anything, and what was done, by which rule and why.
With --facts, also what each of those decisions rested on.`,
		Example:           "  berth schedule explain web\n  berth schedule explain web --acts 50 --facts\n  berth schedule explain web --json",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().IntVarP(&acts, "acts", "n", 10, "show at most so many of what was done")
	cmd.Flags().BoolVar(&facts, "facts", false, "show what each decision rested on")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, _ target) error {
			e, err := c.Explain(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			if acts != len(e.Acts) && (acts < len(e.Acts) || len(e.Acts) == 10) {
				e.Acts, err = newest(acts, "", func(l client.List) (api.Page[api.Act], error) { return c.Acts(cmd.Context(), w.ID, l) })
				if err != nil {
					return err
				}
			}
			if *asJSON {
				return a.json(e)
			}
			a.showExplanation(w, e, facts, time.Now())
			return nil
		})
	}
	return cmd
}

func (a *app) showExplanation(w api.Workspace, e api.Explanation, facts bool, now time.Time) {
	a.field("workspace", w.Owner+"/"+w.Name)
	a.field("status", a.status(w))
	for i, line := range e.Now {
		label := ""
		if i == 0 {
			label = "now"
		}
		a.say("%s %s", a.look.head(fmt.Sprintf("%-13s", label)), cell(line))
	}
	section(a, []string{"COMING", "DOES", "WHY", "UNLESS"}, e.Coming, func(c api.Coming) []string {
		return []string{day(c.At, now), cell(c.Do), cell(c.Why), cell(c.Unless)}
	})
	section(a, []string{"BEFORE", "DID", "WHY", "BUILD"}, e.Acts, func(t api.Act) []string {
		build := ""
		if t.Build > 0 {
			build = strconv.Itoa(t.Build)
		}
		why := cell(t.Why)
		if facts {
			why += " " + restedOn(t, now)
		}
		return []string{day(t.At, now), cell(t.Did), why, build}
	})
	if len(e.Coming)+len(e.Acts) > 0 {
		a.tell("Times under COMING and BEFORE are by this computer's clock.")
	}
}

// restedOn is what an act rested on, in brackets.
func restedOn(t api.Act, now time.Time) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(t.Facts)) {
		parts = append(parts, name+"="+fact(t.Facts[name], now))
	}
	if len(parts) == 0 {
		return ""
	}
	return "[" + cell(t.Rule) + ": " + strings.Join(parts, ", ") + "]"
}

// fact is one of them for people: times are theirs.
func fact(v any, now time.Time) string {
	switch v := v.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return day(at, now)
		}
		return cell(v)
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+" "+fact(v[name], now))
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return cell(fmt.Sprint(v))
}
