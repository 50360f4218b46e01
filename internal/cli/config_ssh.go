package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// sshSuffix ends the host names that stand for workspaces.
const sshSuffix = "berth"

func (a *app) configSSH() *cobra.Command {
	var file string
	var yes, dry, remove bool
	var extra []string
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
		Example: "  berth config-ssh\n  berth config-ssh --dry-run\n  berth config-ssh --remove",
		Args:    args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := sshConfigFile(file)
			if err != nil {
				return err
			}
			section := ""
			if !remove {
				if section, err = a.sshSection(extra); err != nil {
					return err
				}
			}
			old, err := os.ReadFile(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("reading the configuration of OpenSSH: %w", err)
			}
			changed, before, err := replaceSection(string(old), section)
			if err != nil {
				return berth.Errorf(berth.Conflict, "%s: %v", name, err)
			}
			if changed == string(old) {
				a.say("%s is as it should be", name)
				return nil
			}
			a.showChange(name, before, section)
			if dry {
				return nil
			}
			if err := a.confirm(cmd.Context(), yes, "Write it?", fmt.Sprintf("%s would be changed as shown.", name)); err != nil {
				return err
			}
			if err := writeSSHConfig(name, []byte(changed)); err != nil {
				return fmt.Errorf("writing the configuration of OpenSSH: %w", err)
			}
			if remove {
				return nil
			}
			a.say("Now: ssh WORKSPACE.%s", sshSuffix)
			if l, err := a.readLogin(); err != nil || l.Token == "" {
				a.tell("%s ssh finds no login in the configuration directory; without one it needs BERTH_URL and BERTH_TOKEN in its environment", a.look.caution("note:"))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "ssh-config-file", "", "`file` to change (default ~/.ssh/config)")
	f.StringArrayVarP(&extra, "ssh-option", "o", nil, "another `option` for the section, for example 'ForwardAgent yes'; may be repeated")
	f.BoolVarP(&yes, "yes", "y", false, "do not ask")
	f.BoolVarP(&dry, "dry-run", "n", false, "show the change and do nothing")
	f.BoolVar(&remove, "remove", false, "take the section out again")
	return cmd
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

// sshSection makes the section's text. The far side's key is new with every
// start of an agent and proves nothing: the connection beneath proves it.
func (a *app) sshSection(extra []string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	dir, err := a.configDir()
	if err != nil {
		return "", err
	}
	for _, s := range []string{self, dir} {
		if strings.ContainsAny(s, "\n\r\x00") {
			return "", berth.Errorf(berth.Invalid, "%q cannot stand in a configuration of OpenSSH", s)
		}
	}
	lines := []string{
		sectionBegin,
		"Host *." + sshSuffix,
		fmt.Sprintf("\tProxyCommand %s --config-dir %s ssh --stdio --hostname-suffix %s -- '%%h'", shellWord(self), shellWord(dir), sshSuffix),
		"\tStrictHostKeyChecking no",
		"\tUserKnownHostsFile /dev/null",
		"\tGlobalKnownHostsFile /dev/null",
		"\tLogLevel ERROR",
	}
	for _, o := range extra {
		if strings.TrimSpace(o) == "" || strings.ContainsAny(o, "\n\r") {
			return "", usagef("--ssh-option %q is not an option: give it like 'ForwardAgent yes'", o)
		}
		lines = append(lines, "\t"+strings.TrimSpace(o))
	}
	return strings.Join(append(lines, sectionEnd), "\n") + "\n", nil
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

// targetOfHost makes a target of a host name that ends in .suffix. Without a
// suffix s is a target already.
func targetOfHost(s, suffix string) string {
	if suffix == "" {
		return s
	}
	if cut := len(s) - len(suffix) - 1; cut > 0 && strings.EqualFold(s[cut:], "."+suffix) {
		s = s[:cut]
	}
	return strings.Replace(s, "--", "/", 1)
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
