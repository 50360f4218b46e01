package inside

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
)

// installScripts are the names that a repository's install script may have; the
// first that exists is it.
var installScripts = []string{"install.sh", "install", "bootstrap.sh", "bootstrap", "script/bootstrap", "setup.sh", "setup", "script/setup"}

func (d *dotfiles) run(ctx context.Context) error {
	if _, err := exec.LookPath("git"); err != nil {
		return berth.Errorf(berth.Unavailable, "dotfiles need the program git, which this workspace does not have: add git to its image")
	}
	if err := d.fetch(ctx); err != nil {
		return err
	}
	script, err := d.installScript()
	if err != nil {
		return err
	}
	if script != "" {
		if err := d.ask("Run %s of the repository?", script); err != nil {
			return err
		}
		d.say("Running %s.", script)
		return d.call(ctx, filepath.Join(d.repoDir, script))
	}
	return d.link()
}

// fetch has the repository in repoDir, as new as it can be had.
func (d *dotfiles) fetch(ctx context.Context) error {
	info, err := os.Stat(d.repoDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d.clone(ctx)
	case err != nil:
		return err
	case !info.IsDir():
		return berth.Errorf(berth.Conflict, "%s is not a directory: move it away, or choose another with --repo-dir", d.repoDir)
	}
	origin, err := d.git(ctx, "config", "--get", "remote.origin.url").Output()
	if had := strings.TrimSpace(string(origin)); err != nil || had != d.uri {
		if err := d.ask("%s is a clone of %q and not of %s. Move it aside?", d.repoDir, had, d.uri); err != nil {
			return err
		}
		return d.clone(ctx)
	}
	return d.update(ctx)
}

func (d *dotfiles) clone(ctx context.Context) error {
	if err := d.ask("Clone %s into %s?", d.uri, d.repoDir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.repoDir), 0o700); err != nil {
		return err
	}
	// Cloned beside and moved, so that half of a clone is never taken for one.
	half := d.repoDir + ".clone"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	args := []string{"clone"}
	if d.branch != "" {
		args = append(args, "--branch", d.branch)
	}
	d.say("Cloning %s.", d.uri)
	if err := d.call(ctx, "git", append(args, "--", d.uri, half)...); err != nil {
		os.RemoveAll(half)
		return err
	}
	if err := d.moveAside(); err != nil {
		return err
	}
	return os.Rename(half, d.repoDir)
}

// moveAside moves what is in the place of the clone, if anything is. The links
// of a home lead there, so it stays until there is something else.
func (d *dotfiles) moveAside() error {
	aside := d.repoDir + ".old-" + time.Now().Format("20060102-150405")
	switch err := os.Rename(d.repoDir, aside); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	d.say("Moved what was there to %s.", aside)
	return nil
}

// update brings the clone up to date. What keeps it from that, such as changes
// of the person's own, is said, and the clone used as it is.
func (d *dotfiles) update(ctx context.Context) error {
	d.say("Updating %s.", d.repoDir)
	if d.branch != "" {
		if err := d.call(ctx, "git", "-C", d.repoDir, "fetch", "origin"); err != nil {
			d.say("Could not fetch; going on with what is there.")
		}
		if err := d.call(ctx, "git", "-C", d.repoDir, "checkout", d.branch, "--"); err != nil {
			return err
		}
	}
	if err := d.call(ctx, "git", "-C", d.repoDir, "pull", "--ff-only"); err != nil {
		if ctx.Err() != nil {
			return err
		}
		changes, _ := d.git(ctx, "status", "--porcelain").Output()
		why := "the repository could not be pulled"
		if len(changes) > 0 {
			why += ", and there are changes of your own in " + d.repoDir
		}
		d.say("Not updated: %s. Going on with what is there.", why)
	}
	return nil
}

// installScript is the name of the repository's script; empty: it has none.
func (d *dotfiles) installScript() (string, error) {
	for _, name := range installScripts {
		path := filepath.Join(d.repoDir, name)
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			continue
		}
		if unix.Access(path, unix.X_OK) != nil {
			return "", berth.Errorf(berth.Conflict, "%s of the repository is not executable: git update-index --chmod=+x %s, commit and push", name, name)
		}
		return name, nil
	}
	return "", nil
}

// link links the repository's dotfiles from linkDir.
func (d *dotfiles) link() error {
	entries, err := os.ReadDir(d.repoDir)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, ".") && name != ".git" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		d.say("The repository has no install script and no dotfiles; nothing was done.")
		return nil
	}
	if err := d.ask("Link %s from %s?", strings.Join(names, ", "), d.linkDir); err != nil {
		return err
	}
	if err := os.MkdirAll(d.linkDir, 0o755); err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		if err := d.linkOne(filepath.Join(d.repoDir, name), filepath.Join(d.linkDir, name)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("linking %s: %w", name, err))
		}
	}
	return failed
}

// linkOne makes the link at, keeping what is there under another name. A link
// that is there is not the person's content, and replaced.
func (d *dotfiles) linkOne(to, at string) error {
	if had, err := os.Readlink(at); err == nil && had == to {
		return nil
	}
	info, err := os.Lstat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.Mode().Type() == fs.ModeSymlink:
		if err := os.Remove(at); err != nil {
			return err
		}
	default:
		kept, err := backup(at)
		if err != nil {
			return err
		}
		d.say("Kept what was %s as %s.", at, kept)
	}
	d.say("Linking %s.", at)
	return os.Symlink(to, at)
}

// backup moves path aside, never over another backup.
func backup(path string) (kept string, err error) {
	kept = path + ".bak"
	for n := 2; ; n++ {
		if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
			return kept, os.Rename(path, kept)
		}
		kept = fmt.Sprintf("%s.bak%d", path, n)
	}
}

func (d *dotfiles) git(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "git", append([]string{"-C", d.repoDir}, args...)...)
}

// call runs a program with this one's input and output.
func (d *dotfiles) call(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = d.in, d.out, d.err
	if program != "git" {
		cmd.Dir = d.repoDir
	}
	err := cmd.Run()
	if errors.Is(err, unix.ENOEXEC) { // a script that does not say of what
		cmd = exec.CommandContext(ctx, "sh", program)
		cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = d.in, d.out, d.err, d.repoDir
		err = cmd.Run()
	}
	return ended(err)
}
