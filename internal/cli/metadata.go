package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// metadataTime bounds how long one look at metadata takes.
const metadataTime = 20 * time.Second

func (a *app) metadata() *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "metadata WORKSPACE[.AGENT]",
		Short: "Show what a workspace's metadata scripts print",
		Long: `Show what the metadata scripts of a workspace's template print. They run while
somebody watches, and only then: what is shown at first may be of the last time.
Without --watch the command waits until each has a value of now, 20 s at most.`,
		Example:           "  berth metadata web\n  berth metadata web --watch",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on with what comes")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withAgent(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, agent api.Agent, t target) error {
			if watch {
				return a.watchMetadata(cmd.Context(), c, w.ID, agent.Name, *asJSON)
			}
			values, err := metadataOnce(cmd.Context(), c, w.ID, agent)
			if err != nil {
				return err
			}
			return a.metadataListing().print(a, *asJSON, values)
		})
	}
	return cmd
}

// watchMetadata prints values as they come, one on each line.
func (a *app) watchMetadata(ctx context.Context, c *client.Client, workspace, agent string, asJSON bool) error {
	for e, err := range c.WatchMetadata(ctx, workspace, agent) {
		if err != nil {
			return err
		}
		if e.Away != "" {
			a.tell("%s", clean(e.Away))
		}
		for _, v := range e.Values {
			if asJSON {
				if err := json.NewEncoder(a.out).Encode(v); err != nil {
					return err
				}
				continue
			}
			a.say("%s %s: %s", a.look.off(v.CollectedAt.Local().Format("15:04:05")), a.look.head(cell(metadataName(v))), a.metadataText(v))
		}
	}
	return nil
}

// metadataOnce waits until every item has a value that was collected since it
// began, and gives what there is after a while.
func metadataOnce(ctx context.Context, c *client.Client, workspace string, agent api.Agent) ([]api.MetadataValue, error) {
	if len(agent.Metadata) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTime)
	defer cancel()
	newest := map[string]api.MetadataValue{}
	seen := map[string]bool{} // had a value before, and another now; or a first one
	away := ""
	for e, err := range c.WatchMetadata(ctx, workspace, agent.Name) {
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil {
			return nil, err
		}
		away = e.Away
		for _, v := range e.Values {
			_, again := newest[v.Key]
			newest[v.Key] = v
			seen[v.Key] = again || isNew(v, agent)
		}
		if len(seen) >= len(agent.Metadata) && complete(seen) {
			break
		}
	}
	if len(newest) == 0 && away != "" {
		return nil, berth.Errorf(berth.Unavailable, "%s", away)
	}
	var values []api.MetadataValue
	for _, item := range agent.Metadata {
		if v, ok := newest[item.Key]; ok {
			values = append(values, v)
		}
	}
	return values, nil
}

// isNew tells whether a value needs no newer one: it is not older than the
// interval of its script.
func isNew(v api.MetadataValue, agent api.Agent) bool {
	for _, item := range agent.Metadata {
		if item.Key == v.Key {
			return time.Since(v.CollectedAt) < time.Duration(max(item.Interval, 1))*time.Second
		}
	}
	return true
}

func complete(seen map[string]bool) bool {
	for _, ok := range seen {
		if !ok {
			return false
		}
	}
	return true
}

func metadataName(v api.MetadataValue) string {
	if v.DisplayName != "" {
		return v.DisplayName
	}
	return v.Key
}

func (a *app) metadataText(v api.MetadataValue) string {
	text := cell(v.Value)
	if v.Error != "" {
		text = strings.TrimSpace(text + " " + a.look.warn("("+cell(v.Error)+")"))
	}
	return text
}

func (a *app) metadataListing() listing[api.MetadataValue] {
	return listing[api.MetadataValue]{
		none:   "This agent has no metadata: its template asks for none.",
		header: []string{"NAME", "VALUE", "COLLECTED"},
		row: func(v api.MetadataValue, now time.Time) []string {
			return []string{cell(metadataName(v)), a.metadataText(v), ago(v.CollectedAt, now)}
		},
	}
}
