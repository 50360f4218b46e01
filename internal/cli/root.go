package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "berth",
		Short: "Developer workspaces on your own machines",
		Long: `Berth gives developers workspaces: reproducible, isolated computers defined by
Terraform templates and reached by plain OpenSSH.

A workspace is named by its name, or owner/name for somebody else's; where one
has several agents, a dot and the agent's name follow: web, ana/web, web.main.

Environment:
  BERTH_URL         the server, instead of the one of 'berth login'
  BERTH_TOKEN       a token, instead of the login
  BERTH_CONFIG_DIR  where the login is kept
  NO_COLOR          no colours

` + exitHelp,
		Example: `  berth login https://berth.example.com
  berth create web -t docker
  berth ssh web`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
	}
	// A flag of our own: cobra's would bring text/template, and with it every
	// method of every type, into the binary.
	version := root.Flags().BoolP("version", "v", false, "print the version")
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *version {
			fmt.Fprintf(a.out, "berth %s\n", berth.Release)
			return nil
		}
		return group(cmd, args)
	}
	f := root.PersistentFlags()
	f.StringVar(&a.flagURL, "url", "", "`URL` of the server (BERTH_URL)")
	f.StringVar(&a.flagToken, "token", "", "act with this `token` (BERTH_TOKEN)")
	f.StringVar(&a.flagDir, "config-dir", "", "`directory` of the login (BERTH_CONFIG_DIR)")
	root.AddGroup(
		&cobra.Group{ID: "workspaces", Title: "Workspaces:"},
		&cobra.Group{ID: "connect", Title: "Connecting:"},
		&cobra.Group{ID: "templates", Title: "Templates and builds:"},
		&cobra.Group{ID: "account", Title: "Account:"},
		&cobra.Group{ID: "people", Title: "People:"},
	)
	return root
}

// commands lists all commands; the groups are the root's.
func (a *app) commands() []*cobra.Command {
	in := func(group string, cmds ...*cobra.Command) []*cobra.Command {
		for _, c := range cmds {
			c.GroupID = group
		}
		return cmds
	}
	var all []*cobra.Command
	all = append(all, in("workspaces", a.create(), a.list(), a.show(), a.start(), a.restart(), a.update(), a.rebuild(), a.stop(),
		a.rename(), a.edit(), a.sharing(), a.hold(), a.schedule(), a.dormancy(), a.favorite(), a.unfavorite(),
		a.rotateKey(), a.drift(), a.delete(), a.logs(), a.cancel())...)
	all = append(all, in("connect", a.ssh(), a.open(), a.configSSH(), a.externalAgent(), a.ping(), a.metadata(), a.apps(), a.ports(), a.portForward())...)
	all = append(all, in("templates", a.templates(), a.builds(), a.state())...)
	all = append(all, in("account", a.login(), a.logout(), a.whoami(), a.passwd(), a.tokens(), a.publickey(), a.secrets(), a.externalAuth(), a.preferences(), a.notices(), a.organizations(), a.groups(), a.roles(), a.audit())...)
	all = append(all, in("people", a.users(), a.quota())...)
	return append(all, a.version())
}

// group is what a command does that only has others below it.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + near[0] + "?"
	} else if len(cmd.Commands()) > 0 {
		hint = "there are " + strings.Join(names(cmd), ", ")
	}
	return usagef("%s has no command %q: %s", cmd.CommandPath(), args[0], hint)
}

// names are the commands below cmd, as help lists them.
func names(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// newGroup makes a command that only has others below it.
func newGroup(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, RunE: group, SuggestionsMinimumDistance: 2}
	cmd.AddCommand(below...)
	return cmd
}
