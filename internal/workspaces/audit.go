package workspaces

import (
	"maps"
	"slices"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// audit records what was done to a workspace.
func audit(tx *store.Tx, actor authz.Actor, action string, w berth.Workspace, changes berth.Changes, detail map[string]any) error {
	row, err := tx.AuditOf(w)
	if err != nil {
		return err
	}
	row.ActorID, row.Action, row.Changes, row.Detail = actor.UserID, action, changes, detail
	if actor.IsSystem() {
		row.Class = berth.AuditAutomatic
	}
	return tx.InsertAudit(row)
}

// auditBuild records that a build of a workspace was asked for, and what it
// changes against the last one that had an effect. More is added to its detail; its
// "why" is the reason.
func auditBuild(tx *store.Tx, actor authz.Actor, action string, w berth.Workspace, b berth.Build, more map[string]any) error {
	row, err := tx.AuditOf(w)
	if err != nil {
		return err
	}
	base := berth.Build{}
	if b.Number > 1 {
		if base, err = tx.LastEffect(w.ID, b.Number); err != nil {
			return err
		}
	}
	v, err := tx.Version(b.VersionID)
	if err != nil {
		return err
	}
	row.ActorID, row.Action, row.Reason, row.Changes = actor.UserID, action, string(b.Reason), berth.Changes{}
	if rule, yes := b.Reason.Automatic(); yes {
		row.Class, row.Reason = berth.AuditAutomatic, rule
	}
	row.Detail = map[string]any{"build": b.ID, "number": b.Number, "reason": b.Reason}
	maps.Copy(row.Detail, more)
	if why, ok := more["why"].(string); ok { // better than what holds for all of that reason
		row.Reason = why
		delete(row.Detail, "why")
	}
	if len(b.AllowDestroy) > 0 {
		row.Detail["allow_destroy"] = b.AllowDestroy
	}
	if b.Orphan {
		row.Detail["orphan"] = true
	}
	if b.Next.Waits() {
		row.Detail["then"] = berth.Start
	}
	switch {
	case base.VersionID == "":
		t, err := tx.Template(w.TemplateID)
		if err != nil {
			return err
		}
		row.Changes.Fill(true, map[string]any{"name": w.Name, "template": t.Name, "version": v.Name, "preset": b.Preset})
	default:
		old, err := tx.Version(base.VersionID)
		if err != nil {
			return err
		}
		row.Changes.Set("version", old.Name, v.Name)
		row.Changes.Set("preset", base.Preset, b.Preset)
	}
	if b.Transition == berth.Start {
		answersChanged(row.Changes, v.Contents.Parameters, base.Parameters, b.Parameters)
	}
	return tx.InsertAudit(row)
}

// answersChanged notes which answers differ. What people choose among is told,
// what they may have typed is not: nobody knows whether that is a secret.
func answersChanged(c berth.Changes, asked []berth.Parameter, before, now map[string]string) {
	names := slices.Collect(maps.Keys(now))
	for name := range before {
		if _, kept := now[name]; !kept {
			names = append(names, name)
		}
	}
	for _, name := range names {
		old, had := before[name]
		answer, has := now[name]
		if had == has && old == answer {
			continue
		}
		field := "parameters." + name
		i := slices.IndexFunc(asked, func(p berth.Parameter) bool { return p.Name == name })
		if i < 0 || len(asked[i].Options) == 0 && (asked[i].Type == "string" || asked[i].Type == "list(string)") {
			c.Secret(field)
			continue
		}
		change := berth.FieldChange{}
		if had {
			change.Old = old
		}
		if has {
			change.New = answer
		}
		c[field] = change
	}
}
