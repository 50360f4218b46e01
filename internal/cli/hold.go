package cli

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) hold() *cobra.Command {
	var reason, until string
	cmd := &cobra.Command{
		Use:   "hold [WORKSPACE] DURATION",
		Short: "Keep a workspace awake for a while",
		Long: `Keep a workspace awake for a while, though nobody uses it. Inside a workspace
its name may be left out.

A hold ends by itself. Setting it again with the same reason renews it; a
program that renews it every few minutes keeps its workspace awake for as long
as it lives. How long a hold may last is a setting of the server.`,
		Example: `  berth hold web 2h --reason training
  berth hold web --until 18:00
  berth hold 30m --reason "nightly build"`,
		Args: args(0, 2),
		ValidArgsFunction: func(cmd *cobra.Command, given []string, part string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.workspaceNames(cmd, given, part)
		},
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "what the workspace is held for")
	cmd.Flags().StringVar(&until, "until", "", "until this `time` instead: 18:00, 2026-01-31 18:00, or as in RFC 3339")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		name, in, err := holdArgs(given, until, time.Now())
		if err != nil {
			return err
		}
		in.Reason = reason
		return a.withHeld(cmd.Context(), name, func(c *client.Client, w api.Workspace) error {
			h, err := c.CreateHold(cmd.Context(), w.ID, in)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(h)
			}
			a.say("%s is held until %s (%s)", w.Name, clock(h.Until, time.Now()), cell(h.Reason))
			return nil
		})
	}
	cmd.AddCommand(a.holdList(), a.holdRelease())
	return cmd
}

// holdArgs reads what to hold and for how long. The name is empty for the
// workspace that we are in.
func holdArgs(given []string, until string, now time.Time) (name string, in api.CreateHold, err error) {
	if until != "" {
		if len(given) > 1 {
			return "", in, usagef("give how long the hold lasts, or --until, not both")
		}
		at, err := moment(until, now)
		if err != nil {
			return "", in, err
		}
		in.Until = &at
		return strings.Join(given, ""), in, nil
	}
	if len(given) == 0 {
		return "", in, usagef("say how long the hold lasts: berth hold [WORKSPACE] 2h")
	}
	length, err := time.ParseDuration(given[len(given)-1])
	if err != nil || length < time.Second {
		return "", in, usagef("%q is not a length of time: give for example 2h or 30m", given[len(given)-1])
	}
	in.Seconds = int64(length / time.Second)
	return strings.Join(given[:len(given)-1], ""), in, nil
}

// moment reads a time of day, the next one, or a date and time.
func moment(text string, now time.Time) (time.Time, error) {
	if t, err := time.ParseInLocation("15:04", text, now.Location()); err == nil {
		t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
		if !t.After(now) {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, form := range []string{"2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(form, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--until %q is not a time: give for example 18:00 or %q", text, now.AddDate(0, 0, 1).Format("2006-01-02 15:04"))
}

// withHeld calls do with the workspace of a name, or the one that we are in.
func (a *app) withHeld(ctx context.Context, name string, do func(*client.Client, api.Workspace) error) error {
	if name == "" {
		if name = thisWorkspace(os.Getenv); name == "" {
			return usagef("this is not the inside of a workspace: name the one that you mean")
		}
	}
	return a.withWorkspace(ctx, name, func(c *client.Client, w api.Workspace, _ target) error { return do(c, w) })
}

// thisWorkspace names the workspace that we are in, as its agent tells every
// session; empty outside of one.
func thisWorkspace(getenv func(string) string) string {
	for _, prefix := range []string{"BERTH", "CODER"} {
		name, owner := getenv(prefix+"_WORKSPACE_NAME"), getenv(prefix+"_WORKSPACE_OWNER_NAME")
		if name != "" && owner != "" {
			return owner + "/" + name
		}
	}
	return ""
}

func (a *app) holdList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list [WORKSPACE]", Aliases: []string{"ls"}, Short: "List what holds a workspace awake",
		Args: args(0, 1), ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withHeld(cmd.Context(), strings.Join(given, ""), func(c *client.Client, w api.Workspace) error {
			p, err := c.Holds(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			return listing[api.Hold]{
				none:   "Nothing holds " + w.Name + " awake.",
				header: []string{"REASON", "BY", "UNTIL", "SET", "ID"},
				row: func(h api.Hold, now time.Time) []string {
					return []string{cell(h.Reason), h.By, clock(h.Until, now), ago(h.CreatedAt, now), h.ID}
				},
			}.print(a, *asJSON, p.Items)
		})
	}
	return cmd
}

func (a *app) holdRelease() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "release [WORKSPACE] [ID]",
		Short: "End a hold",
		Long: `End a hold. Without an ID it is the only one of the workspace; with --all it is
every one.`,
		Example: "  berth hold release web\n  berth hold release --all",
		Args:    args(0, 2), ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().BoolVar(&all, "all", false, "end every hold of the workspace")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		id := ""
		if n := len(given); n > 0 && berth.IsID(given[n-1]) {
			given, id = given[:n-1], given[n-1]
		}
		switch {
		case len(given) > 1:
			return usagef("%q is not the id of a hold: berth hold list shows them", given[1])
		case all && id != "":
			return usagef("give the id of a hold, or --all, not both")
		}
		return a.withHeld(cmd.Context(), strings.Join(given, ""), func(c *client.Client, w api.Workspace) error {
			return a.release(cmd.Context(), c, w, id, all)
		})
	}
	return cmd
}

func (a *app) release(ctx context.Context, c *client.Client, w api.Workspace, id string, all bool) error {
	if all {
		if err := c.ReleaseHolds(ctx, w.ID); err != nil {
			return err
		}
		a.say("%s is not held any more", w.Name)
		return nil
	}
	if id == "" {
		p, err := c.Holds(ctx, w.ID)
		if err != nil {
			return err
		}
		switch len(p.Items) {
		case 0:
			a.say("Nothing holds %s awake.", w.Name)
			return nil
		case 1:
			id = p.Items[0].ID
		default:
			return usagef("%s has %d holds: give the id of one, which berth hold list shows, or --all", w.Name, len(p.Items))
		}
	}
	if err := c.ReleaseHold(ctx, w.ID, id); err != nil {
		return err
	}
	a.say("%s: the hold is released", w.Name)
	return nil
}
