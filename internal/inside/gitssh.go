package inside

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// gitssh is what git calls instead of ssh (GIT_SSH_COMMAND).
func gitssh() *cobra.Command {
	return &cobra.Command{
		Use:   "gitssh -- SSH ARGUMENTS",
		Short: "Be ssh for git, with your key of Berth",
		Long: `Be ssh for git, with your key of Berth beside your own ones. GIT_SSH_COMMAND in
a workspace names this command, so git calls it by itself.

Keys of an agent (SSH_AUTH_SOCK) and of your ~/.ssh are tried first. Your key of
Berth is held in memory while ssh runs, and never written to a disk.`,
		Example: "  coder gitssh -- -T git@github.com",
		Args:    cobra.ArbitraryArgs,
		// Everything is ssh's, a -- in front of it too.
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && args[0] == "--" {
				args = args[1:]
			}
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return cmd.Help()
			}
			return runSSH(cmd.Context(), args, cmd.ErrOrStderr())
		},
	}
}

// runSSH runs ssh with args and the key, and ends as ssh does.
func runSSH(ctx context.Context, args []string, stderr io.Writer) error {
	program, err := exec.LookPath("ssh")
	if err != nil {
		return berth.Errorf(berth.Unavailable, "git over SSH needs the program ssh, which this workspace does not have: add openssh-client to its image, or use an https:// URL")
	}
	var key api.LocalKey
	if err := ask(ctx, http.MethodGet, "/ssh-key", nil, &key); err != nil {
		fmt.Fprintf(stderr, "gitssh: without your key of Berth: %v\n", err)
	}
	config := sshConfig(ctx, program, args)
	var ours []string
	if key.Private != "" {
		file, err := inMemory("berth-ssh-key", key.Private)
		if err != nil {
			return fmt.Errorf("holding the SSH key in memory: %w", err)
		}
		defer file.Close()
		// An -i replaces the files that ssh tries by itself, so these are named too.
		for _, own := range config.identities {
			ours = append(ours, "-i", own)
		}
		// ssh opens it by the name that it has in this process, and closes
		// what it inherits.
		ours = append(ours, "-i", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), file.Fd()))
	}
	if config.asks && !hasTerminal() {
		// Nobody can say yes to a host that is seen for the first time. One
		// whose key has changed is refused all the same.
		ours = append(ours, "-o", "StrictHostKeyChecking=accept-new")
	}
	cmd := exec.CommandContext(ctx, program, append(ours, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return ended(cmd.Run())
}

// sshSettings is what of ssh's configuration for a call matters here.
type sshSettings struct {
	identities []string // files that are there
	asks       bool     // about unknown hosts
}

// sshConfig asks ssh what it would use. A program that cannot tell is not
// OpenSSH, and gets the key alone.
func sshConfig(ctx context.Context, program string, args []string) (s sshSettings) {
	out, err := exec.CommandContext(ctx, program, append([]string{"-G"}, args...)...).Output()
	if err != nil {
		return s
	}
	home, _ := os.UserHomeDir()
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "identityfile":
			if rest, ok := strings.CutPrefix(value, "~/"); ok {
				value = filepath.Join(home, rest)
			}
			if _, err := os.Stat(value); err == nil {
				s.identities = append(s.identities, value)
			}
		case "stricthostkeychecking":
			s.asks = value == "ask"
		}
	}
	return s
}

// hasTerminal tells whether a person can be asked.
func hasTerminal() bool {
	f, err := os.Open("/dev/tty")
	if err == nil {
		f.Close()
	}
	return err == nil
}
