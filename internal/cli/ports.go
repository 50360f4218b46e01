package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) ports() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ports WORKSPACE[.AGENT]",
		Short: "List the ports that programs in a workspace listen on, and share them",
		Long: `List the ports that programs in a workspace listen on, where a browser opens
them, and who may. A share is kept when the workspace is stopped and started,
until it is unshared.`,
		Example: `  berth ports web
  berth ports share web 8080 --level authenticated
  berth ports unshare web 8080`,
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withAgent(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, agent api.Agent, t target) error {
			found, err := c.Ports(cmd.Context(), w.ID, agent.Name)
			if err != nil {
				return err
			}
			return portListing(t).print(a, *asJSON, found.Items)
		})
	}
	cmd.AddCommand(a.portsShare(), a.portsUnshare())
	return cmd
}

func portListing(t target) listing[api.WorkspacePort] {
	return listing[api.WorkspacePort]{
		none:   fmt.Sprintf("Nothing listens in %s but what Berth itself needs", t),
		header: []string{"PORT", "ADDRESS", "PROGRAM", "OPEN TO", "URL"},
		row: func(p api.WorkspacePort, _ time.Time) []string {
			at := first(cell(p.Address), "nothing listens")
			return []string{strconv.Itoa(p.Port), at, cell(p.Process), p.Share, first(p.URL, cell(p.Note))}
		},
	}
}

func (a *app) portsShare() *cobra.Command {
	var level string
	var https bool
	cmd := &cobra.Command{
		Use:               "share WORKSPACE[.AGENT] PORT",
		Short:             "Let others open a port in their browsers",
		Example:           "  berth ports share web 8080 --level organization\n  berth ports share web 8443 --level public --https",
		Args:              args(2, 2),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().StringVar(&level, "level", string(berth.ShareAuthenticated), "who may: organization, authenticated or public")
	cmd.Flags().BoolVar(&https, "https", false, "the program speaks TLS")
	_ = cmd.RegisterFlagCompletionFunc("level", cobra.FixedCompletions([]string{"organization", "authenticated", "public"}, cobra.ShellCompDirectiveNoFileComp))
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		port, err := onePort(given[1])
		if err != nil {
			return err
		}
		return a.withTarget(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			shared, err := c.SharePort(cmd.Context(), w.ID, first(t.agent, "-"), port, api.SharePort{Level: level, HTTPS: https})
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(shared)
			}
			a.say("port %d of %s is open to: %s", port, t, shared.Share)
			a.say("%s", first(shared.URL, cell(shared.Note)))
			return nil
		})
	}
	return cmd
}

func (a *app) portsUnshare() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "unshare WORKSPACE[.AGENT] PORT",
		Short:             "End the share of a port",
		Args:              args(2, 2),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		port, err := onePort(given[1])
		if err != nil {
			return err
		}
		return a.withTarget(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			if err := c.UnsharePort(cmd.Context(), w.ID, first(t.agent, "-"), port); err != nil {
				return err
			}
			a.say("port %d of %s is open to its owner alone", port, t)
			return nil
		})
	}
	return cmd
}

func onePort(text string) (int, error) {
	port, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || berth.ValidatePort("", port) != nil {
		return 0, usagef("%q is not a port: give a number from 1 to 65535", text)
	}
	return port, nil
}
