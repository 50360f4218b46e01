package cli

import (
	"context"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// previewUpdate shows what an update of a workspace would change, and does
// nothing.
func (a *app) previewUpdate(ctx context.Context, name string, asJSON bool) error {
	return a.withWorkspace(ctx, name, func(c *client.Client, w api.Workspace, t target) error {
		u, err := c.PreviewUpdate(ctx, w.ID, "")
		if err != nil {
			return err
		}
		if asJSON {
			return a.json(u)
		}
		a.showUpdate(u, t, time.Now())
		return nil
	})
}

func (a *app) showUpdate(u api.WorkspaceUpdate, t target, now time.Time) {
	if !u.Outdated {
		a.say("%s is up to date: version %s", t, u.From)
		return
	}
	a.say("%s has version %s; an update brings it to %s", t, u.From, u.To)
	if u.Refused != "" {
		a.say("It would be refused: %s", cell(u.Refused))
	}
	section(a, []string{"VERSION", "BY", "PUSHED", "MESSAGE"}, u.Versions, func(v api.VersionStep) []string {
		return []string{cell(v.Name), cell(v.CreatedBy), ago(v.CreatedAt, now), cell(v.Message)}
	})
	if u.Earlier {
		a.say("… and earlier ones")
	}
	if len(u.Diff.Changes)+len(u.Diff.Files) > 0 {
		a.say("")
		a.say("What is different:")
		a.changes(a.say, u.Diff.Changes)
		a.files(a.say, u.Diff.Files)
	}
	section(a, []string{"NEEDS AN ANSWER", "", "DESCRIPTION"}, u.Asks, func(q api.OpenQuestion) []string {
		is := "its answer does not hold any more"
		if q.New {
			is = "new"
		}
		return []string{cell(q.Parameter.Name), is, cell(first(q.Parameter.Description, q.Says))}
	})
	if len(u.Drops) > 0 {
		a.say("")
		a.say("Not asked any more: %s", cell(strings.Join(u.Drops, ", ")))
	}
	for _, address := range u.Destroys {
		a.say("")
		a.say("%s", a.look.warn("Persistent, and not in the new version: "+cell(address)+". Unless it moved, the update wants --allow-destroy "+quoted(address)+", and all that is in it is lost."))
	}
	if u.Cost != nil && u.Cost.Says != "" {
		a.say("")
		a.say("%s", cell(strings.ToUpper(u.Cost.Says[:1])+u.Cost.Says[1:]+"."))
	}
}

// tellUpdate says beside the result what an update changes; the start itself says
// what is wrong.
func (a *app) tellUpdate(ctx context.Context, c *client.Client, w api.Workspace) {
	u, err := c.PreviewUpdate(ctx, w.ID, "")
	if err != nil || !u.Outdated { // an older server knows no previews
		return
	}
	const shown = 12
	a.tell("From version %s to %s:", u.From, u.To)
	for _, v := range u.Versions[:min(len(u.Versions), shown)] {
		if v.Message != "" {
			a.tell("  %s: %s", cell(v.Name), cell(v.Message))
		}
	}
	a.changes(a.tell, u.Diff.Changes[:min(len(u.Diff.Changes), shown)])
	if more := len(u.Diff.Changes) - shown; more > 0 {
		a.tell("  … and %s: berth update %s --dry-run", count(more, "other change", "other changes"), w.Owner+"/"+w.Name)
	}
}

// files names the files that are different.
func (a *app) files(say func(string, ...any), files []berth.FileChange) {
	for _, f := range files {
		say("  file %s is %s%s", cell(f.Path), f.Change, after(": ", f.Note))
	}
}
