package inside

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/berthdev/berth"
)

// dotfiles is one run of the command.
type dotfiles struct {
	uri, branch      string
	repoDir, linkDir string
	yes              bool

	in       io.Reader
	out, err io.Writer
}

func dotfilesCommand() *cobra.Command {
	var d dotfiles
	cmd := &cobra.Command{
		Use:   "dotfiles URI",
		Short: "Bring your dotfiles into this workspace",
		Long: `Clone a repository of dotfiles, or bring its clone up to date, and run its
install script: the first of install.sh, install, bootstrap.sh, bootstrap,
script/bootstrap, setup.sh, setup, script/setup, which has to be executable.

Without an install script each file and folder of the repository that begins
with a dot is linked from your home directory; a file that is there already is
kept with .bak at its end.`,
		Example: "  coder dotfiles https://github.com/ana/dotfiles\n  coder dotfiles -y git@github.com:ana/dotfiles.git --branch work",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return berth.Errorf(berth.Invalid, "name one repository, such as git@github.com:ana/dotfiles.git")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			d.uri, d.in, d.out, d.err = args[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := d.places(); err != nil {
				return err
			}
			return d.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&d.yes, "yes", "y", false, "do not ask")
	f.StringVarP(&d.branch, "branch", "b", "", "`branch` of the repository (default its own)")
	f.StringVar(&d.linkDir, "symlink-dir", os.Getenv("CODER_SYMLINK_DIR"), "`directory` for the links (default your home)")
	f.StringVar(&d.repoDir, "repo-dir", envOr("CODER_DOTFILES_REPO_DIR", "dotfiles"), "`directory` for the clone; a relative one is under ~/.config/coderv2")
	return cmd
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// places makes the directories absolute.
func (d *dotfiles) places() error {
	home, err := os.UserHomeDir()
	if err != nil {
		return berth.Errorf(berth.Invalid, "there is no home directory for dotfiles: set HOME")
	}
	inHome := func(path string) string {
		if rest, ok := strings.CutPrefix(path, "~/"); ok {
			return filepath.Join(home, rest)
		}
		return path
	}
	if d.linkDir = inHome(d.linkDir); d.linkDir == "" {
		d.linkDir = home
	}
	if d.linkDir, err = filepath.Abs(d.linkDir); err != nil {
		return err
	}
	if d.repoDir = inHome(d.repoDir); !filepath.IsAbs(d.repoDir) {
		config := os.Getenv("XDG_CONFIG_HOME")
		if !filepath.IsAbs(config) {
			config = filepath.Join(home, ".config")
		}
		d.repoDir = filepath.Join(config, "coderv2", d.repoDir)
	}
	return nil
}

func (d *dotfiles) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// ask wants a yes for something, unless that was given beforehand.
func (d *dotfiles) ask(format string, args ...any) error {
	if d.yes {
		return nil
	}
	if f, ok := d.in.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return berth.Errorf(berth.Invalid, "there is nobody to ask here: repeat it with --yes")
	}
	fmt.Fprintf(d.err, format+" [y/N] ", args...)
	answer, _ := bufio.NewReader(d.in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	d.say("Nothing was done.")
	return exit(1)
}
