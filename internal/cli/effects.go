package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// careful are the flags of an edit that may reach what others work with.
type careful struct{ dryRun, now, undo, yes bool }

func carefulFlags(cmd *cobra.Command) *careful {
	in := &careful{}
	f := cmd.Flags()
	f.BoolVar(&in.now, "apply-now", false, "reach workspaces that run now, not at their next start")
	f.BoolVar(&in.undo, "undo", false, "take back the last edit of the rules that workspaces live by")
	f.BoolVar(&in.dryRun, "dry-run", false, "change nothing; show what it would do to workspaces")
	f.BoolVarP(&in.yes, "yes", "y", false, "do not ask, also when workspaces are stopped or deleted sooner")
	return in
}

func (in careful) how() api.PolicyEdit {
	how := api.PolicyEdit{DryRun: in.dryRun, Confirm: in.yes}
	if in.now {
		how.Apply = "now"
	}
	return how
}

// carefully makes an edit. One that stops, puts to sleep or deletes workspaces
// sooner is shown first and made only by who agrees.
func carefully[T any](ctx context.Context, a *app, in careful, question string, edit func(api.PolicyEdit) (T, error), effects func(T) *berth.Effects) (T, error) {
	how := in.how()
	done, err := edit(how)
	var e *berth.Error
	if errors.As(err, &e) && e.Code == berth.Conflict && e.Field == "confirm" {
		first := how
		first.DryRun = true
		would, dryErr := edit(first)
		if dryErr != nil {
			return would, dryErr
		}
		a.showEffects(effects(would), true)
		if !a.canAsk() {
			return done, err
		}
		if err := a.confirm(ctx, false, question, cell(e.Message)); err != nil {
			return done, err
		}
		how.Confirm = true
		return edit(how)
	}
	if err == nil {
		a.showEffects(effects(done), in.dryRun)
	}
	return done, err
}

// showEffects says beside the result what an edit does to workspaces, or would.
func (a *app) showEffects(e *berth.Effects, would bool) {
	if e == nil {
		return
	}
	for _, k := range []struct {
		effect   berth.Effect
		is, what string
	}{{e.Deletes, "is", "deleted"}, {e.Stops, "is", "stopped"}, {e.Sleeps, "becomes", "dormant"}} {
		if k.effect.Count == 0 {
			continue
		}
		a.tell("%s", a.look.caution(fmt.Sprintf("%s %s %s sooner than without it:", workspaces(k.effect.Count), verb(k.is, k.effect.Count, would), k.what)))
		for _, w := range k.effect.Some {
			without := "never"
			if !w.Was.IsZero() {
				without = ahead(w.Was)
			}
			line := fmt.Sprintf("  %s/%s: %s; without it %s", cell(w.Owner), cell(w.Name), ahead(w.At), without)
			if w.Why != "" {
				line += " (" + cell(w.Why) + ")"
			}
			a.tell("%s", line)
		}
		if more := k.effect.Count - len(k.effect.Some); more > 0 {
			a.tell("  … and %d more", more)
		}
	}
	if e.Later > 0 {
		a.tell("%s %s or %s longer than without it.", workspaces(e.Later), verb("runs", e.Later, false), verb("stays", e.Later, false))
	}
	if e.NextStart > 0 {
		a.tell("Reached only at its next start: %s that %s now; --apply-now reaches what runs.", workspaces(e.NextStart), verb("runs", e.NextStart, false))
	}
	if !e.Harm() && would {
		a.tell("No workspace would be stopped, become dormant or be deleted sooner than without it.")
	}
}

func workspaces(n int) string {
	if n == 1 {
		return "1 workspace"
	}
	return fmt.Sprintf("%d workspaces", n)
}

// verb is is, becomes or the like as it goes with so many, or with what would be.
func verb(one string, n int, would bool) string {
	plain := map[string]string{"is": "are", "becomes": "become", "runs": "run", "stays": "stay"}[one]
	switch {
	case would && one == "is":
		return "would be"
	case would:
		return "would " + plain
	case n == 1:
		return one
	}
	return plain
}

// ahead is a time that lies ahead, in the zone of whoever reads it.
func ahead(t time.Time) string { return t.Local().Format("Mon 2 Jan 2006 15:04 MST") }
