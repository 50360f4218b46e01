package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) create() *cobra.Command {
	var in api.CreateWorkspace
	var given answers
	var life lifeFlags
	var yes, noWait bool
	cmd := &cobra.Command{
		Use:   "create NAME -t TEMPLATE",
		Short: "Make a workspace and start it",
		Long: `Make a workspace from a template and start it.

On a terminal it asks for the template, a preset and the answers that have no
default; -y takes the defaults and leaves what is missing to the server to
refuse.`,
		Example: `  berth create web -t docker
  berth create web -t docker --parameter cpus=4 --parameter '"tools=[""git"",""gh""]"'
  berth create web -t docker --preset large -y --no-wait
  berth create web -t docker --start-at "9:30AM Mon-Fri Europe/Dublin" --stop-after 8h`,
		Args:              args(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, names []string) error {
			t, err := parseTarget(names[0])
			if err != nil || t.agent != "" {
				return berth.ValidateName("name", names[0])
			}
			in.Name = t.name
			if t.owner != "me" {
				in.Owner = t.owner
			}
			if in.Parameters, err = given.values(); err != nil {
				return err
			}
			if err := life.apply(cmd, &in); err != nil {
				return err
			}
			return a.withClient(func(c *client.Client) error {
				return a.makeWorkspace(cmd.Context(), c, in, t, a.canAsk() && !yes, !noWait)
			})
		},
	}
	given.flags(cmd)
	life.flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&in.Template, "template", "t", "", "`template` to make it from")
	f.StringVar(&in.Version, "template-version", "", "`version` of the template (default the active one)")
	f.StringVar(&in.Preset, "preset", "", "preset to take the answers from, or none")
	a.organizationFlagTo(cmd, &in.Organization, "", "`organization` of the template (default the default one)")
	f.StringVar(&in.Provider, "provider", "", "workspace `provider` to run on (default the default one)")
	f.BoolVarP(&yes, "yes", "y", false, "ask nothing")
	f.BoolVar(&noWait, "no-wait", false, "do not wait for the workspace to run")
	_ = cmd.RegisterFlagCompletionFunc("template", a.templateFlag)
	return cmd
}

func (a *app) makeWorkspace(ctx context.Context, c *client.Client, in api.CreateWorkspace, t target, ask, wait bool) error {
	if in.Template == "" && !ask {
		return usagef("say from which template: -t TEMPLATE; berth templates list shows them")
	}
	if ask {
		if err := a.askWorkspace(ctx, c, &in); err != nil {
			return err
		}
		cost, err := c.VersionCost(ctx, first(in.Organization, "default"), in.Template, first(in.Version, "active"), client.CostOf{Preset: in.Preset, Owner: in.Owner})
		if err == nil { // else making it says what is wrong
			if err := a.tellCost(ctx, cost, true); err != nil {
				return err
			}
		}
	}
	in.Reason = string(berth.ReasonCLI)
	w, err := c.CreateWorkspace(ctx, in)
	if err != nil {
		return err
	}
	if !ask && w.Cost != nil {
		if err := a.tellCost(ctx, *w.Cost, false); err != nil {
			return err
		}
	}
	if err := a.await(ctx, c, w.Build, t, wait); err != nil {
		return err
	}
	if wait {
		a.tell("Open a shell in it with: berth ssh %s", t)
	}
	return nil
}

// askWorkspace asks for what a new workspace still needs.
func (a *app) askWorkspace(ctx context.Context, c *client.Client, in *api.CreateWorkspace) (err error) {
	org := first(in.Organization, "default")
	if in.Template == "" {
		if in.Template, err = a.chooseTemplate(ctx, c, in.Organization); err != nil {
			return err
		}
	}
	version := first(in.Version, "active")
	v, err := c.TemplateVersion(ctx, org, in.Template, version)
	if err != nil {
		return err
	}
	if room, err := c.VersionCost(ctx, org, in.Template, version, client.CostOf{Owner: in.Owner}); err == nil && room.Refused != "" {
		return berth.Errorf(berth.Limit, "%s", cell(room.Refused)) // before anybody answers questions for nothing
	}
	if in.Preset == "" && len(v.Presets) > 0 && len(in.Parameters) == 0 {
		if in.Preset, err = a.askPreset(ctx, v); err != nil {
			return err
		}
	}
	known, err := presetAnswers(v, in.Preset)
	if err != nil {
		return err
	}
	return a.askAnswers(ctx, v, in.Parameters, known, false)
}
