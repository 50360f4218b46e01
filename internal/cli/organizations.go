package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) organizations() *cobra.Command {
	cmd := newGroup("organizations", "Organizations: settings, members, workspace providers",
		a.organizationsList(), a.organizationsCreate(), a.organizationsShow(), a.organizationsEdit(), a.organizationsDelete(),
		a.members(), a.organizationsProviders())
	cmd.Aliases = []string{"organization", "orgs"}
	return cmd
}

func (a *app) organizationsList() *cobra.Command {
	return a.listCommand("List the organizations that you see", func(ctx context.Context, c *client.Client, asJSON bool) error {
		found, err := collect(client.List{}, func(l client.List) (api.Page[api.Organization], error) { return c.Organizations(ctx, l) })
		if err != nil {
			return err
		}
		return organizationListing.print(a, asJSON, found)
	})
}

var organizationListing = listing[api.Organization]{
	none:   "You are a member of no organization.",
	header: []string{"NAME", "CALLED", "DEFAULT", "CREATED", "DESCRIPTION"},
	row: func(o api.Organization, now time.Time) []string {
		return []string{o.Name, cell(o.DisplayName), yesNo(o.Default), ago(o.CreatedAt, now), short(cell(o.Description), 60)}
	},
}

func (a *app) organizationsCreate() *cobra.Command {
	var in api.CreateOrganization
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make an organization",
		Long: `Make an organization. Owners of the site may.

It has no members at first: add some, and give one the role owner, who then
does the rest.`,
		Example: `  berth organizations create research --display-name 'Research' --description 'Models and notebooks'
  berth organizations members add research ana --role owner`,
		Args: args(1, 1),
	}
	cmd.Flags().StringVar(&in.DisplayName, "display-name", "", "what people see instead of the name")
	cmd.Flags().StringVar(&in.Description, "description", "", "one sentence or two")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in.Name = given[0]
		return a.withClient(func(c *client.Client) error {
			o, err := c.CreateOrganization(cmd.Context(), in)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(o)
			}
			a.say("%s is made", o.Name)
			a.tell("Add members with: berth organizations members add %s USER", o.Name)
			return nil
		})
	}
	return cmd
}

func (a *app) organizationsShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show an organization, its settings and workspace providers",
		Args: args(1, 1), ValidArgsFunction: a.organizationNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			o, err := c.Organization(cmd.Context(), given[0])
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(o)
			}
			allowed, err := c.AllowedProviders(cmd.Context(), o.ID)
			if err != nil {
				return err
			}
			a.showOrganization(o, allowed.Items, time.Now())
			return nil
		})
	}
	return cmd
}

func (a *app) showOrganization(o api.Organization, allowed []api.AllowedProvider, now time.Time) {
	a.field("organization", o.Name)
	a.field("shown as", cell(o.DisplayName))
	a.field("description", cell(o.Description))
	if o.Default {
		a.field("default", "new users join it")
	}
	a.field("created", ago(o.CreatedAt, now))
	a.field("sharing", sayIf(o.Sharing, "people may share their workspaces", "nobody shares workspaces"))
	a.field("connections", sayIf(o.ConnectStarts, "start stopped workspaces that let them", "start no workspaces"))
	a.field("idle", sayIf(o.IdleCounts, "an open connection counts as activity", "an open connection alone is no activity"))
	used := ""
	if o.UsedWithin > 0 {
		used = ", what was used in the last " + roughly(time.Duration(o.UsedWithin)*time.Second)
	}
	a.field("auto-start", autostartDays(o.AutostartDays)+used)
	off := "never"
	if o.AutoOff > 0 {
		off = "after " + roughly(time.Duration(o.AutoOff)*time.Second) + " without activity"
	}
	a.field("auto-off", off+sayIf(o.AutoOffByUser, "; people may change that for their own workspaces", ""))
	l := o.Limits
	a.field("limits", limits(l.Workspaces, l.Running))
	a.field("per user", limits(l.WorkspacesPerUser, l.RunningPerUser))
	var names []string
	for _, p := range allowed {
		names = append(names, cell(p.Name))
	}
	a.field("providers", first(strings.Join(names, ", "), "none: nothing can be made here"))
}

func sayIf(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func autostartDays(days []string) string {
	switch len(days) {
	case 0:
		return "on no day"
	case 7:
		return "on every day"
	}
	return "on " + strings.Join(days, ", ")
}

func limits(all, running int) string {
	if all == 0 && running == 0 {
		return "none"
	}
	say := func(n int, what string) string {
		if n == 0 {
			return "any number " + what
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	return say(all, "workspaces") + ", " + say(running, "running")
}

func (a *app) organizationsDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Aliases: []string{"rm"},
		Short:   "Delete an organization that has no workspaces and no templates",
		Args:    args(1, 1), ValidArgsFunction: a.organizationNames,
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			o, err := c.Organization(cmd.Context(), given[0])
			if err != nil {
				return err
			}
			if err := a.confirm(cmd.Context(), yes, fmt.Sprintf("Delete the organization %s?", o.Name),
				fmt.Sprintf("The organization %s goes with its members' roles and its groups.", o.Name)); err != nil {
				return err
			}
			if err := c.DeleteOrganization(cmd.Context(), o.ID); err != nil {
				return err
			}
			a.say("%s is deleted", o.Name)
			return nil
		})
	}
	return cmd
}

// organizationNames completes the first argument with organizations.
func (a *app) organizationNames(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.complete(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
		p, err := c.Organizations(ctx, client.List{Limit: 500})
		var names []string
		for _, o := range p.Items {
			names = append(names, o.Name)
		}
		return names, err
	})
}

func yesNo(b bool) string { return sayIf(b, "yes", "no") }

// organizationFlag gives cmd the flag --org, whose default is the default
// organization.
func (a *app) organizationFlag(cmd *cobra.Command) *string {
	org := new(string)
	a.organizationFlagTo(cmd, org, "default", "`organization`, by name")
	return org
}

func (a *app) organizationFlagTo(cmd *cobra.Command, org *string, otherwise, help string) {
	cmd.Flags().StringVarP(org, "org", "O", otherwise, help)
	_ = cmd.RegisterFlagCompletionFunc("org", func(cmd *cobra.Command, _ []string, part string) ([]string, cobra.ShellCompDirective) {
		return a.organizationNames(cmd, nil, part)
	})
}
