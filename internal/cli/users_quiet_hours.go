package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) usersQuietHours() *cobra.Command {
	var now bool
	cmd := &cobra.Command{
		Use:   "quiet-hours [USER] [TIME [ZONE] | default]",
		Short: "Show or set when your workspaces may be stopped by force",
		Long: `Show or set quiet hours: from that time of each day on, a workspace is stopped
where its template requires a stop on that day, or for a new version. Without a
USER they are yours. A zone that is left out is the one of this computer; default
is what the server says for all.

What runs already keeps the hours that held when it started if those are later;
--now puts the new ones on it too.`,
		Example: `  berth users quiet-hours
  berth users quiet-hours 22:00 Europe/Dublin
  berth users quiet-hours ana 11PM America/New_York
  berth users quiet-hours default`,
		Args: args(0, 8), ValidArgsFunction: a.userNames,
	}
	cmd.Flags().BoolVar(&now, "now", false, "put them on what runs already, too")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		user, words := quietArgs(given)
		in := api.EditQuietHours{ApplyNow: now}
		if len(words) > 0 {
			var err error
			if in.Schedule, err = daily(words); err != nil {
				return err
			}
		} else if now {
			return usagef("--now is for new quiet hours: say which, as in 22:00 Europe/Dublin")
		}
		return a.withClient(func(c *client.Client) error {
			q, err := quietHours(cmd.Context(), c, user, in, len(words) > 0)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(q)
			}
			a.showQuietHours(q, user, time.Now())
			return nil
		})
	}
	return cmd
}

// quietHours sets those of a user, or only asks for them.
func quietHours(ctx context.Context, c *client.Client, user string, in api.EditQuietHours, set bool) (api.QuietHours, error) {
	if !set {
		return c.QuietHours(ctx, user)
	}
	return c.SetQuietHours(ctx, user, in)
}

// quietArgs takes the user from the arguments: what is no time, no cron and not
// default, and comes first.
func quietArgs(given []string) (user string, words []string) {
	if words = split(given); len(words) == 0 {
		return "me", nil
	}
	_, _, err := timeOfDay(words[0])
	if _, cron := cronText(words); err == nil || cron || strings.EqualFold(words[0], "default") {
		return "me", words
	}
	return words[0], words[1:]
}

func (a *app) showQuietHours(q api.QuietHours, user string, now time.Time) {
	whose := "your own"
	if user != "me" {
		whose = "their own"
	}
	switch {
	case q.Fixed:
		whose = "the server's, which lets nobody set their own"
	case q.Schedule == "":
		whose = "the server's"
	}
	a.field("quiet hours", q.Says+", "+whose)
	a.field("begin next", dayPtr(q.Next, now))
}
