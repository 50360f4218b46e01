package cli

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is one run of the command line.
type app struct {
	in       io.Reader
	out, err io.Writer
	inTTY    bool // questions can be answered
	outTTY   bool
	errTTY   bool
	look     looks

	flagURL, flagToken, flagDir string
	began                       bool // a command's own code runs: errors are not about usage any more
	signingIn                   bool // an error of authentication is about what was just typed
}

// Inside is the group, in the help, of commands for the inside of a workspace.
const Inside = "inside"

// Main runs the command line with args (without the program's name) and gives
// its exit code. Extra commands are offered beside the ones of this package; what
// is below one of the same name is put below that.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, extra ...*cobra.Command) int {
	a := newApp(stdin, stdout, stderr)
	root := a.root()
	root.AddCommand(a.commands()...)
	for _, c := range extra {
		join(root, c)
	}
	a.mark(root)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return a.exit(ctx, root.ExecuteContext(ctx))
}

// join adds c below root.
func join(root, c *cobra.Command) {
	for _, had := range root.Commands() {
		if had.Name() == c.Name() {
			had.AddCommand(c.Commands()...)
			return
		}
	}
	if c.GroupID == Inside && !root.ContainsGroup(Inside) {
		root.AddGroup(&cobra.Group{ID: Inside, Title: "Inside a workspace:"})
	}
	root.AddCommand(c)
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{in: stdin, out: stdout, err: stderr}
	a.inTTY, a.outTTY, a.errTTY = isTerminal(stdin), isTerminal(stdout), isTerminal(stderr)
	a.look = newLooks(stdout, stderr, a.outTTY, a.errTTY)
	return a
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && f != nil && term.IsTerminal(int(f.Fd()))
}

// canAsk tells whether a person is there to answer questions.
func (a *app) canAsk() bool { return a.inTTY && a.errTTY }

// mark makes every command note that it began: errors before that are about
// how it was called.
func (a *app) mark(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.began = true
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		a.mark(c)
	}
}
