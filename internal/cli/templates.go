package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) templates() *cobra.Command {
	return newGroup("templates", "Make, import and look at templates",
		a.templatesInit(), a.templatesPush(), a.templatesList(), a.templatesShow(), a.templatesEdit(), a.templatesAccess(), a.templatesVersions(), a.templatesArchive(), a.templatesPull(), a.templatesDelete())
}

func (a *app) templatesList() *cobra.Command {
	var org string
	cmd := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List templates", Args: args(0, 0)}
	a.organizationFlagTo(cmd, &org, "", "only those of this `organization`")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			found, err := collect(client.List{}, func(l client.List) (api.Page[api.Template], error) {
				return c.Templates(cmd.Context(), org, l)
			})
			if err != nil {
				return err
			}
			return templateListing(found).print(a, *asJSON, found)
		})
	}
	return cmd
}

// templateListing names the organizations too where found is of several: two
// of them may call a template the same.
func templateListing(found []api.Template) listing[api.Template] {
	l := listing[api.Template]{
		none:   "No templates; make one with: berth templates init process && berth templates push process -d process",
		header: []string{"NAME", "VERSION", "WORKSPACES", "CHANGED", "DESCRIPTION"},
		row: func(t api.Template, now time.Time) []string {
			description := cell(first(t.Description, t.DisplayName))
			if t.Policy.Deprecated != "" {
				description = "deprecated: " + cell(t.Policy.Deprecated)
			}
			return []string{t.Name, first(t.ActiveVersion, "none"), fmt.Sprint(t.Workspaces), ago(t.UpdatedAt, now), description}
		},
	}
	if slices.ContainsFunc(found, func(t api.Template) bool { return t.Organization != found[0].Organization }) {
		named := l.row
		l.header = slices.Insert(l.header, 1, "ORGANIZATION")
		l.row = func(t api.Template, now time.Time) []string { return slices.Insert(named(t, now), 1, t.Organization) }
	}
	return l
}

func (a *app) templatesShow() *cobra.Command {
	var readme bool
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show a template and what its active version asks",
		Example:           "  berth templates show docker\n  berth templates show docker --readme",
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().BoolVar(&readme, "readme", false, "print the README of its active version, and nothing else")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			t, err := c.Template(cmd.Context(), *org, given[0])
			if err != nil {
				return err
			}
			if *asJSON && !readme {
				return a.json(t)
			}
			var v *api.TemplateVersion
			if t.ActiveVersion != "" {
				active, err := c.TemplateVersion(cmd.Context(), *org, given[0], "active")
				if err != nil {
					return err
				}
				v = &active
			}
			switch {
			case readme && v == nil:
				return berth.Errorf(berth.NotFound, "the template %s has no active version, and so no README", t.Name)
			case readme && *asJSON:
				return a.json(map[string]string{"readme": v.Readme})
			case readme:
				return a.readme(*v)
			}
			a.showTemplate(t, v, time.Now())
			return nil
		})
	}
	return cmd
}

func (a *app) showTemplate(t api.Template, v *api.TemplateVersion, now time.Time) {
	a.field("template", t.Organization+"/"+t.Name)
	a.field("shown as", cell(t.DisplayName))
	a.field("description", cell(t.Description))
	a.field("workspaces", limitedTo(t))
	a.field("max share", t.MaxShare)
	a.field("by", fmt.Sprintf("%s, %s", cell(t.CreatedBy), ago(t.CreatedAt, now)))
	a.showPolicy(t.Policy)
	if v == nil {
		a.field("version", "none is active; import one with: berth templates push "+t.Name)
		return
	}
	a.showVersion(*v, now)
}

// limitedTo is how many workspaces a template has, and may have.
func limitedTo(t api.Template) string {
	text := fmt.Sprint(t.Workspaces)
	if most := t.Limits.Workspaces; most > 0 {
		text += fmt.Sprintf(" of at most %d", most)
	}
	if most := t.Limits.WorkspacesPerUser; most > 0 {
		text += fmt.Sprintf("; at most %d of each user", most)
	}
	return text
}

// knownCosts is what workspaces of a version cost; empty when it is nothing.
func knownCosts(costs []api.VersionCost) string {
	var known []string
	for _, c := range costs {
		text := fmt.Sprintf("%d a day", c.DailyCost)
		if c.Preset != "" {
			text += " with " + cell(c.Preset)
		}
		if c.DailyCost > 0 || len(known) > 0 {
			known = append(known, text)
		}
	}
	return strings.Join(known, ", ")
}

func (a *app) showQuestions(v api.TemplateVersion) {
	section(a, []string{"PARAMETER", "TYPE", "ANSWER", "OPTIONS", "DESCRIPTION"}, v.Parameters, func(p berth.Parameter) []string {
		value := "default " + cell(p.Default)
		if p.Required {
			value = "required"
		}
		if !p.Mutable {
			value += ", for good"
		}
		var values []string
		for _, o := range p.Options {
			values = append(values, o.Value)
		}
		return []string{cell(p.Name), p.Type, value, cell(strings.Join(values, " ")), cell(p.Description)}
	})
	section(a, []string{"PRESET", "", "DESCRIPTION"}, v.Presets, func(p berth.Preset) []string {
		def := ""
		if p.Default {
			def = "default"
		}
		return []string{cell(p.Name), def, cell(p.Description)}
	})
}

func (a *app) templatesDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "delete NAME",
		Aliases:           []string{"rm"},
		Short:             "Delete a template that no workspace uses",
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			t, err := c.Template(cmd.Context(), *org, given[0])
			if err != nil {
				return err
			}
			if err := a.confirm(cmd.Context(), yes, fmt.Sprintf("Delete the template %s?", t.Name),
				fmt.Sprintf("The template %s goes with all its versions.", t.Name)); err != nil {
				return err
			}
			if err := c.DeleteTemplate(cmd.Context(), *org, given[0]); err != nil {
				return err
			}
			a.say("%s is deleted", t.Name)
			return nil
		})
	}
	return cmd
}
