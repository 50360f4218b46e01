package schedules

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

// record writes down what was decided, and what it rested on.
func (w *work) record(b berth.BuildID) error {
	w.acted = true
	return w.tx.InsertAct(berth.Act{WorkspaceID: w.f.Workspace.ID, Did: string(w.step.Do), Rule: string(w.step.Rule), Why: w.step.Why,
		Facts: basis(w.f, w.step), BuildID: b})
}

// once is record, unless the last thing that was recorded is the same.
func (w *work) once() error {
	last, err := w.tx.Acts(w.f.Workspace.ID, 1)
	if err != nil {
		return err
	}
	if len(last) > 0 && last[0].Did == string(w.step.Do) && last[0].Rule == string(w.step.Rule) && last[0].Why == w.step.Why &&
		last[0].Facts["due"] == moment(w.step.Due) {
		return nil
	}
	return w.record("")
}

// audit records what was done to a workspace without a build.
func (w *work) audit(action string) error {
	row, err := w.tx.AuditOf(w.f.Workspace)
	if err != nil {
		return err
	}
	system, err := w.tx.UserNamed(berth.PrebuildsUsername)
	if err != nil {
		return err
	}
	row.ActorID, row.Action, row.Class, row.Reason = system.ID, action, berth.AuditAutomatic, w.step.Why
	return w.tx.InsertAudit(row)
}

// basis is what a step rested on, by name.
func basis(f lifecycle.Facts, step lifecycle.Step) map[string]any {
	b := map[string]any{}
	when := func(name string, t time.Time) {
		if !t.IsZero() {
			b[name] = moment(t)
		}
	}
	when("due", step.Due)
	when("last_used_at", f.Workspace.LastUsedAt)
	when("extended_until", f.Workspace.ExtendedUntil)
	when("unknown_since", f.Workspace.UnknownSince)
	when("dormant_at", f.Workspace.DormantAt)
	when("deleting_at", f.Workspace.DeletingAt)
	when("noticed_at", f.Workspace.NoticedAt)
	if f.Run != nil {
		b["run"] = f.Run.Number
		when("run_began_at", f.Run.CompletedAt)
		if f.Run.Policy != nil {
			b["policy"] = policyAsSaid(*f.Run.Policy)
		}
	}
	if f.Workspace.Autostart != "" {
		b["autostart"] = f.Workspace.Autostart
	}
	if e := f.Seen.Newest; !e.At.IsZero() {
		b["evidence"] = map[string]any{"kind": e.Kind, "detail": e.Detail, "since": moment(e.Since), "at": moment(e.At)}
	}
	if len(f.Seen.Holds) > 0 {
		when("held_until", f.Seen.Holds[0].Until)
	}
	if f.Asked {
		b["answered"] = f.Answered
	}
	if n := lifecycle.Tries(f, step); n > 1 {
		b["try"] = n
	}
	if f.Owner.Status == berth.UserSuspended {
		b["owner"] = f.Owner.Status
	}
	if !f.Place.Ready {
		b["provider"] = f.Place.Why
	}
	return b
}

// policyAsSaid is a policy in words that people read: "8h0m0s", "monday".
func policyAsSaid(p berth.Policy) map[string]any {
	said := map[string]any{}
	for name, d := range map[string]time.Duration{"ttl": p.TTL, "bump": p.Bump, "auto_off": p.AutoOff} {
		if d > 0 {
			said[name] = d.String()
		}
	}
	if p.AutostopDays != 0 {
		said["autostop_days"], said["autostop_weeks"], said["quiet_hours"] = p.AutostopDays.Names(), p.AutostopWeeks, p.QuietHours
	}
	return said
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// keepActs is how long the record of what Berth did by itself is kept.
const keepActs = 90 * 24 * time.Hour

// PruneActs removes what was recorded of automatic acts long ago, and tells how
// many were. It is safe on every replica at once.
func (s *Service) PruneActs(ctx context.Context) (n int64, err error) {
	for {
		var removed int64
		err := s.db.Guarded(ctx, func(tx *store.Tx) (err error) {
			removed, err = tx.PruneActs(tx.Now.Add(-keepActs), pruned)
			return err
		})
		if n += removed; err != nil || removed < pruned {
			return n, err
		}
	}
}

// pruned is how many acts are removed at once.
const pruned = 1000
