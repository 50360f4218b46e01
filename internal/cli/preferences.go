package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) preferences() *cobra.Command {
	return newGroup("preferences", "What you decide of yourself", a.preferencesSet())
}

func (a *app) preferencesSet() *cobra.Command {
	return newGroup("set", "Change a preference", a.preferencesSetDotfiles())
}

func (a *app) preferencesSetDotfiles() *cobra.Command {
	return &cobra.Command{
		Use:   "dotfiles URI",
		Short: "Say which dotfiles repository your workspaces begin with; an empty URI: none",
		Example: `  berth preferences set dotfiles https://github.com/ana/dotfiles
  berth preferences set dotfiles ''`,
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withClient(func(c *client.Client) error {
				u, err := c.SetPreferences(cmd.Context(), api.Preferences{Dotfiles: &given[0]})
				if err != nil {
					return err
				}
				if u.Dotfiles == "" {
					a.say("Your workspaces start without dotfiles.")
					return nil
				}
				a.say("Your workspaces get %s at each start.", cell(u.Dotfiles))
				return nil
			})
		},
	}
}
