package inside

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// askAtMost is how long one request waits; the command repeats it.
const askAtMost = 20 * time.Second

// exp groups what modules of templates call under this name.
func exp() *cobra.Command {
	cmd := &cobra.Command{Use: "exp", Short: "Commands that modules of templates call", Args: cobra.ArbitraryArgs, RunE: onlyBelow}
	cmd.AddCommand(syncCommand())
	return cmd
}

func syncCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Let scripts of a start wait for each other",
		Long: `Let scripts of a start wait for each other. Each is a unit with a name of its
own making. A unit that nobody has heard of yet is waited for; one whose script
ends without 'complete' stays as it is, so that those who want it run into
their timeout. The agent forgets all units when it starts anew.`,
		Example: "  coder exp sync want app database\n  coder exp sync start app --timeout 5m && ./serve && coder exp sync complete app",
		Args:    cobra.ArbitraryArgs, RunE: onlyBelow,
	}
	cmd.AddCommand(syncWant(), syncStart(), syncComplete(), syncStatus())
	return cmd
}

func syncWant() *cobra.Command {
	return &cobra.Command{
		Use: "want UNIT DEPENDENCY…", Short: "Say what must be completed before a unit starts", Args: args(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), http.MethodPost, "/sync/want", api.SyncUnit{Unit: args[0], Wants: args[1:]}, nil)
		},
	}
}

func syncStart() *cobra.Command {
	cmd := &cobra.Command{
		Use: "start UNIT", Short: "Start a unit, once all that it wants is completed", Args: args(1, 1),
	}
	timeout := cmd.Flags().Duration("timeout", 5*time.Minute, "how long to wait; then it ends with status 8")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return awaitStart(cmd, args[0], *timeout)
	}
	return cmd
}

// awaitStart starts a unit, and says once what it waits for.
func awaitStart(cmd *cobra.Command, unit string, timeout time.Duration) error {
	end := time.Now().Add(timeout)
	said := ""
	for {
		wait := min(max(time.Until(end), 0), askAtMost)
		if said == "" {
			wait = 0 // the first tells whether there is something to wait for
		}
		var got api.SyncWaits
		ctx, cancel := context.WithTimeout(cmd.Context(), wait+10*time.Second)
		err := ask(ctx, http.MethodPost, "/sync/start", api.SyncUnit{Unit: unit, Wait: wait.Milliseconds()}, &got)
		cancel()
		if err != nil || len(got.For) == 0 {
			return err
		}
		on := strings.Join(got.For, ", ")
		if !time.Now().Before(end) {
			return berth.Errorf(berth.Unavailable, "%s has not started within %v: it waits for %s", unit, timeout, on)
		}
		if on != said {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s waits for %s\n", unit, on)
			said = on
		}
	}
}

func syncComplete() *cobra.Command {
	return &cobra.Command{
		Use: "complete UNIT", Short: "Say that a unit is done", Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd.Context(), http.MethodPost, "/sync/complete", api.SyncUnit{Unit: args[0]}, nil)
		},
	}
}

func syncStatus() *cobra.Command {
	cmd := &cobra.Command{Use: "status [UNIT]", Short: "Show how far units are", Args: args(0, 1)}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var got api.SyncStatus
		if err := ask(cmd.Context(), http.MethodGet, "/sync/status", nil, &got); err != nil {
			return err
		}
		units := []api.SyncState{}
		for _, u := range got.Units {
			if len(args) == 0 || u.Unit == args[0] {
				units = append(units, u)
			}
		}
		if len(args) > 0 && len(units) == 0 {
			return berth.Errorf(berth.NotFound, "nobody has spoken of the unit %q since the workspace started", args[0])
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(units)
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "UNIT\tSTATE\tWANTS")
		for _, u := range units {
			fmt.Fprintf(w, "%s\t%s\t%s\n", u.Unit, u.State, strings.Join(u.Wants, ", "))
		}
		return w.Flush()
	}
	return cmd
}
