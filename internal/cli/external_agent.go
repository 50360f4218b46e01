package cli

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) externalAgent() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "external-agent WORKSPACE[.AGENT]",
		Short: "Tell how to start an agent on a computer of your own",
		Long: `Print the command that starts an agent whose computer the template does not make
(coder_external_agent): run it there, as the user who the workspace shall be. It
holds the agent's token: whoever has it gets your keys and secrets. It counts
while the workspace runs and stays the same until berth rotate-key.

Where an agent is installed already, the variables are enough: berth-agent agent.`,
		Example:           "  berth external-agent web\n  berth external-agent web.gpu --json\n  berth external-agent web | ssh gpu.example.com sh",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			w, t, err := a.find(cmd.Context(), c, given[0])
			if err != nil {
				return err
			}
			e, err := c.ExternalAgent(cmd.Context(), w.ID, first(t.agent, "-"))
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(e)
			}
			a.showExternalAgent(e)
			return nil
		})
	}
	return cmd
}

// showExternalAgent prints the command, and the rest beside the result, so that
// the result can be handed to a shell.
func (a *app) showExternalAgent(e api.ExternalAgent) {
	a.tell("Run this on the computer of %s (%s/%s), as the user who it shall be:", cell(e.Agent), cell(e.OS), cell(e.Arch))
	a.say("%s", clean(e.Command))
	a.tell("Or start an agent that is installed there with:")
	for _, name := range slices.Sorted(maps.Keys(e.Env)) {
		a.tell("  %s=%s", cell(name), cell(e.Env[name]))
	}
}
