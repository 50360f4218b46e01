package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// listing is how a list is shown: a table with a row for each item or, as JSON,
// the items themselves.
type listing[T any] struct {
	none   string // said instead of an empty table
	header []string
	row    func(item T, now time.Time) []string
}

func (l listing[T]) print(a *app, asJSON bool, found []T) error {
	if asJSON {
		return a.json(items(found))
	}
	now := time.Now()
	rows := make([][]string, len(found))
	for i, item := range found {
		rows[i] = l.row(item, now)
	}
	a.table(l.none, l.header, rows)
	return nil
}

// listCommand makes the command list of what a server has one short list of.
func listCommand[T any](a *app, short string, read func(*client.Client, context.Context) (api.Page[T], error), l listing[T]) *cobra.Command {
	return a.listCommand(short, func(ctx context.Context, c *client.Client, asJSON bool) error {
		found, err := read(c, ctx)
		if err != nil {
			return err
		}
		return l.print(a, asJSON, found.Items)
	})
}

func (a *app) listCommand(short string, list func(ctx context.Context, c *client.Client, asJSON bool) error) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: short, Args: args(0, 0)}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error { return list(cmd.Context(), c, *asJSON) })
	}
	return cmd
}

// collect reads a list of several pages to its end, or to its first error.
func collect[T any](l client.List, page func(client.List) (api.Page[T], error)) ([]T, error) {
	var all []T
	for item, err := range client.All(l, page) {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

// newest reads the first so many of a list of several pages.
func newest[T any](limit int, query string, page func(client.List) (api.Page[T], error)) ([]T, error) {
	if limit < 1 {
		return nil, usagef("--limit: give at least 1")
	}
	var found []T
	for item, err := range client.All(client.List{Query: query, Limit: min(limit, 500)}, page) {
		if err != nil {
			return nil, err
		}
		if found = append(found, item); len(found) == limit {
			break
		}
	}
	return found, nil
}

// items is a list as JSON prints it: an empty one is [].
func items[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// section prints a table below what was printed before, with an empty line
// between; nothing of an empty list.
func section[T any](a *app, header []string, all []T, row func(T) []string) {
	if len(all) == 0 {
		return
	}
	rows := make([][]string, len(all))
	for i, item := range all {
		rows[i] = row(item)
	}
	a.say("")
	a.table("", header, rows)
}
