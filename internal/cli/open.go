package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// opening is what is to be opened, and how.
type opening struct {
	editor   editor
	folder   string
	linkOnly bool
	yes      bool
	noStart  bool
	wait     string
	file     string // OpenSSH's configuration
	place    place
}

func (a *app) open() *cobra.Command {
	var below []*cobra.Command
	for _, e := range editors {
		below = append(below, a.openWith(e))
	}
	cmd := newGroup("open", "Open a workspace in an editor", below...)
	cmd.Long = `Open a folder of a workspace in an editor on this machine. The editor needs no
plugin of Berth's: it connects by OpenSSH, to the host name that berth config-ssh
sets up. Where that is not done yet, it asks and does it.`
	cmd.Example = "  berth open vscode web\n  berth open zed web src/app\n  berth open jetbrains web --ide GO --link"
	return cmd
}

func (a *app) openWith(e editor) *cobra.Command {
	o := opening{editor: e}
	cmd := &cobra.Command{
		Use:   e.name + " WORKSPACE[.AGENT] [FOLDER]",
		Short: "Open a workspace in " + e.title,
		Long: `Open a folder of a workspace in ` + e.title + `; without one, the folder
where sessions begin. A stopped workspace is started first, as berth ssh does it.`,
		Example:           fmt.Sprintf("  berth open %s web\n  berth open %s ana/web.main /srv/app", e.name, e.name),
		Args:              args(1, 2),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) > 1 {
				o.folder = given[1]
			}
			return a.openIn(cmd.Context(), given[0], o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.linkOnly, "link", false, "print the link and do nothing")
	f.BoolVarP(&o.yes, "yes", "y", false, "set up OpenSSH without asking")
	f.BoolVar(&o.noStart, "disable-autostart", false, "do not start the workspace when it is stopped")
	f.StringVar(&o.wait, "wait", "auto", "wait for start scripts: `yes, no or auto`")
	f.StringVar(&o.file, "ssh-config-file", "", "OpenSSH's configuration `file` (default ~/.ssh/config)")
	if e.name == "jetbrains" {
		f.StringVar(&o.place.ide, "ide", "IU", "`code` of the IDE: IU, GO, PY, WS, CL, PS, RM, RD, RR")
		f.BoolVar(&o.place.gateway, "gateway", false, "open the Gateway instead of the Toolbox")
	}
	return cmd
}

func (a *app) openIn(ctx context.Context, name string, o opening) error {
	if o.wait != "yes" && o.wait != "no" && o.wait != "auto" {
		return usagef("--wait: give yes, no or auto")
	}
	t, err := parseTarget(name)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	setup, change, err := a.sshReady(o.file)
	if err != nil {
		return err
	}
	o.place.host = strings.ToLower(setup.hostOf(t))
	if o.linkOnly {
		return a.printLink(ctx, c, t, o)
	}
	if change != nil {
		a.tell("OpenSSH does not know the workspaces of Berth yet, or not as they are now.")
		change.yes = o.yes
		if err := a.changeSSHConfig(ctx, *change, setup); err != nil {
			return err
		}
	}
	if o.place.folder, err = a.openFolder(ctx, c, t, o); err != nil {
		return err
	}
	return a.launch(ctx, t, o)
}

// sshReady is how OpenSSH is set up, and the change that is needed before that
// works; nil when it does.
func (a *app) sshReady(given string) (sshSetup, *sshChange, error) {
	file, err := sshConfigFile(given)
	if err != nil {
		return sshSetup{}, nil, err
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return sshSetup{}, nil, fmt.Errorf("reading the configuration of OpenSSH: %w", err)
	}
	setup := previousSetup(string(old))
	section, err := a.sshSection(setup)
	if err != nil {
		return setup, nil, err
	}
	changed, _, err := replaceSection(string(old), section)
	if err != nil {
		return setup, nil, berth.Errorf(berth.Conflict, "%s: %v", file, err)
	}
	if changed == string(old) {
		return setup, nil, nil
	}
	return setup, &sshChange{file: file, old: string(old), section: section}, nil
}

// printLink prints the link without entering the workspace, so that a relative
// folder is one in the place where sessions begin.
func (a *app) printLink(ctx context.Context, c *client.Client, t target, o opening) error {
	w, _, err := a.find(ctx, c, t.full())
	if err != nil {
		return err
	}
	begin := ""
	if len(w.Agents) > 0 {
		g, err := chooseAgent(w, t)
		if err != nil {
			return err
		}
		begin = g.Directory
	}
	switch {
	case strings.HasPrefix(o.folder, "/"):
		o.place.folder = path.Clean(o.folder)
	case strings.HasPrefix(o.folder, "~") || o.folder != "" && begin == "":
		return usagef("%s: give an absolute folder; others are known only in the workspace, which --link does not enter", o.folder)
	default:
		o.place.folder = path.Join(begin, o.folder)
	}
	a.say("%s", o.editor.link(o.place))
	return nil
}

// openFolder enters the workspace, starting it where that is needed, and gives
// the absolute path of the folder to open.
func (a *app) openFolder(ctx context.Context, c *client.Client, t target, o opening) (string, error) {
	e := entry{wait: o.wait, starts: !o.noStart, reason: o.editor.reason}
	w, err := a.enterable(ctx, c, t, e)
	if err != nil {
		return "", err
	}
	g, err := chooseAgent(w, t)
	if err != nil {
		return "", err
	}
	if e.wait != "no" {
		if err := a.awaitAgent(ctx, c, w, g, t, e.wait == "yes"); err != nil {
			return "", err
		}
	}
	if strings.HasPrefix(o.folder, "/") {
		return path.Clean(o.folder), nil
	}
	return a.folderThere(ctx, c, w, g, t, o.folder)
}

// folderThere asks the workspace's shell what a folder is called.
func (a *app) folderThere(ctx context.Context, c *client.Client, w api.Workspace, g api.Agent, t target, folder string) (string, error) {
	stream, err := a.dialLinked(ctx, c, w, g, t)
	if err != nil {
		return "", err
	}
	defer func() {
		stream.Close()
		<-stream.Done()
	}()
	command := "pwd"
	switch rest, home := strings.CutPrefix(folder, "~"); {
	case home && (rest == "" || rest[0] == '/'):
		command = `cd "$HOME"` + quoteShell(rest) + " && pwd"
	case folder != "":
		command = "cd -- " + quoteShell(folder) + " && pwd"
	}
	inner := *a
	var out, errs bytes.Buffer
	inner.in, inner.out, inner.err, inner.inTTY = strings.NewReader(""), &out, &errs, false
	err = inner.session(ctx, stream, sessionOptions{command: command, name: t.String()})
	var quiet status
	switch {
	case errors.As(err, &quiet) && ctx.Err() == nil:
		return "", berth.Errorf(berth.NotFound, "%s has no folder %s: %s", t, folder, clean(strings.TrimSpace(errs.String())))
	case err != nil:
		return "", err
	}
	// What a shell's own files print comes first.
	said := lines(out.String())
	if len(said) == 0 || !strings.HasPrefix(said[len(said)-1], "/") {
		return "", berth.Errorf(berth.Unavailable, "%s does not say where its folder %s is: give an absolute one", t, folder)
	}
	return said[len(said)-1], nil
}

// quoteShell is s as one word of a POSIX shell.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// launch starts the editor.
func (a *app) launch(ctx context.Context, t target, o opening) error {
	command, found := o.editor.launch(o.place, thisSystem(), exec.LookPath)
	if !found {
		return berth.Errorf(berth.Unavailable, "neither %s nor a program that opens links is on the PATH; open this yourself: %s",
			first(strings.Join(o.editor.programs, " or "), o.editor.title), o.editor.link(o.place))
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = a.err, a.err
	if err := cmd.Run(); err != nil {
		return berth.Errorf(berth.Unavailable, "%s did not work (%v); open this yourself: %s", command[0], err, o.editor.link(o.place))
	}
	a.say("%s opens %s", o.editor.title, strings.TrimSuffix(t.full()+":"+o.place.folder, ":"))
	return nil
}
