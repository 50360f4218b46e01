package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) rebuild() *cobra.Command {
	var s starting
	var version string
	cmd := &cobra.Command{
		Use:   "rebuild WORKSPACE",
		Short: "Make a workspace anew; what is persistent stays",
		Long: `Make a workspace anew: stop it, and start it with the active version of its
template. What is persistent stays, the home as a rule; everything else comes
fresh from the template and its image. It is shown before what goes and what
stays.

One that is in use or held, or somebody else's, is rebuilt with --force alone.`,
		Example:           "  berth rebuild web\n  berth rebuild web --parameter image=newer -y\n  berth rebuild ana/web --force",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			s.in.Transition, s.in.Version, s.in.Update = string(berth.Rebuild), version, version == ""
			return a.begin(cmd.Context(), given[0], s, func(ctx context.Context, c *client.Client, w api.Workspace, t target) (bool, error) {
				if err := a.foretell(ctx, c, w, s, true); err != nil {
					return false, err
				}
				err := a.confirm(ctx, s.yes, fmt.Sprintf("Rebuild %s?", t), a.goesAndStays(ctx, c, w, s))
				return err == nil, err
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&version, "template-version", "", "`version` of the template (default the active one)")
	cmd.Flags().BoolVar(&s.in.Force, "force", false, "also when it is in use, or somebody else's")
	return cmd
}

// goesAndStays says what a rebuild of a workspace resets and what it keeps, as
// far as the version tells.
func (a *app) goesAndStays(ctx context.Context, c *client.Client, w api.Workspace, s starting) string {
	says := fmt.Sprintf("Everything of %s/%s that is not persistent is reset.", w.Owner, w.Name)
	v, err := c.TemplateVersion(ctx, w.Organization, w.TemplateID, first(s.in.Version, "active"))
	if err != nil {
		return says // the rebuild itself says what is wrong
	}
	var goes, stays []string
	for _, r := range v.Resources {
		switch {
		case strings.HasPrefix(r.Type, "coder_"): // nothing that anybody could lose
		case r.Persistent:
			stays = append(stays, cell(r.Address))
		default:
			goes = append(goes, cell(r.Address))
		}
	}
	if len(goes) > 0 {
		says = fmt.Sprintf("Reset, with all that is in it: %s.", strings.Join(goes, ", "))
	}
	if len(stays) > 0 {
		says += fmt.Sprintf(" Stays: %s.", strings.Join(stays, ", "))
	} else {
		says += " Nothing is persistent, so nothing stays."
	}
	if w.Build.VersionID != v.ID {
		says += fmt.Sprintf(" Version %s takes the place of %s.", cell(v.Name), cell(w.Build.Version))
	}
	if w.Status == string(berth.StatusRunning) {
		refresh(ctx, c, &w)
		if w.Activity != nil {
			if now := time.Now(); awake(*w.Activity, now) != "" {
				says += " It is " + awake(*w.Activity, now) + "."
			}
		}
	}
	return says
}
