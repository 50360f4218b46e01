package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
)

// lifeFlags say of a new workspace when it starts and stops by itself.
type lifeFlags struct{ startAt, stopAfter, updates string }

func (l *lifeFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.startAt, "start-at", "", `start it by this weekly `+"`schedule`"+`, such as "9:30AM Mon-Fri Europe/Dublin"; manual: by none`)
	f.StringVar(&l.stopAfter, "stop-after", "", "stop it this `long` after each start, such as 8h; manual: never (default as the template says)")
	f.StringVar(&l.updates, "automatic-updates", "", "always: it takes the template's active version when it is started by itself or by a connection; never: it keeps its own")
	completeWords(cmd, "automatic-updates", []string{"always", "never"})
	completeWords(cmd, "start-at", []string{"manual"})
	completeWords(cmd, "stop-after", []string{"8h", "manual"})
}

func (l lifeFlags) apply(cmd *cobra.Command, in *api.CreateWorkspace) (err error) {
	if l.startAt != "" {
		if in.Autostart, err = weekly([]string{l.startAt}); err != nil {
			return err
		}
	}
	if cmd.Flags().Changed("stop-after") {
		length, err := lengthOr(l.stopAfter, "manual", "never", "off")
		if err != nil {
			return err
		}
		seconds := int64(length / time.Second)
		in.TTL = &seconds
	}
	if in.AutomaticUpdates = l.updates; l.updates != "" && l.updates != "always" && l.updates != "never" {
		return usagef("--automatic-updates is always or never, not %q", l.updates)
	}
	return nil
}
