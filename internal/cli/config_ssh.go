package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

func (a *app) configSSH() *cobra.Command {
	var o sshSetup
	var file string
	var yes, dry, remove, previous bool
	cmd := &cobra.Command{
		Use:   "config-ssh",
		Short: "Set up OpenSSH, so that `ssh WORKSPACE.berth` works",
		Long: `Write a section into your OpenSSH configuration, so that ssh, scp, sftp, rsync,
git and editors reach workspaces by name. The rest of the file stays as it is.

A host name is the workspace as everywhere else, with -- in place of the slash
and .berth behind:

  ssh web.berth              your workspace web
  ssh web.main.berth         its agent main
  ssh ana--web.berth         ana's workspace web
  ssh ana--web.main.berth    its agent main`,
		Example: "  berth config-ssh\n  berth config-ssh --dry-run\n  berth config-ssh --use-previous-options --wait yes\n  berth config-ssh --remove",
		Args:    args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := sshConfigFile(file)
			if err != nil {
				return err
			}
			old, err := os.ReadFile(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("reading the configuration of OpenSSH: %w", err)
			}
			if previous {
				o = o.over(previousSetup(string(old)), cmd.Flags().Changed)
			}
			section := ""
			if !remove {
				if section, err = a.sshSection(o); err != nil {
					return err
				}
			}
			return a.changeSSHConfig(cmd.Context(), sshChange{file: name, old: string(old), section: section, dry: dry, yes: yes}, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "ssh-config-file", "", "`file` to change (default ~/.ssh/config)")
	o.flags(cmd)
	f.BoolVar(&previous, "use-previous-options", false, "keep the options of the section that is there, where no other is given")
	f.BoolVarP(&yes, "yes", "y", false, "do not ask")
	f.BoolVarP(&dry, "dry-run", "n", false, "show the change and do nothing")
	f.BoolVar(&remove, "remove", false, "take the section out again")
	return cmd
}

// sshChange is a change of an OpenSSH configuration.
type sshChange struct {
	file, old string
	section   string // what to put in; empty takes it out
	dry, yes  bool
}

// changeSSHConfig shows a change, asks, and makes it.
func (a *app) changeSSHConfig(ctx context.Context, ch sshChange, o sshSetup) error {
	changed, before, err := replaceSection(ch.old, ch.section)
	if err != nil {
		return berth.Errorf(berth.Conflict, "%s: %v", ch.file, err)
	}
	if changed == ch.old {
		a.say("%s is as it should be", ch.file)
		return nil
	}
	a.showChange(ch.file, before, ch.section)
	if ch.dry {
		return nil
	}
	if err := a.confirm(ctx, ch.yes, "Write it?", fmt.Sprintf("%s would be changed as shown.", ch.file)); err != nil {
		return err
	}
	if err := writeSSHConfig(ch.file, []byte(changed)); err != nil {
		return fmt.Errorf("writing the configuration of OpenSSH: %w", err)
	}
	if ch.section == "" {
		return nil
	}
	a.say("Now: ssh %s", o.host("WORKSPACE"))
	if l, err := a.readLogin(); err != nil || l.Token == "" {
		a.tell("%s ssh finds no login in the configuration directory; without one it needs BERTH_URL and BERTH_TOKEN in its environment", a.look.caution("note:"))
	}
	return nil
}

func sshConfigFile(given string) (string, error) {
	if given == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", berth.Errorf(berth.Invalid, "there is no home directory: name the file with --ssh-config-file")
		}
		given = filepath.Join(home, ".ssh", "config")
	}
	return filepath.Abs(given)
}

// shellWord quotes s for the shell that runs ProxyCommand, and for ssh, which
// reads % in it.
func shellWord(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@,%", r))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (a *app) showChange(name, before, after string) {
	a.tell("%s:", name)
	for _, l := range lines(before) {
		a.tell("%s", a.look.bad("- "+l))
	}
	for _, l := range lines(after) {
		a.tell("%s", a.look.note("+ "+l))
	}
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
