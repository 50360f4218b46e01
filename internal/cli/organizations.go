package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) organizations() *cobra.Command {
	cmd := newGroup("organizations", "Organizations and their settings", a.organizationsList(), a.organizationsEdit())
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

func (a *app) organizationsEdit() *cobra.Command {
	var connectStarts, idleCounts bool
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Change the settings of an organization",
		Long: `Change the settings of an organization. Owners of the site may.

With --connect-starts=false no connection starts a stopped workspace of the
organization, whatever the workspace's own setting says. With --idle-counts an
open connection keeps a workspace awake also while nothing is typed or shown.`,
		Example: `  berth organizations edit default --connect-starts=false
  berth organizations edit default --idle-counts=true`,
		Args: args(1, 1),
	}
	cmd.Flags().BoolVar(&connectStarts, "connect-starts", true, "let connections start stopped workspaces that let them")
	cmd.Flags().BoolVar(&idleCounts, "idle-counts", false, "count an open and idle connection as activity")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in := api.EditOrganization{
			ConnectStarts: ifGiven(cmd, "connect-starts", &connectStarts),
			IdleCounts:    ifGiven(cmd, "idle-counts", &idleCounts),
		}
		if in == (api.EditOrganization{}) {
			return usagef("there is nothing to change: give --connect-starts or --idle-counts, with =true or =false")
		}
		return a.withClient(func(c *client.Client) error {
			o, err := c.EditOrganization(cmd.Context(), given[0], in)
			if err != nil {
				return err
			}
			a.say("%s is changed", o.Name)
			return nil
		})
	}
	return cmd
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
