package cli

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// lengthFlag is a length of time that may be never.
type lengthFlag struct {
	name    string
	seconds int
}

func (l *lengthFlag) Type() string   { return "time" }
func (l *lengthFlag) String() string { return "" }

func (l *lengthFlag) Set(text string) error {
	d, err := lengthOr(text, "never", "off", "0")
	if err == nil && d > 0 && d < time.Second { // which is not never
		err = notALength(text)
	}
	if err != nil {
		return errors.New(berth.ErrorMessage(err))
	}
	l.seconds = int(d / time.Second)
	return nil
}

// newLengthFlag gives cmd a flag for a length of time.
func newLengthFlag(cmd *cobra.Command, name, usage string) *lengthFlag {
	l := &lengthFlag{name: name}
	cmd.Flags().Var(l, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions([]string{"never", "1h", "8h", "7d", "30d"}, cobra.ShellCompDirectiveNoFileComp))
	return l
}

// given is the length in seconds if the flag was given.
func (l *lengthFlag) given(cmd *cobra.Command) *int { return ifGiven(cmd, l.name, &l.seconds) }

// lasting is a length in seconds as sentences have it.
func lasting(seconds int) string { return inWords(time.Duration(seconds) * time.Second) }
