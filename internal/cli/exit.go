package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitSignIn      = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitBuild       = 6
	exitForbidden   = 7
	exitUnavailable = 8
	exitInterrupted = 130
	exitConnection  = 255
)

const exitHelp = `Exit codes:
  0  done
  1  any other error
  2  the command or something given to it is wrong
  3  not signed in, or not any more
  4  there is no such thing
  5  the thing is in a state in which this cannot be done
  6  the build failed, was refused or was canceled
  7  not allowed
  8  the server cannot be reached, or cannot do it now
  130  interrupted
  ssh gives the status of the command that it ran, and 255 when the connection fails`

var exitCodes = map[berth.Code]int{
	berth.Invalid:         exitUsage,
	berth.Unauthenticated: exitSignIn,
	berth.Forbidden:       exitForbidden,
	berth.NotFound:        exitNotFound,
	berth.Conflict:        exitConflict,
	berth.Limit:           exitUnavailable,
	berth.Unavailable:     exitUnavailable,
}

// usagef is the error of a command that was called wrongly.
func usagef(format string, args ...any) error { return berth.Errorf(berth.Invalid, format, args...) }

// status ends the program with a code; what there is to say was said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit %d", int(s)) }

// connection is an error of ssh's connection.
type connection struct{ error }

func (c connection) Unwrap() error { return c.error }

// badBuild is the end of a build that did not succeed.
type badBuild struct{ api.Build }

func (b badBuild) Error() string {
	if b.Status == string(berth.BuildCanceled) {
		return fmt.Sprintf("%s was canceled", buildName(b.Build))
	}
	return fmt.Sprintf("%s failed", buildName(b.Build))
}

// exit says what is wrong and gives the exit code.
func (a *app) exit(ctx context.Context, err error) int {
	var quiet status
	var conn connection
	var bad badBuild
	var silent interface{ ExitSilently() int } // of a command of another package
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return silent.ExitSilently()
	case errors.As(err, &quiet):
		return int(quiet)
	case errors.As(err, &conn):
		if errors.As(err, &bad) {
			a.explain(bad.Build)
		} else if ctx.Err() == nil {
			a.complain(a.advise(conn.error))
		}
		return exitConnection
	case errors.As(err, &bad):
		a.explain(bad.Build)
		return exitBuild
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case !a.began:
		a.complain(strings.TrimSuffix(err.Error(), "\n") + " (see --help)")
		return exitUsage
	}
	a.complain(a.advise(err))
	if code, known := exitCodes[berth.ErrorCode(err)]; known {
		return code
	}
	return exitError
}

func (a *app) complain(message string) {
	fmt.Fprintf(a.err, "%s %s\n", a.look.bad("error:"), clean(message))
}

// advise is err's text, with the cure where the server could not know it.
func (a *app) advise(err error) string {
	text := err.Error()
	if errors.Is(err, berth.Unauthenticated) && !a.signingIn && !strings.Contains(text, "berth login") {
		text += "; sign in with: berth login"
	}
	return text
}
