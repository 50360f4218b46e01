package cli

import (
	"context"
	"maps"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) create() *cobra.Command {
	var in api.CreateWorkspace
	var from sources
	var life lifeFlags
	var yes, noWait bool
	cmd := &cobra.Command{
		Use:   "create NAME -t TEMPLATE",
		Short: "Make a workspace and start it",
		Long: `Make a workspace from a template and start it.

On a terminal it asks for the template, a preset and the answers that have no
default; a later question may hang on an earlier answer, and what you answered
last is proposed. -y takes the defaults and leaves what is missing to the server
to refuse.`,
		Example: `  berth create web -t docker
  berth create web -t docker --parameter cpus=4 --parameter '"tools=[""git"",""gh""]"'
  berth create web -t docker --preset large -y --no-wait
  berth create web2 -t docker --copy-parameters-from web
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
			if in.Parameters, err = from.values(); err != nil {
				return err
			}
			if err := life.apply(cmd, &in); err != nil {
				return err
			}
			return a.withClient(func(c *client.Client) error {
				return a.makeWorkspace(cmd.Context(), c, in, t, from, a.canAsk() && !yes, !noWait)
			})
		},
	}
	from.flags(cmd)
	from.sourceFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("copy-parameters-from", a.workspaceNames)
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

func (a *app) makeWorkspace(ctx context.Context, c *client.Client, in api.CreateWorkspace, t target, from sources, ask, wait bool) error {
	if in.Template == "" && !ask {
		return usagef("say from which template: -t TEMPLATE; berth templates list shows them")
	}
	if in.Template == "" {
		var err error
		if in.Template, err = a.chooseTemplate(ctx, c, in.Organization); err != nil {
			return err
		}
	}
	if err := a.answerWorkspace(ctx, c, &in, from, ask); err != nil {
		return err
	}
	if ask {
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

// answerWorkspace finds the answers of a new workspace: those of another one or of
// an earlier time where that is asked for, and on a terminal what is still missing.
func (a *app) answerWorkspace(ctx context.Context, c *client.Client, in *api.CreateWorkspace, from sources, ask bool) (err error) {
	org, version := first(in.Organization, "default"), first(in.Version, "active")
	if ask {
		if room, err := c.VersionCost(ctx, org, in.Template, version, client.CostOf{Owner: in.Owner}); err == nil && room.Refused != "" {
			return berth.Errorf(berth.Limit, "%s", cell(room.Refused)) // before anybody answers questions for nothing
		}
	}
	offers, _, err := from.others()
	if err != nil {
		return err
	}
	known, err := from.known(ctx, c, org, in)
	if err != nil || !ask && len(known)+len(offers) == 0 {
		return err
	}
	if ask && in.Preset == "" && len(in.Parameters)+len(known) == 0 {
		v, err := c.TemplateVersion(ctx, org, in.Template, version)
		if err != nil {
			return err
		}
		if len(v.Presets) > 0 {
			if in.Preset, err = a.askPreset(ctx, v); err != nil {
				return err
			}
		}
	}
	f := formOf(c, org, in.Template, version, api.AskParameters{Owner: in.Owner, Name: in.Name, Preset: in.Preset}, in.Parameters)
	f.offers = offers
	if len(known) > 0 {
		if err := a.fill(ctx, f, known); err != nil {
			return err
		}
	}
	if !ask {
		return a.offer(ctx, f)
	}
	if last, err := c.LastParameters(ctx, org, in.Template); err == nil { // only to propose
		f.offers = last.Parameters
		if f.offers == nil {
			f.offers = map[string]string{}
		}
		maps.Copy(f.offers, offers)
	}
	return a.askForm(ctx, f)
}

// sources are where the answers of a new workspace come from.
type sources struct {
	answers
	copy string
	last bool
}

func (s *sources) sourceFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.copy, "copy-parameters-from", "", "take the answers that this `workspace` has")
	cmd.Flags().BoolVar(&s.last, "use-last", false, "take the answers that you gave last for a workspace of this template")
	cmd.MarkFlagsMutuallyExclusive("copy-parameters-from", "use-last")
}

// known are the answers of elsewhere. They take the place of the default preset,
// whose answers would win.
func (s *sources) known(ctx context.Context, c *client.Client, org string, in *api.CreateWorkspace) (map[string]string, error) {
	var known map[string]string
	switch {
	case s.copy != "":
		t, err := parseTarget(s.copy)
		if err != nil {
			return nil, err
		}
		w, err := c.FindWorkspace(ctx, t.owner, t.name)
		if err != nil {
			return nil, err
		}
		known = w.Build.Parameters
	case s.last:
		last, err := c.LastParameters(ctx, org, in.Template)
		if err != nil {
			return nil, err
		}
		known = last.Parameters
	default:
		return nil, nil
	}
	in.Preset = first(in.Preset, "none")
	return known, nil
}
