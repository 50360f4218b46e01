package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) templatesEdit() *cobra.Command {
	var in struct{ display, description, icon, share string }
	var private bool
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Change how a template is shown, and how far its apps may be shared",
		Example: `  berth templates edit docker --max-share organization
  berth templates edit docker --display-name 'A container' --description 'Debian with Go'`,
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&in.display, "display-name", "", "what people see instead of the name")
	f.StringVar(&in.description, "description", "", "one sentence or two")
	f.StringVar(&in.icon, "icon", "", "path or `URL` of a picture")
	f.StringVar(&in.share, "max-share", "", "how far apps and ports of its workspaces may be shared at most: owner, organization, authenticated or public")
	f.BoolVar(&private, "private", false, "keep it from, or with =false open it to, everybody in the organization")
	_ = cmd.RegisterFlagCompletionFunc("max-share", cobra.FixedCompletions([]string{"owner", "organization", "authenticated", "public"}, cobra.ShellCompDirectiveNoFileComp))
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		edit := api.EditTemplate{
			DisplayName: ifGiven(cmd, "display-name", &in.display),
			Description: ifGiven(cmd, "description", &in.description),
			Icon:        ifGiven(cmd, "icon", &in.icon),
			MaxShare:    ifGiven(cmd, "max-share", &in.share),
			Private:     ifGiven(cmd, "private", &private),
		}
		if edit == (api.EditTemplate{}) {
			return usagef("say what to change: see berth templates edit --help")
		}
		return a.withClient(func(c *client.Client) error {
			t, err := c.EditTemplate(cmd.Context(), *org, given[0], edit)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(t)
			}
			a.say("%s is changed", t.Name)
			return nil
		})
	}
	return cmd
}
