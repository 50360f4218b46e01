package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) noticesPreferences() *cobra.Command {
	var on, off []string
	cmd := &cobra.Command{
		Use: "preferences", Short: "Show or change what you are told of, and how", Args: args(0, 0),
		Long: `Show what you are told of, and how: in the inbox, by e-mail, by the site's webhook.
--on and --off switch a kind, on one way or on all.

What you could lose something without cannot be switched off in the inbox.`,
		Example: `  berth notices preferences
  berth notices preferences --off workspace-updated
  berth notices preferences --on workspace-stops-soon:email --off workspace-deleted:email`,
	}
	cmd.Flags().StringArrayVar(&on, "on", nil, "be told of this `KIND[:WAY]`")
	cmd.Flags().StringArrayVar(&off, "off", nil, "do not be told of this `KIND[:WAY]`")
	for _, flag := range []string{"on", "off"} {
		cmd.RegisterFlagCompletionFunc(flag, a.noticeKinds)
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			p, err := c.NoticePreferences(cmd.Context())
			if err == nil && len(on)+len(off) > 0 {
				p, err = c.SetNoticePreferences(cmd.Context(), switches(p, on, off))
			}
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(p)
			}
			a.noticeTable(p)
			return nil
		})
	}
	return cmd
}

// switches is what people want changed. All ways are those that can be switched.
func switches(p api.NoticePreferences, on, off []string) api.SetNoticePreferences {
	in := api.SetNoticePreferences{Kinds: map[string]map[string]bool{}}
	set := func(text string, wanted bool) {
		kind, way, one := strings.Cut(text, ":")
		ways := []string{way}
		if i := slices.IndexFunc(p.Kinds, func(k api.NoticePreference) bool { return k.Kind == kind }); !one && i >= 0 {
			ways = nil
			for way := range p.Kinds[i].Wanted {
				if wanted || !slices.Contains(p.Kinds[i].Fixed, way) {
					ways = append(ways, way)
				}
			}
		}
		if in.Kinds[kind] == nil {
			in.Kinds[kind] = map[string]bool{}
		}
		for _, way := range ways {
			in.Kinds[kind][way] = wanted
		}
	}
	for _, text := range on {
		set(text, true)
	}
	for _, text := range off {
		set(text, false)
	}
	return in
}

func (a *app) noticeTable(p api.NoticePreferences) {
	header := []string{"KIND"}
	for _, way := range p.Ways {
		header = append(header, strings.ToUpper(cell(way)))
	}
	var rows [][]string
	for _, k := range p.Kinds {
		row := []string{cell(k.Kind)}
		for _, way := range p.Ways {
			word := "-"
			switch {
			case slices.Contains(k.Fixed, way):
				word = "always"
			case k.Wanted[way]:
				word = "yes"
			}
			row = append(row, word)
		}
		rows = append(rows, append(row, cell(k.To)+": "+cell(k.About)))
	}
	a.table("", append(header, "TOLD"), rows)
}

func (a *app) noticeKinds(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(ctx context.Context, c *client.Client) (kinds []string, err error) {
		p, err := c.NoticePreferences(ctx)
		for _, k := range p.Kinds {
			kinds = append(kinds, k.Kind)
		}
		return kinds, err
	})
}
