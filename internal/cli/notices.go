package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) notices() *cobra.Command {
	list := a.noticesList()
	cmd := newGroup("notices", "What Berth tells you, and how", list, a.noticesRead(), a.noticesPreferences(),
		a.noticesTest(), a.noticesPause("pause", "Keep all notices in the house, for an owner of the site", true),
		a.noticesPause("resume", "Let notices out again: what waited is sent", false), a.noticesTroubles())
	return cmd
}

// noticeMark is the end of a notice's id, by which people name it.
func noticeMark(n api.Notice) string { return n.ID[max(0, len(n.ID)-8):] }

func (a *app) noticesList() *cobra.Command {
	var limit int
	var unread bool
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List what you were told, newest first", Args: args(0, 0),
		Long: `List what you were told, newest first; new is what you have not read. Notices are
kept for 30 days once they are read, and for 90 if they never are.`,
		Example: "  berth notices list\n  berth notices list --unread\n  berth notices list -n 200 --json",
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "at most so many")
	cmd.Flags().BoolVarP(&unread, "unread", "u", false, "only those that you have not read")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			found, _, err := inbox(cmd.Context(), c, limit, unread)
			if err != nil {
				return err
			}
			return noticeListing(unread).print(a, *asJSON, found)
		})
	}
	return cmd
}

// inbox reads at most limit notices, and how many are unread.
func inbox(ctx context.Context, c *client.Client, limit int, only bool) (found []api.Notice, unread int, err error) {
	found, err = newest(limit, "", func(l client.List) (api.Page[api.Notice], error) {
		page, err := c.Notices(ctx, l, only)
		unread = page.Unread
		return page.Page, err
	})
	return found, unread, err
}

func noticeListing(unread bool) listing[api.Notice] {
	none := "You were told nothing yet."
	if unread {
		none = "You have read everything."
	}
	return listing[api.Notice]{
		none:   none,
		header: []string{"ID", "WHEN", "", "NOTICE"},
		row: func(n api.Notice, now time.Time) []string {
			mark := ""
			if n.ReadAt == nil {
				mark = "new"
			}
			return []string{cell(noticeMark(n)), ago(n.CreatedAt, now), mark, cell(n.Title)}
		},
	}
}

func (a *app) noticesRead() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "read [ID...]", Short: "Print notices whole, and mark them as read",
		Long: `Print notices whole, and mark them as read: those that are named as the list shows
them, or all that you have not read. --all marks everything without printing it.`,
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return a.complete(cmd, func(ctx context.Context, c *client.Client) (marks []string, err error) {
				found, _, err := inbox(ctx, c, mostNotices, false)
				for _, n := range found {
					marks = append(marks, noticeMark(n))
				}
				return marks, err
			})
		},
		Example: "  berth notices read\n  berth notices read 3f9c01ab\n  berth notices read --all",
	}
	cmd.Flags().BoolVar(&all, "all", false, "mark everything as read, and print nothing")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if all && len(given) > 0 {
			return usagef("give notices, or --all")
		}
		return a.withClient(func(c *client.Client) error {
			if all {
				return c.ReadNotices(cmd.Context(), api.ReadNotices{All: true})
			}
			found, err := a.noticesToRead(cmd.Context(), c, given)
			if err != nil {
				return err
			}
			if *asJSON {
				err = a.json(items(found))
			} else {
				a.printNotices(found)
			}
			if err != nil || len(found) == 0 {
				return err
			}
			in := api.ReadNotices{}
			for _, n := range found {
				in.IDs = append(in.IDs, n.ID)
			}
			return c.ReadNotices(cmd.Context(), in)
		})
	}
	return cmd
}

// mostNotices is how many are read at once.
const mostNotices = 500

func (a *app) noticesToRead(ctx context.Context, c *client.Client, given []string) ([]api.Notice, error) {
	all, _, err := inbox(ctx, c, mostNotices, len(given) == 0)
	if err != nil || len(given) == 0 {
		return all, err
	}
	var found []api.Notice
	for _, id := range given {
		i := slices.IndexFunc(all, func(n api.Notice) bool { return id != "" && strings.HasSuffix(n.ID, strings.ToLower(id)) })
		if i < 0 {
			return nil, berth.Errorf(berth.NotFound, "you have no notice %s: berth notices list shows them", cell(id))
		}
		found = append(found, all[i])
	}
	return found, nil
}

// printNotices prints them whole, the oldest first, as they happened.
func (a *app) printNotices(found []api.Notice) {
	if len(found) == 0 {
		a.say("You have read everything.")
		return
	}
	for i, n := range slices.Backward(found) {
		a.say("%s\n%s\n\n%s", a.look.head(cell(n.Title)), a.look.off(n.CreatedAt.Local().Format("Monday, 2 January 2006, 15:04 MST")), clean(n.Body))
		if n.Link != "" {
			a.say("\n%s", cell(n.Link))
		}
		if i > 0 {
			a.say("")
		}
	}
}

func (a *app) noticesTest() *cobra.Command {
	return &cobra.Command{
		Use: "test", Short: "Send yourself a notice on every way, for an owner of the site", Args: args(0, 0),
		Long: "Send yourself a notice on every way that is set up, and tell how that goes.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withClient(func(c *client.Client) error { return a.testNotices(cmd.Context(), c) })
		},
	}
}

// testFor is how long a test waits for the ways out.
const testFor = 45 * time.Second

func (a *app) testNotices(ctx context.Context, c *client.Client) error {
	n, err := c.TestNotices(ctx)
	if err != nil {
		return err
	}
	a.say("It is in your inbox: berth notices read %s", noticeMark(n))
	for end := time.Now().Add(testFor); ; {
		ways, err := c.NoticeDeliveries(ctx, n.ID)
		if err != nil {
			return err
		}
		if len(ways.Items) == 0 {
			a.tell("No e-mail and no webhook is set up: --smtp-address and --webhook-url of the server do that.")
			return nil
		}
		tried := func(d api.NoticeDelivery) bool { return d.Status != "pending" || d.Error != "" }
		if !slices.ContainsFunc(ways.Items, func(d api.NoticeDelivery) bool { return !tried(d) }) || time.Now().After(end) {
			return a.testedNotices(ways.Items)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (a *app) testedNotices(ways []api.NoticeDelivery) error {
	bad := 0
	for _, d := range ways {
		switch {
		case d.Status == "sent":
			a.say("It was sent by %s.", cell(d.Way))
			continue
		case d.Error != "":
			a.say("It was not sent by %s: %s", cell(d.Way), cell(d.Error))
		default:
			a.say("It was not sent by %s yet; berth notices troubles tells how it goes on.", cell(d.Way))
		}
		bad++
	}
	if bad > 0 {
		return berth.Errorf(berth.Unavailable, "not every way works")
	}
	return nil
}

func (a *app) noticesPause(use, short string, paused bool) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args(0, 0),
		Long: short + ".\n\nInboxes get what people are told in any case.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withClient(func(c *client.Client) error {
				s, err := c.PauseNotices(cmd.Context(), paused)
				if err != nil {
					return err
				}
				if s.Paused {
					a.say("Notices stay in the house; %d wait. Let them out again with: berth notices resume", s.Waiting)
				} else {
					a.say("Notices are sent; %d wait for that.", s.Waiting)
				}
				return nil
			})
		},
	}
}

func (a *app) noticesTroubles() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "troubles", Short: "List what could not be sent, for an owner of the site", Args: args(0, 0),
		Long: `List what could not be sent, newest first: given up after three days, dropped
because nobody is to have it any more, or waiting for its next try.`,
		Example: "  berth notices troubles\n  berth notices troubles -n 500 --json",
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "at most so many")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			found, err := newest(limit, "", func(l client.List) (api.Page[api.NoticeTrouble], error) { return c.NoticeTroubles(cmd.Context(), l) })
			if err != nil {
				return err
			}
			if err := troubleListing.print(a, *asJSON, found); err != nil {
				return err
			}
			s, err := c.NoticeSending(cmd.Context())
			if err == nil && s.Paused {
				a.tell("%s paused the sending: berth notices resume lets notices out again.", cell(s.PausedBy))
			}
			return err
		})
	}
	return cmd
}

var troubleListing = listing[api.NoticeTrouble]{
	none:   "Everything was sent.",
	header: []string{"WHEN", "TO", "BY", "KIND", "STATE", "TRIES", "PROBLEM"},
	row: func(d api.NoticeTrouble, now time.Time) []string {
		return []string{ago(d.CreatedAt, now), cell(d.User), cell(d.Way), cell(d.Kind), cell(d.Status), strconv.Itoa(d.Tries), cell(d.Error)}
	},
}
