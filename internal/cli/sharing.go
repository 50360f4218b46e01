package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) sharing() *cobra.Command {
	return newGroup("sharing", "Share workspaces with others", a.sharingShare(), a.sharingRemove(), a.sharingShow())
}

func (a *app) sharingShare() *cobra.Command {
	var to sharees
	cmd := &cobra.Command{
		Use:   "share WORKSPACE",
		Short: "Share a workspace with users and groups",
		Long: `Share a workspace with users and groups of its organization, or change how it is
shared with them. The role use lets them see, start, stop and enter it; admin
also lets them rename and update it and share it with the role use. Nobody
deletes it by a share.

Whoever enters a workspace acts there as its owner, with the owner's keys,
secrets and sign-ins: share it with people whom you would lend your computer.`,
		Example: `  berth sharing share web --user bob
  berth sharing share web --user alice:admin,bob --group testers
  berth list --shared`,
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	to.flags(cmd, true)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in, err := to.grants()
		if err != nil {
			return err
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			found, err := c.PutGrants(cmd.Context(), w.ID, in)
			if err != nil {
				return err
			}
			return grantListing(t.String(), "").print(a, *asJSON, found.Items)
		})
	}
	return cmd
}

func (a *app) sharingRemove() *cobra.Command {
	var to sharees
	cmd := &cobra.Command{
		Use:     "remove WORKSPACE",
		Aliases: []string{"rm"},
		Short:   "End shares of a workspace, and the connections of those who had them",
		Example: `  berth sharing remove web --user bob
  berth sharing remove web --group testers
  berth sharing remove ana/web --user me`,
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	to.flags(cmd, false)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if err := to.check(); err != nil {
			return err
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			if err := c.RemoveGrants(cmd.Context(), w.ID, to.users, to.groups); err != nil {
				return err
			}
			a.say("%s is not shared with %s any more", t, to)
			return nil
		})
	}
	return cmd
}

func (a *app) sharingShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show WORKSPACE",
		Short:             "List who a workspace is shared with",
		Example:           "  berth sharing show web\n  berth sharing show ana/web --json",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			found, err := c.Grants(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			return grantListing(t.String(), "share it with: berth sharing share "+t.String()+" --user NAME").print(a, *asJSON, found.Items)
		})
	}
	return cmd
}

// grantListing shows who a thing is shared with; how says how to begin.
func grantListing(thing, how string) listing[api.Grant] {
	none := thing + " is shared with nobody"
	if how != "" {
		none += "; " + how
	}
	return listing[api.Grant]{
		none:   none,
		header: []string{"NAME", "KIND", "ROLE", "SHARED BY", "SHARED"},
		row: func(g api.Grant, now time.Time) []string {
			kind := "user"
			if g.Group != "" {
				kind = "group"
			}
			return []string{cell(g.User + g.Group), kind, g.Role, cell(g.By), ago(g.CreatedAt, now)}
		},
	}
}

// sharees are the users and groups that a command names.
type sharees struct{ users, groups []string }

func (s *sharees) flags(cmd *cobra.Command, roles bool) {
	what := ""
	if roles {
		what = "[:ROLE], ROLE being use or admin"
	}
	cmd.Flags().StringSliceVar(&s.users, "user", nil, "`names` of users"+what+"; several with commas")
	cmd.Flags().StringSliceVar(&s.groups, "group", nil, "`names` of groups"+what+"; several with commas")
}

func (s sharees) check() error {
	if len(s.users)+len(s.groups) == 0 {
		return usagef("say who: --user NAME, --group NAME")
	}
	if slices.Contains(s.users, "") || slices.Contains(s.groups, "") {
		return usagef("a name is empty: give --user NAME, --group NAME")
	}
	return nil
}

// grants reads NAME and NAME:ROLE.
func (s sharees) grants() (in api.PutGrants, err error) {
	if err := s.check(); err != nil {
		return in, err
	}
	add := func(text string, grant func(name, role string) api.NewGrant) error {
		name, role, given := strings.Cut(text, ":")
		if name == "" || given && !slices.Contains(berth.GrantRoles, berth.GrantRole(role)) {
			return usagef("%q is not NAME or NAME:ROLE, where ROLE is use or admin", text)
		}
		in.Grants = append(in.Grants, grant(name, role))
		return nil
	}
	for _, u := range s.users {
		if err := add(u, func(name, role string) api.NewGrant { return api.NewGrant{User: name, Role: role} }); err != nil {
			return in, err
		}
	}
	for _, g := range s.groups {
		if err := add(g, func(name, role string) api.NewGrant { return api.NewGrant{Group: name, Role: role} }); err != nil {
			return in, err
		}
	}
	return in, nil
}

func (s sharees) String() string {
	return strings.Join(append(slices.Clone(s.users), s.groups...), ", ")
}
