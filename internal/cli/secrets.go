package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) secrets() *cobra.Command {
	return newGroup("secrets", "Secrets that all your workspaces get",
		a.secretsList(), a.secretsSet(), a.secretsRemove(), a.secretsSwitch("enable", "Give a secret to your workspaces again", false),
		a.secretsSwitch("disable", "Keep a secret but give it to no workspace", true))
}

func (a *app) secretsList() *cobra.Command {
	return listCommand(a, "List your secrets; values are never shown", (*client.Client).Secrets, listing[api.Secret]{
		none:   "You have no secrets; make one with: berth secrets set NAME --env VARIABLE",
		header: []string{"NAME", "VARIABLE", "FILE", "STATE", "CHANGED", "DESCRIPTION"},
		row: func(s api.Secret, now time.Time) []string {
			state := "enabled"
			if s.Disabled {
				state = "disabled"
			}
			return []string{cell(s.Name), cell(s.Env), cell(s.File), state, ago(s.UpdatedAt, now), cell(s.Description)}
		},
	})
}

func (a *app) secretsSet() *cobra.Command {
	var env, file, description, from string
	var keep bool
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Make a secret, or change one",
		Long: `Make a secret, or change one. Your workspaces have it as a variable, as a file or
as both, from their next start or, where they run, for what starts in them from
now on.

The value comes from a question on the terminal, from standard input or from a
file; never from the command line, which other programs can read.`,
		Example: `  berth secrets set npm --env NPM_TOKEN
  pass show npm | berth secrets set npm --env NPM_TOKEN
  berth secrets set kube --file '~/.kube/config' --from-file config
  berth secrets set npm --description 'read only' --keep-value`,
		Args: args(1, 1),
	}
	f := cmd.Flags()
	f.StringVar(&env, "env", "", "`variable` that holds it")
	f.StringVar(&file, "file", "", "`path` of the file that holds it: ~/… or /…")
	f.StringVar(&description, "description", "", "what it is for")
	f.StringVar(&from, "from-file", "", "read the value from a `file`, as it is")
	f.BoolVar(&keep, "keep-value", false, "change all but the value")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in := api.PutSecret{
			Env:         ifGiven(cmd, "env", &env),
			File:        ifGiven(cmd, "file", &file),
			Description: ifGiven(cmd, "description", &description),
		}
		if !keep {
			value, err := a.secretValue(given[0], from)
			if err != nil {
				return err
			}
			in.Value = &value
		}
		return a.withClient(func(c *client.Client) error {
			s, err := c.PutSecret(cmd.Context(), given[0], in)
			if err != nil {
				return err
			}
			a.say("%s is kept", cell(s.Name))
			return nil
		})
	}
	return cmd
}

// secretValue is what a person gives as a value. A line end at the end is one of
// the terminal or of echo, but one in a file is the file's.
func (a *app) secretValue(name, from string) (string, error) {
	if from != "" {
		f, err := os.Open(from)
		if err != nil {
			return "", usagef("--from-file: %v", err)
		}
		defer f.Close()
		return limited(f)
	}
	if a.canAsk() {
		return a.readPassword("Value of " + cell(name) + ": ")
	}
	text, err := limited(a.in)
	if err == nil && text == "" {
		return "", usagef("standard input has no value: give one, or --keep-value to change the rest")
	}
	return strings.TrimRight(text, "\r\n"), err
}

func limited(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, berth.MaxSecretSize+2))
	if err != nil {
		return "", fmt.Errorf("reading the value: %w", err)
	}
	return string(b), nil
}

func (a *app) secretsRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Aliases: []string{"rm"}, Short: "Remove a secret", Args: args(1, 1),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withClient(func(c *client.Client) error {
				if err := c.RemoveSecret(cmd.Context(), given[0]); err != nil {
					return err
				}
				a.say("%s is removed", cell(given[0]))
				return nil
			})
		},
	}
}

func (a *app) secretsSwitch(use, short string, disabled bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " NAME", Short: short, Args: args(1, 1),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withClient(func(c *client.Client) error {
				s, err := c.PutSecret(cmd.Context(), given[0], api.PutSecret{Disabled: &disabled})
				if err != nil {
					return err
				}
				a.say("%s is %sd", cell(s.Name), use)
				return nil
			})
		},
	}
}
