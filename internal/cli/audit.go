package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) audit() *cobra.Command {
	return newGroup("audit", "The record of what was done; wants the role auditor", a.auditList(), a.auditExport())
}

const auditFilters = `Filters are words such as user:ada; several must all hold.

  user:NAME          who did it; me
  action:NAME        create, edit, delete, start, stop, login, connect, …
  kind:NAME          of what it was done to: user, workspace, template, …
  target:NAME        what it was done to, by name or id: ada/web
  organization:NAME  in which organization
  class:NAME         write, sign-in, connection or automatic
  result:NAME        ok, failed, or the code of an error: forbidden
  since:WHEN         a date, a time, or how long ago: 2026-01-31, 24h, 7d
  until:WHEN         the same
  request:ID         by one request
  token:ID           with one token
  reason:TEXT        part of the reason

Owners and auditors of the site see everything, those of an organization what
was done in it.`

func (a *app) auditList() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:               "list [FILTER...]",
		Aliases:           []string{"ls"},
		Short:             "List what was done, newest first",
		Long:              "List what was done, newest first.\n\n" + auditFilters,
		Example:           "  berth audit list since:24h\n  berth audit list user:ada class:connection\n  berth audit list result:failed -n 20 --json",
		ValidArgsFunction: auditWords,
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "at most so many")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			found, err := newest(limit, queryOf(given), func(l client.List) (api.Page[api.Audit], error) { return c.Audit(cmd.Context(), l) })
			if err != nil {
				return err
			}
			return auditListing.print(a, *asJSON, found)
		})
	}
	return cmd
}

func (a *app) auditExport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [FILTER...]",
		Short: "Print what was done until now as JSON lines, oldest first",
		Long: `Print what was done until now as JSON lines, oldest first, however much that is.
That somebody took it is recorded too.

` + auditFilters,
		Example:           "  berth audit export > audit.jsonl\n  berth audit export since:2026-01-01 until:2026-02-01 > january.jsonl",
		ValidArgsFunction: auditWords,
	}
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			lines, err := c.ExportAudit(cmd.Context(), queryOf(given))
			if err != nil {
				return err
			}
			defer lines.Close()
			if _, err := io.Copy(a.out, lines); err != nil {
				return berth.Errorf(berth.Unavailable, "the export was cut: it is not whole. Try again, or take it in parts with since: and until:")
			}
			return nil
		})
	}
	return cmd
}

// queryOf joins words to a query, those that hold spaces in quotes.
func queryOf(words []string) string {
	query := make([]string, len(words))
	for i, w := range words {
		if query[i] = w; strings.Contains(w, " ") && !strings.Contains(w, `"`) {
			query[i] = `"` + w + `"`
		}
	}
	return strings.Join(query, " ")
}

// auditWords completes the keys of filters and the words that some take.
func auditWords(_ *cobra.Command, _ []string, part string) ([]string, cobra.ShellCompDirective) {
	words := []string{"user:", "action:", "kind:", "target:", "organization:", "class:", "result:", "since:", "until:", "request:", "token:", "reason:"}
	switch key, _, ok := strings.Cut(part, ":"); {
	case ok && key == "class":
		words = nil
		for _, c := range berth.AuditClasses {
			words = append(words, "class:"+string(c))
		}
	case ok && key == "result":
		words = []string{"result:ok", "result:failed", "result:forbidden", "result:not_found", "result:conflict", "result:unauthenticated"}
	}
	return words, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

var auditListing = listing[api.Audit]{
	none:   "Nothing was recorded that matches.",
	header: []string{"WHEN", "WHO", "DID", "TO", "RESULT", "FROM", "WHAT"},
	row: func(r api.Audit, now time.Time) []string {
		return []string{ago(r.At, now), cell(auditActor(r)), cell(r.Action), cell(auditTarget(r)), cell(r.Result), cell(r.Address), cell(auditWhat(r))}
	},
}

func auditActor(r api.Audit) string {
	if r.Class == string(berth.AuditAutomatic) {
		return "(Berth)"
	}
	return first(r.Actor, r.ActorID, "(nobody)")
}

func auditTarget(r api.Audit) string {
	return strings.TrimSpace(r.Kind + " " + first(r.Target, r.TargetID))
}

// auditWhat is the changes, the details and the reason on one line.
func auditWhat(r api.Audit) string {
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(r.Changes)) {
		switch c := r.Changes[field]; {
		case c.Secret:
			parts = append(parts, field+" (secret)")
		case c.Old == nil, c.Old == "":
			parts = append(parts, field+": "+auditValue(c.New))
		default:
			parts = append(parts, field+": "+auditValue(c.Old)+" → "+auditValue(c.New))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Detail)) {
		if v := auditValue(r.Detail[key]); v != "" && !berth.IsID(v) {
			parts = append(parts, key+" "+v)
		}
	}
	if r.Reason != "" {
		parts = append(parts, r.Reason)
	}
	return short(strings.Join(parts, "; "), 120)
}

// auditValue is a value as a person reads it.
func auditValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return v
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(text)
	}
}
