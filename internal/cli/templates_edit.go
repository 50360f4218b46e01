package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) templatesEdit() *cobra.Command {
	var in struct {
		name, display, description, icon, share string
		workspaces, perUser                     int
	}
	var private bool
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Change a template's name, how it is shown, and what its workspaces live by",
		Long: `Change the name of a template, how it is shown, how far its apps may be shared, how
many workspaces it may have, and when its workspaces start, stop, become dormant
and are deleted by themselves.

A limit of 0 is none; a lower one than what there is keeps what there is. After a
new name the old one leads nowhere, so scripts that push by it need the new one.

What runs already is reached at its next start, or at once with --apply-now. An
edit that stops workspaces, puts them to sleep or deletes them sooner than
without it is shown first and made only if you agree; --dry-run shows it and
changes nothing, and --undo takes the last edit back. Nothing that runs is
stopped by an edit within an hour of it.`,
		Example: `  berth templates edit docker --max-share organization
  berth templates edit docker --name debian --icon /icon/debian.svg
  berth templates edit gpu --max-workspaces 8 --max-workspaces-per-user 1
  berth templates edit docker --default-ttl 8h --activity-bump 1h
  berth templates edit docker --dormancy-threshold 90d --dormancy-auto-deletion 30d --dry-run
  berth templates edit docker --autostop-requirement-weekdays sat --apply-now
  berth templates edit docker --undo
  berth templates edit docker --deprecated 'use the template debian'`,
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&in.name, "name", "", "another `name`")
	f.IntVar(&in.workspaces, "max-workspaces", 0, "most workspaces of the template")
	f.IntVar(&in.perUser, "max-workspaces-per-user", 0, "most workspaces of the template that each user has")
	f.StringVar(&in.display, "display-name", "", "what people see instead of the name")
	f.StringVar(&in.description, "description", "", "one sentence or two")
	f.StringVar(&in.icon, "icon", "", "path or `URL` of a picture")
	f.StringVar(&in.share, "max-share", "", "how far apps and ports of its workspaces may be shared at most: owner, organization, authenticated or public")
	f.BoolVar(&private, "private", false, "keep it from, or with =false open it to, everybody in the organization")
	_ = cmd.RegisterFlagCompletionFunc("max-share", cobra.FixedCompletions([]string{"owner", "organization", "authenticated", "public"}, cobra.ShellCompDirectiveNoFileComp))
	policy := newPolicyFlags(cmd)
	care := carefulFlags(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		edit := api.EditTemplate{
			Name:        ifGiven(cmd, "name", &in.name),
			DisplayName: ifGiven(cmd, "display-name", &in.display),
			Description: ifGiven(cmd, "description", &in.description),
			Icon:        ifGiven(cmd, "icon", &in.icon),
			MaxShare:    ifGiven(cmd, "max-share", &in.share),
			Private:     ifGiven(cmd, "private", &private),
			Policy:      policy.given(cmd),
		}
		if l := (api.EditTemplateLimits{Workspaces: ifGiven(cmd, "max-workspaces", &in.workspaces), WorkspacesPerUser: ifGiven(cmd, "max-workspaces-per-user", &in.perUser)}); l != (api.EditTemplateLimits{}) {
			edit.Limits = &l
		}
		switch nothing := edit == (api.EditTemplate{}); {
		case care.undo && !nothing:
			return usagef("--undo takes back an edit and makes none: leave the other flags out")
		case care.now && edit.Policy == nil && !care.undo:
			return usagef("--apply-now is about the rules that workspaces live by: say what of them to change, such as --default-ttl")
		case nothing && !care.undo:
			return usagef("say what to change: see berth templates edit --help")
		}
		return a.withClient(func(c *client.Client) error {
			t, err := carefully(cmd.Context(), a, *care, fmt.Sprintf("Change %s all the same?", given[0]), func(how api.PolicyEdit) (api.Template, error) {
				if care.undo {
					return c.UndoTemplateEdit(cmd.Context(), *org, given[0], how)
				}
				edit.PolicyEdit = how
				return c.EditTemplate(cmd.Context(), *org, given[0], edit)
			}, func(t api.Template) *berth.Effects { return t.Effects })
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(t)
			}
			switch {
			case care.dryRun:
				a.tell("Nothing was changed.")
			case care.undo:
				a.say("%s is as it was before its last edit", t.Name)
			default:
				a.say("%s is changed", t.Name)
			}
			return nil
		})
	}
	return cmd
}
