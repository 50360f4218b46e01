package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lint"
	"github.com/berthdev/berth/internal/source"
	"github.com/berthdev/berth/internal/terraform"
)

// Commands are what authors of templates do before they push.
func Commands() []*cobra.Command {
	group := &cobra.Command{Use: "templates"}
	group.AddCommand(lintCommand(), testCommand())
	return []*cobra.Command{group}
}

// exit ends the program with a code; what there is to say was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// ExitSilently is the code.
func (e exit) ExitSilently() int { return int(e) }

// Linted is what `berth templates lint --json` prints.
type Linted struct {
	Findings []berth.Finding `json:"findings"`
	Planned  bool            `json:"planned"`           // or only the files were read
	Because  string          `json:"because,omitempty"` // why no plan was made
}

func lintCommand() *cobra.Command {
	var s settings
	var noPlan, strict, asJSON bool
	c := &cobra.Command{
		Use:   "lint [DIR]",
		Short: "Check a template without a server",
		Long: `Check the template in a directory, by default this one, and say what its author
should know, each in a sentence with file and line: what a rename or a claim would
replace, what outlives a stop, agents that nothing starts, presets and schedules
that cannot be. docs/lint.md explains the codes.

Where terraform or tofu is on this machine it plans a start and a stop too, as an
import does, with the plugin that berth carries and those of --plugin-mirror.
Nothing is made.

It ends with 1 when there is an error; with --strict, also when there is a warning.`,
		Example: "  berth templates lint ./docker\n  berth templates lint ./docker --no-plan --strict\n  berth templates lint --variable image=debian:13 --json",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: directories,
	}
	f := c.Flags()
	s.bind(f)
	f.BoolVar(&noPlan, "no-plan", false, "read the files alone")
	f.BoolVar(&strict, "strict", false, "end with 1 at warnings too")
	f.BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		dir := "."
		if len(args) > 0 {
			dir = args[0]
		}
		var found Linted
		err := found.check(c.Context(), dir, s, noPlan, c.ErrOrStderr())
		if err != nil {
			return err
		}
		if asJSON {
			if err := printJSON(c.OutOrStdout(), found); err != nil {
				return err
			}
		} else {
			found.print(c.OutOrStdout())
		}
		bad := func(f berth.Finding) bool {
			return f.Severity == berth.FindingError || strict && f.Severity == berth.FindingWarning
		}
		if slices.ContainsFunc(found.Findings, bad) {
			return exit(1)
		}
		return nil
	}
	return c
}

// directories completes the names of directories.
func directories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (l *Linted) check(ctx context.Context, dir string, s settings, noPlan bool, notes io.Writer) error {
	variables, err := answers("--variable", s.variables)
	if err != nil {
		return err
	}
	l.Findings = []berth.Finding{}
	modules, err := source.ReadCalls(dir)
	if errors.Is(err, berth.Invalid) {
		l.Because = "the files cannot be read"
		l.Findings = append(l.Findings, berth.Finding{Severity: berth.FindingError, Code: "syntax", Message: berth.ErrorMessage(err)})
		return nil
	}
	if err != nil {
		return berth.InvalidField("directory", "%s cannot be read: %v", dir, err)
	}
	if len(modules[0].Blocks) == 0 {
		return berth.InvalidField("directory", "there is no .tf file in %s: is it the directory of a template?", dir)
	}
	static := lint.Check(modules, nil)
	l.Findings = append(l.Findings, static...)
	if noPlan {
		l.Because = "--no-plan was given"
		return nil
	}
	if lint.Problem(static) != nil {
		l.Because = "the files have errors"
		return nil
	}
	if _, err := terraform.Find(ctx, s.terraform); err != nil {
		if s.terraform != "" {
			return err
		}
		l.Because = strings.TrimSuffix(problem(err), "; "+terraform.Waits)
		return nil
	}
	r, err := open(ctx, s, notes)
	if err != nil {
		return err
	}
	defer r.close()
	v, err := r.imported(ctx, dir, variables)
	var bad failed
	if errors.As(err, &bad) {
		l.Because = "it cannot be imported here"
		l.Findings = append(l.Findings, unimported(problem(err)))
		return nil
	}
	if err != nil {
		return err
	}
	l.Planned = true
	l.Findings = append([]berth.Finding{}, v.Findings...)
	for _, note := range v.Notes {
		l.Findings = append(l.Findings, berth.Finding{Severity: berth.FindingNote, Code: "import", Message: note})
	}
	return nil
}

// unimported is the finding that an import failed. A plugin that this machine
// lacks is no fault of the template: the server's mirror may have it.
func unimported(why string) berth.Finding {
	f := berth.Finding{Severity: berth.FindingError, Code: "import", Message: why}
	if strings.Contains(why, terraform.AddPlugin) {
		f.Severity = berth.FindingWarning
		f.Message = strings.ReplaceAll(why, terraform.AddPlugin, "give the directory that has it with --plugin-mirror")
		f.Message = strings.ReplaceAll(f.Message, "this workspace provider", "this machine")
	}
	return f
}

func (l Linted) print(w io.Writer) {
	for _, f := range l.Findings {
		fmt.Fprintf(w, "%s: %s (%s)\n", f.Severity, lint.Say(f), f.Code)
	}
	how := "by its files and its plans"
	if !l.Planned {
		how = "by its files alone, because " + l.Because
	}
	if len(l.Findings) == 0 {
		fmt.Fprintf(w, "Nothing was found, %s.\n", how)
		return
	}
	fmt.Fprintf(w, "Checked %s.\n", how)
}
