package inside

import (
	"errors"
	"fmt"
	"os/exec"
)

// exit ends the command line with a code; what there is to say was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// ExitSilently is the code.
func (e exit) ExitSilently() int { return int(e) }

// ended makes the end of a program the end of this command.
func ended(err error) error {
	var failed *exec.ExitError
	if !errors.As(err, &failed) {
		return err
	}
	if code := failed.ExitCode(); code >= 0 {
		return exit(code)
	}
	return exit(255) // by a signal
}
