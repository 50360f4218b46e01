package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) schedule() *cobra.Command {
	cmd := newGroup("schedule", "When a workspace starts and stops by itself",
		a.scheduleShow(), a.scheduleStart(), a.scheduleStop(), a.scheduleAutoOff(), a.scheduleExtend(), a.scheduleExplain())
	cmd.Long = `When a workspace starts and stops by itself: by a weekly schedule, by its time to
live, which begins with each start, for want of use (auto-off), and where its
template requires a stop. What templates and organizations do not let people say
is refused with the reason.`
	cmd.Example = `  berth schedule show web
  berth schedule start web 9:30AM Mon-Fri Europe/Dublin
  berth schedule stop web 8h
  berth schedule extend web 2h
  berth schedule explain web`
	return cmd
}

func (a *app) scheduleShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show WORKSPACE", Short: "Show when a workspace starts and stops, and why", Example: "  berth schedule show web\n  berth schedule show ana/web --json",
		Args: args(1, 1), ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			s, err := c.Schedule(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(s)
			}
			a.field("workspace", w.Owner+"/"+w.Name)
			a.field("status", a.status(w))
			a.showSchedule(s, t, time.Now())
			return nil
		})
	}
	return cmd
}

func (a *app) scheduleStart() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start WORKSPACE {TIME [DAYS] [ZONE] | manual}",
		Short: "Have a workspace started by a weekly schedule",
		Long: `Have a workspace started by a weekly schedule, in time to be ready then, or with
manual by none. Days that are left out are all; a zone that is left out is the
one of this computer. The words of cron do too. It is started when it is stopped,
on days that its template and organization allow, if it was in use of late.`,
		Example: `  berth schedule start web 9:30AM Mon-Fri Europe/Dublin
  berth schedule start web 08:00 mon,wed,fri
  berth schedule start web "CRON_TZ=Europe/Dublin 30 9 * * 1-5"
  berth schedule start web manual`,
		Args: args(2, 9), ValidArgsFunction: a.thenWords("9:30AM", "manual"),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		text, err := weekly(given[1:])
		if err != nil {
			return err
		}
		return a.editSchedule(cmd.Context(), given[0], api.EditSchedule{Autostart: &text}, *asJSON)
	}
	return cmd
}

func (a *app) scheduleStop() *cobra.Command {
	var in api.EditSchedule
	cmd := &cobra.Command{
		Use:   "stop WORKSPACE {LENGTH | manual}",
		Short: "Have a workspace stopped some time after each start",
		Long: `Have a workspace stopped some time after each start, its time to live, or with
manual never by that. Where its template says so, each use moves the stop.

What runs now is stopped as it was going to be, unless the change makes that
later. With --now it is stopped by the new length too, in an hour at the earliest.`,
		Example: "  berth schedule stop web 8h\n  berth schedule stop web 90m --now\n  berth schedule stop web manual",
		Args:    args(2, 2), ValidArgsFunction: a.thenWords("8h", "manual"),
	}
	editFlags(cmd, &in)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		length, err := lengthOr(given[1], "manual", "never", "off")
		if err != nil {
			return err
		}
		seconds := int64(length / time.Second)
		in.TTL = &seconds
		return a.editSchedule(cmd.Context(), given[0], in, *asJSON)
	}
	return cmd
}

func (a *app) scheduleAutoOff() *cobra.Command {
	var in api.EditSchedule
	cmd := &cobra.Command{
		Use:   "auto-off WORKSPACE {LENGTH | never | default}",
		Short: "Have a workspace stopped after some time without use",
		Long: `Have a workspace stopped after some time without use, where its organization lets
people say that; default is what the organization says. What counts as use is in
docs/activity.md.`,
		Example: "  berth schedule auto-off web 2h\n  berth schedule auto-off web never\n  berth schedule auto-off web default",
		Args:    args(2, 2), ValidArgsFunction: a.thenWords("2h", "never", "default"),
	}
	editFlags(cmd, &in)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if in.AutoOffDefault = given[1] == "default"; !in.AutoOffDefault {
			length, err := lengthOr(given[1], "manual", "never", "off")
			if err != nil {
				return err
			}
			seconds := int64(length / time.Second)
			in.AutoOff = &seconds
		}
		return a.editSchedule(cmd.Context(), given[0], in, *asJSON)
	}
	return cmd
}

func editFlags(cmd *cobra.Command, in *api.EditSchedule) {
	cmd.Flags().BoolVar(&in.ApplyNow, "now", false, "put it on what runs already, too")
	cmd.Flags().BoolVar(&in.DryRun, "dry-run", false, "change nothing; say what would come of it")
}

func (a *app) editSchedule(ctx context.Context, name string, in api.EditSchedule, asJSON bool) error {
	return a.withWorkspace(ctx, name, func(c *client.Client, w api.Workspace, t target) error {
		e, err := c.EditSchedule(ctx, w.ID, in)
		if err != nil {
			return err
		}
		if asJSON {
			return a.json(e)
		}
		for _, line := range editedWords(e, in, t, time.Now()) {
			a.say("%s", line)
		}
		return nil
	})
}

func (a *app) scheduleExtend() *cobra.Command {
	var until string
	cmd := &cobra.Command{
		Use:     "extend WORKSPACE [LENGTH]",
		Aliases: []string{"override-stop"},
		Short:   "Have a running workspace stopped later, once",
		Long: `Have a running workspace stopped later, once: it runs for that long from now on at
least, 30 minutes or more, or --until a time. A stop that its template requires is
not put off.`,
		Example: "  berth schedule extend web 2h\n  berth schedule extend web --until 22:00",
		Args:    args(1, 2), ValidArgsFunction: a.thenWords("2h"),
	}
	cmd.Flags().StringVar(&until, "until", "", "until this `time` instead: 18:00, 2026-01-31 18:00, or as in RFC 3339")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in, err := extendArgs(given[1:], until, time.Now())
		if err != nil {
			return err
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			s, err := c.ExtendWorkspace(cmd.Context(), w.ID, in)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(s)
			}
			a.say("%s runs until %s", t, dayPtr(s.StopsAt, time.Now()))
			return nil
		})
	}
	return cmd
}

func extendArgs(given []string, until string, now time.Time) (in api.Extend, err error) {
	switch {
	case until == "" && len(given) == 0:
		return in, usagef("say for how long it is to run on, such as 2h, or --until a time")
	case until != "" && len(given) > 0:
		return in, usagef("give for how long it is to run on, or --until, not both")
	case until != "":
		at, err := moment(until, now)
		in.Until = &at
		return in, err
	}
	more, err := length(given[0])
	in.Seconds = int64(more / time.Second)
	return in, err
}

// thenWords completes a workspace, and then one of some words.
func (a *app) thenWords(words ...string) completer {
	return func(cmd *cobra.Command, given []string, part string) ([]string, cobra.ShellCompDirective) {
		if len(given) == 1 {
			return words, cobra.ShellCompDirectiveNoFileComp
		}
		return a.workspaceNames(cmd, given, part)
	}
}
