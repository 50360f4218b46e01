package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"golang.org/x/term"

	"github.com/berthdev/berth"
)

// ask runs one question on the terminal. It quits the program in every case and
// never kills it: a killed one closes its terminal while it still reads it.
func (a *app) ask(ctx context.Context, field huh.Field) error {
	form := huh.NewForm(huh.NewGroup(field)).WithShowHelp(false).WithTheme(huh.ThemeBase())
	if os.Getenv("TERM") == "dumb" || os.Getenv("ACCESSIBLE") != "" {
		return form.WithInput(a.in).WithOutput(a.err).WithAccessible(true).RunWithContext(ctx)
	}
	form.SubmitCmd, form.CancelCmd = tea.Quit, tea.Quit
	program := tea.NewProgram(form, tea.WithInput(a.in), tea.WithOutput(a.err), tea.WithReportFocus())
	defer context.AfterFunc(ctx, program.Quit)()
	_, err := program.Run()
	if form.State != huh.StateCompleted && err == nil {
		return status(exitInterrupted)
	}
	return err
}

// askText asks for a line of text until valid takes it.
func (a *app) askText(ctx context.Context, title, help, value string, valid func(string) error) (string, error) {
	err := a.ask(ctx, huh.NewInput().Title(title).Description(help).Value(&value).Validate(plainly(valid)))
	return strings.TrimSpace(value), err
}

// plainly makes a validation say its sentence without the name of the field.
func plainly(valid func(string) error) func(string) error {
	return func(s string) error {
		err := valid(strings.TrimSpace(s))
		var e *berth.Error
		if errors.As(err, &e) {
			return errors.New(cell(e.Message)) // it may quote the template's author
		}
		return err
	}
}

// confirm asks before something that cannot be undone. Where nobody can be
// asked, yes must have been given.
func (a *app) confirm(ctx context.Context, yes bool, question, consequence string) error {
	if yes {
		return nil
	}
	if !a.canAsk() {
		return usagef("%s Say so with -y.", consequence)
	}
	agreed := false
	if err := a.ask(ctx, huh.NewConfirm().Title(question).Description(consequence).Value(&agreed)); err != nil {
		return err
	}
	if !agreed {
		a.tell("Nothing was done.")
		return status(exitError)
	}
	return nil
}

// readPassword asks for a password without showing it.
func (a *app) readPassword(prompt string) (string, error) {
	f, ok := a.in.(*os.File)
	if !ok || !a.canAsk() {
		return "", usagef("there is no terminal to ask for the password: give it with --password-stdin")
	}
	fmt.Fprint(a.err, prompt)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(a.err)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(b), nil
}

// passwordFromStdin reads the password that a script gives: all of standard
// input but a line end.
func (a *app) passwordFromStdin() (string, error) {
	b, err := io.ReadAll(io.LimitReader(a.in, 64<<10))
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
