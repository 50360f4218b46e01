package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) groups() *cobra.Command {
	cmd := newGroup("groups", "Groups of an organization, their members and allowances",
		a.groupsList(), a.groupsCreate(), a.groupsShow(), a.groupsEdit(), a.groupsDelete(),
		a.groupsMember("add", "Put members of the organization into a group", "is in", (*client.Client).AddGroupMember),
		a.groupsMember("remove", "Take members out of a group", "is not in", (*client.Client).RemoveGroupMember))
	cmd.Aliases = []string{"group"}
	return cmd
}

func (a *app) groupsList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the groups of an organization", Args: args(0, 0)}
	org := a.organizationFlag(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			found, err := collect(client.List{}, func(l client.List) (api.Page[api.Group], error) { return c.Groups(cmd.Context(), *org, l) })
			if err != nil {
				return err
			}
			return groupListing.print(a, *asJSON, found)
		})
	}
	return cmd
}

var groupListing = listing[api.Group]{
	header: []string{"NAME", "CALLED", "MEMBERS", "ALLOWANCE", "KEPT BY"},
	row: func(g api.Group, _ time.Time) []string {
		return []string{g.Name, cell(g.DisplayName), strconv.Itoa(g.Members), allowanceText(g.Allowance), sayIf(g.Everyone, "Berth", keptBy(g.Source))}
	},
}

func allowanceText(l api.Allowance) string {
	return sayIf(l.Unlimited, "unlimited", strconv.Itoa(l.Amount))
}

// allowanceOf reads an allowance: a number, or unlimited.
func allowanceOf(given string) (*api.Allowance, error) {
	if strings.EqualFold(given, "unlimited") {
		return &api.Allowance{Unlimited: true}, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 0 {
		return nil, usagef("--allowance %q is no allowance: give a number, such as 40, or unlimited", given)
	}
	return &api.Allowance{Amount: n}, nil
}

const allowanceHelp = "what it adds to what each of its members may spend a day: a `number`, or unlimited"

func (a *app) groupsCreate() *cobra.Command {
	var in api.CreateGroup
	var allowance string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a group",
		Long: `Make a group. Workspaces and templates are shared with groups, and each group
adds its allowance to what its members may spend.`,
		Example: "  berth groups create ml --allowance 40\n  berth groups add ml ana bob",
		Args:    args(1, 1),
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().StringVar(&in.DisplayName, "display-name", "", "what people see instead of the name")
	cmd.Flags().StringVar(&allowance, "allowance", "0", allowanceHelp)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) (err error) {
		in.Name = given[0]
		if in.Allowance, err = allowanceOf(allowance); err != nil {
			return err
		}
		return a.withClient(func(c *client.Client) error {
			g, err := c.CreateGroup(cmd.Context(), *org, in)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(g)
			}
			a.say("the group %s is made", g.Name)
			return nil
		})
	}
	return cmd
}

// shownGroup is a group with its members, as show prints it as JSON.
type shownGroup struct {
	api.Group
	In []api.GroupMember `json:"in"`
}

func (a *app) groupsShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show NAME", Short: "Show a group and who is in it", Args: args(1, 1)}
	org := a.organizationFlag(cmd)
	cmd.ValidArgsFunction = a.groupNames(org)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			g, err := c.Group(cmd.Context(), *org, given[0])
			if err != nil {
				return err
			}
			in, err := collect(client.List{}, func(l client.List) (api.Page[api.GroupMember], error) {
				return c.GroupMembers(cmd.Context(), *org, g.ID, l)
			})
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(shownGroup{g, items(in)})
			}
			a.field("group", g.Name)
			a.field("shown as", cell(g.DisplayName))
			a.field("allowance", allowanceText(g.Allowance))
			if g.Everyone {
				a.field("members", "all of the organization")
			}
			section(a, []string{"USER", "NAME", "PUT THERE BY"}, in, func(m api.GroupMember) []string {
				return []string{m.Username, cell(m.Name), sayIf(g.Everyone || m.System, "Berth", keptBy(m.Source))}
			})
			return nil
		})
	}
	return cmd
}

func (a *app) groupsEdit() *cobra.Command {
	var in struct{ name, display, allowance string }
	cmd := &cobra.Command{
		Use:     "edit NAME",
		Short:   "Change the name or the allowance of a group",
		Example: "  berth groups edit ml --allowance unlimited\n  berth groups edit Everyone --allowance 10",
		Args:    args(1, 1),
	}
	org := a.organizationFlag(cmd)
	cmd.ValidArgsFunction = a.groupNames(org)
	cmd.Flags().StringVar(&in.name, "name", "", "another `name`")
	cmd.Flags().StringVar(&in.display, "display-name", "", "what people see instead of the name")
	cmd.Flags().StringVar(&in.allowance, "allowance", "", allowanceHelp)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) (err error) {
		e := api.EditGroup{Name: ifGiven(cmd, "name", &in.name), DisplayName: ifGiven(cmd, "display-name", &in.display)}
		if cmd.Flags().Changed("allowance") {
			if e.Allowance, err = allowanceOf(in.allowance); err != nil {
				return err
			}
		}
		if e == (api.EditGroup{}) {
			return usagef("there is nothing to change: give --name, --display-name or --allowance")
		}
		return a.withClient(func(c *client.Client) error {
			g, err := c.EditGroup(cmd.Context(), *org, given[0], e)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(g)
			}
			a.say("the group %s is changed", g.Name)
			return nil
		})
	}
	return cmd
}

func (a *app) groupsDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{Use: "delete NAME", Aliases: []string{"rm"}, Short: "Delete a group", Args: args(1, 1)}
	org := a.organizationFlag(cmd)
	cmd.ValidArgsFunction = a.groupNames(org)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			g, err := c.Group(cmd.Context(), *org, given[0])
			if err != nil {
				return err
			}
			if err := a.confirm(cmd.Context(), yes, fmt.Sprintf("Delete the group %s?", g.Name),
				fmt.Sprintf("The members of %s lose what is shared with it, and its allowance.", g.Name)); err != nil {
				return err
			}
			if err := c.DeleteGroup(cmd.Context(), *org, g.ID); err != nil {
				return err
			}
			a.say("the group %s is deleted", g.Name)
			return nil
		})
	}
	return cmd
}

// groupsMember makes the commands add and remove.
func (a *app) groupsMember(verb, short, done string, change func(c *client.Client, ctx context.Context, organization, group, user string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " GROUP USER...", Short: short, Args: args(2, -1),
		Example: "  berth groups " + verb + " ml ana bob",
	}
	org := a.organizationFlag(cmd)
	cmd.ValidArgsFunction = a.groupNames(org)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			for _, user := range given[1:] {
				if err := change(c, cmd.Context(), *org, given[0], user); err != nil {
					return err
				}
				a.say("%s %s the group %s", user, done, given[0])
			}
			return nil
		})
	}
	return cmd
}

// groupNames completes the first argument with groups of an organization.
func (a *app) groupNames(org *string) completer {
	return func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(given) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.complete(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
			p, err := c.Groups(ctx, first(*org, berth.DefaultOrganization), client.List{Limit: 500})
			var names []string
			for _, g := range p.Items {
				names = append(names, g.Name)
			}
			return names, err
		})
	}
}
