package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) users() *cobra.Command {
	cmd := newGroup("users", "The people of the site", a.usersList(), a.usersShow(), a.usersCreate(), a.usersEdit(),
		a.usersSuspend(), a.usersActivate(), a.usersDelete(), a.usersResetPassword(), a.usersLogout(), a.usersQuietHours())
	cmd.Aliases = []string{"user"}
	return cmd
}

// userNames completes the first argument with usernames.
func (a *app) userNames(cmd *cobra.Command, given []string, part string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.userFlag(cmd, nil, part)
}

func (a *app) userFlag(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
		p, err := c.Users(ctx, client.List{Limit: 500})
		var names []string
		for _, u := range p.Items {
			names = append(names, u.Username+"\t"+cell(first(u.Name, u.Email)))
		}
		return names, err
	})
}

func (a *app) usersList() *cobra.Command {
	var q string
	cmd := a.listCommand("List the users that you see", func(ctx context.Context, c *client.Client, asJSON bool) error {
		found, err := collect(client.List{Query: q, Limit: 500}, func(l client.List) (api.Page[api.User], error) { return c.Users(ctx, l) })
		if err != nil {
			return err
		}
		return userListing.print(a, asJSON, found)
	})
	cmd.Example = "  berth users list\n  berth users list -q status:suspended\n  berth users list -q 'role:owner ana' --json"
	cmd.Flags().StringVarP(&q, "query", "q", "", "only those that match: status:active role:owner sign-in:password, and parts of names")
	return cmd
}

var userListing = listing[api.User]{
	none:   "No users match.",
	header: []string{"USER", "NAME", "E-MAIL", "STATUS", "ROLES", "SIGN-IN", "SEEN"},
	row: func(u api.User, now time.Time) []string {
		return []string{u.Username, cell(u.Name), cell(u.Email), u.Status, strings.Join(u.Roles, ", "), cell(u.SignIn), agoPtr(u.SeenAt, now)}
	},
}

func (a *app) usersShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show USER", Short: "Show a user", Example: "  berth users show ana\n  berth users show me --json",
		Args: args(1, 1), ValidArgsFunction: a.userNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			name, err := a.userRef(cmd.Context(), c, given[0])
			if err != nil {
				return err
			}
			u, err := c.User(cmd.Context(), name)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(u)
			}
			a.showUser(u)
			return nil
		})
	}
	return cmd
}

// userRef is the id of the caller for me: paths with me in them mean other things.
func (a *app) userRef(ctx context.Context, c *client.Client, name string) (string, error) {
	if name != "me" {
		return name, nil
	}
	u, err := c.Me(ctx)
	return u.ID, err
}

func (a *app) showUser(u api.User) {
	now := time.Now()
	a.field("user", u.Username)
	a.field("name", cell(u.Name))
	a.field("e-mail", cell(u.Email))
	a.field("status", u.Status)
	a.field("roles", strings.Join(u.Roles, ", "))
	how := cell(u.SignIn)
	if u.MustChangePassword {
		how += ", the password has to be changed"
	}
	a.field("signs in by", how)
	a.field("seen", agoPtr(u.SeenAt, now))
	if u.SuspendedAt != nil {
		a.field("suspended", ago(*u.SuspendedAt, now))
	}
	a.field("made", ago(u.CreatedAt, now))
	for _, o := range u.Organizations {
		text := o.Name
		if len(o.Roles) > 0 {
			text += " (" + strings.Join(o.Roles, ", ") + ")"
		}
		a.field("organization", text)
	}
	a.field("id", u.ID)
}

func (a *app) usersCreate() *cobra.Command {
	var in api.CreateUser
	var organizations []string
	var noOrganization, passwordStdin bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a user",
		Long: `Make a user. Owners of the site and user-admins may; roles are given by owners.

Without a password one is made and printed, once; the user has to change it at
the first sign-in. With --sign-in none nobody can sign in as the user, who is for
programs: owners make tokens for them with 'berth tokens create --user'.`,
		Example: `  berth users create ana --email ana@example.com
  berth users create ana --email ana@example.com --name 'Ana Lopez' --organization research
  berth users create ci --email ci@example.com --sign-in none
  berth users create tom --email tom@example.com --role template-admin --password-stdin < secret`,
		Args: args(1, 1),
	}
	f := cmd.Flags()
	f.StringVar(&in.Email, "email", "", "e-mail `address`")
	f.StringVar(&in.Name, "name", "", "full `name`")
	f.BoolVar(&passwordStdin, "password-stdin", false, "read the password from standard input")
	f.StringVar(&in.SignIn, "sign-in", "", "how they sign in: password, none, or the `id` of an identity provider (default password)")
	f.StringArrayVar(&in.Roles, "role", nil, "`role` of the site: owner, user-admin, template-admin, auditor; may be given several times")
	f.StringArrayVar(&organizations, "organization", nil, "`name` of an organization that they join, instead of the default one; may be given several times")
	f.BoolVar(&noOrganization, "no-organization", false, "they join none")
	completeWords(cmd, "role", siteRoles)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in.Username = given[0]
		if in.Email == "" {
			return usagef("a user wants an e-mail address: --email ADDRESS")
		}
		switch {
		case noOrganization && len(organizations) > 0:
			return usagef("--no-organization and --organization: give one of them")
		case noOrganization:
			in.Organizations = &[]string{}
		case len(organizations) > 0:
			in.Organizations = &organizations
		}
		if passwordStdin {
			p, err := a.passwordFromStdin()
			if err != nil {
				return err
			}
			if in.Password = p; p == "" {
				return usagef("--password-stdin: standard input is empty")
			}
		}
		return a.withClient(func(c *client.Client) error {
			u, err := c.CreateUser(cmd.Context(), in)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(u)
			}
			a.tell("%s is made.", u.Username)
			if u.Password != "" {
				a.say("%s", u.Password)
				a.tell("This is the password until %s has signed in. It is not shown again.", u.Username)
			}
			return nil
		})
	}
	return cmd
}

// siteRoles are the roles that people have on the whole site.
var siteRoles = []string{"owner", "user-admin", "template-admin", "auditor"}

// completeWords completes a flag with fixed words.
func completeWords(cmd *cobra.Command, flag string, words []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	})
}

func (a *app) usersEdit() *cobra.Command {
	var username, email, name string
	var roles []string
	var noRoles bool
	cmd := &cobra.Command{
		Use:   "edit USER",
		Short: "Change a user's names or roles",
		Long: `Change a user's names or roles. You may change your own username and full name;
owners of the site and user-admins those of others, and e-mail addresses. Roles
are given and taken by owners: those that are named here replace all before.`,
		Example: `  berth users edit me --name 'Ana Lopez'
  berth users edit ana --username ana-lopez --email ana.lopez@example.com
  berth users edit tom --role template-admin --role auditor
  berth users edit tom --no-roles`,
		Args: args(1, 1), ValidArgsFunction: a.userNames,
	}
	f := cmd.Flags()
	f.StringVar(&username, "username", "", "new user`name`")
	f.StringVar(&email, "email", "", "new e-mail `address`")
	f.StringVar(&name, "name", "", "new full `name`; empty: none")
	f.StringArrayVar(&roles, "role", nil, "`role` of the site that they are to have; may be given several times")
	f.BoolVar(&noRoles, "no-roles", false, "take all roles of the site")
	completeWords(cmd, "role", siteRoles)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in := api.EditUser{Username: ifGiven(cmd, "username", &username), Email: ifGiven(cmd, "email", &email), Name: ifGiven(cmd, "name", &name),
			Roles: ifGiven(cmd, "role", &roles)}
		if noRoles {
			if in.Roles != nil {
				return usagef("--no-roles and --role: give one of them")
			}
			in.Roles = &[]string{}
		}
		if in == (api.EditUser{}) {
			return usagef("there is nothing to change: give --username, --email, --name, --role or --no-roles")
		}
		return a.withClient(func(c *client.Client) error {
			ref, err := a.userRef(cmd.Context(), c, given[0])
			if err != nil {
				return err
			}
			u, err := c.EditUser(cmd.Context(), ref, in)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(u)
			}
			a.say("%s is changed", u.Username)
			return nil
		})
	}
	return cmd
}
