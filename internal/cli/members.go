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

func (a *app) members() *cobra.Command {
	return newGroup("members", "Who is in an organization, and with which roles", a.membersList(), a.membersAdd(), a.membersRoles(), a.membersRemove())
}

func (a *app) membersList() *cobra.Command {
	var query string
	cmd := &cobra.Command{
		Use: "list ORGANIZATION", Aliases: []string{"ls"}, Short: "List the members of an organization",
		Example: `  berth organizations members list research
  berth organizations members list research --query role:owner`,
		Args: args(1, 1), ValidArgsFunction: a.organizationNames,
	}
	cmd.Flags().StringVarP(&query, "query", "q", "", "a part of the name, or role:`ROLE`")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			found, err := collect(client.List{Query: query}, func(l client.List) (api.Page[api.Member], error) { return c.Members(cmd.Context(), given[0], l) })
			if err != nil {
				return err
			}
			return memberListing.print(a, *asJSON, found)
		})
	}
	return cmd
}

var memberListing = listing[api.Member]{
	none:   "No members; add one with: berth organizations members add ORGANIZATION USER",
	header: []string{"USER", "NAME", "E-MAIL", "ROLES", "STATUS", "KEPT BY", "JOINED"},
	row: func(m api.Member, now time.Time) []string {
		status := m.Status
		if m.System {
			status = "system"
		}
		return []string{m.Username, cell(m.Name), cell(m.Email), first(strings.Join(m.Roles, ", "), "member"), status, keptBy(m.Source), ago(m.JoinedAt, now)}
	},
}

// keptBy names the identity provider that keeps something, or people.
func keptBy(source string) string {
	if source == string(berth.SourceUser) {
		return "people"
	}
	return cell(source)
}

func (a *app) membersAdd() *cobra.Command {
	var roles []string
	cmd := &cobra.Command{
		Use:   "add ORGANIZATION USER...",
		Short: "Make users members of an organization",
		Long: `Make users members of an organization, by their usernames.

Somebody who is a member already gets the roles, if any are given. Owners and
user-admins of the organization add members; only owners give roles.`,
		Example: `  berth organizations members add research ana bob
  berth organizations members add research eva --role template-admin`,
		Args: args(2, -1), ValidArgsFunction: a.organizationNames,
	}
	cmd.Flags().StringSliceVar(&roles, "role", nil, "`role` in the organization: owner, user-admin, template-admin or auditor")
	completeRoles(cmd, "role")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			for _, user := range given[1:] {
				m, err := c.AddMember(cmd.Context(), given[0], user, api.AddMember{Roles: ifGiven(cmd, "role", &roles)})
				if err != nil {
					return err
				}
				a.say("%s is a member of %s%s", m.Username, given[0], withRoles(m.Roles))
			}
			return nil
		})
	}
	return cmd
}

func withRoles(roles []string) string {
	if len(roles) == 0 {
		return ""
	}
	return " with the roles " + strings.Join(roles, ", ")
}

// completeRoles completes a flag with the roles of organizations.
func completeRoles(cmd *cobra.Command, flags ...string) {
	var names []string
	for _, r := range berth.OrganizationRoles {
		names = append(names, string(r))
	}
	for _, f := range flags {
		_ = cmd.RegisterFlagCompletionFunc(f, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	}
}

func (a *app) membersRoles() *cobra.Command {
	var in api.EditMember
	cmd := &cobra.Command{
		Use:     "roles ORGANIZATION USER",
		Short:   "Give a member roles and take others; others stay",
		Example: "  berth organizations members roles research ana --add auditor --remove owner",
		Args:    args(2, 2), ValidArgsFunction: a.memberNames,
	}
	cmd.Flags().StringSliceVar(&in.Add, "add", nil, "`role` to give")
	cmd.Flags().StringSliceVar(&in.Remove, "remove", nil, "`role` to take")
	completeRoles(cmd, "add", "remove")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if len(in.Add)+len(in.Remove) == 0 {
			return usagef("there is nothing to change: give --add ROLE or --remove ROLE")
		}
		return a.withClient(func(c *client.Client) error {
			m, err := c.EditMember(cmd.Context(), given[0], given[1], in)
			if err != nil {
				return err
			}
			a.say("%s is a member of %s%s", m.Username, given[0], withRoles(m.Roles))
			return nil
		})
	}
	return cmd
}

func (a *app) membersRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "remove ORGANIZATION USER",
		Aliases: []string{"rm"},
		Short:   "End somebody's membership",
		Long: `End somebody's membership of an organization. They leave its groups, and nothing
of it is shared with them any more, at once.

Their workspaces stay: they may enter, stop and delete them, and not start them
again. An identity provider that keeps the membership makes it again at their
next sign-in: end it there.`,
		Example: "  berth organizations members remove research bob",
		Args:    args(2, 2), ValidArgsFunction: a.memberNames,
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			m, err := c.Member(cmd.Context(), given[0], given[1])
			if err != nil {
				return err
			}
			if err := a.confirm(cmd.Context(), yes, fmt.Sprintf("Remove %s from %s?", m.Username, given[0]),
				fmt.Sprintf("%s leaves the groups of %s, and what is shared with them there ends.", m.Username, given[0])); err != nil {
				return err
			}
			removed, err := c.RemoveMember(cmd.Context(), given[0], m.UserID)
			if err != nil {
				return err
			}
			a.say("%s is no member of %s any more", m.Username, given[0])
			if n := len(removed.Workspaces); n > 0 {
				a.tell("Their workspaces stay: %s. They may enter, stop and delete them.", cell(strings.Join(removed.Workspaces, ", ")))
			}
			if m.Source != string(berth.SourceUser) {
				a.tell("The identity provider %s kept this membership and makes it again at their next sign-in: end it there too.", cell(m.Source))
			}
			return nil
		})
	}
	return cmd
}

// memberNames completes an organization and then one of its members.
func (a *app) memberNames(cmd *cobra.Command, given []string, part string) ([]string, cobra.ShellCompDirective) {
	if len(given) != 1 {
		return a.organizationNames(cmd, given, part)
	}
	return a.complete(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
		p, err := c.Members(ctx, given[0], client.List{Limit: 500})
		var names []string
		for _, m := range p.Items {
			names = append(names, m.Username)
		}
		return names, err
	})
}
