package schedules

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
)

// edit is a change of what the workspaces of an organization, or of one template
// of it, live by. The Service is the Guard of such edits; see internal/policies.
type edit struct {
	organization  berth.OrganizationID
	template      berth.TemplateID                    // empty: all of the organization
	before, after func(*lifecycle.Facts)              // put the settings into facts
	now           bool                                // what runs is reached, too
	put           func(lifecycle.Facts) lifecycle.Put // what of it reaches that then
}

func templateEdit(before, after berth.Template, now bool) edit {
	// A time to live that people say is not the template's to put on anything.
	theirs := before.Policy.AllowUserAutostop && after.Policy.AllowUserAutostop
	return edit{organization: after.OrganizationID, template: after.ID, now: now,
		put:    func(lifecycle.Facts) lifecycle.Put { return lifecycle.Put{TTL: !theirs, Bump: true, Required: true} },
		before: func(f *lifecycle.Facts) { f.Template = before },
		after:  func(f *lifecycle.Facts) { f.Template = after }}
}

func organizationEdit(before, after berth.Organization, now bool) edit {
	put := func(o berth.Organization) func(*lifecycle.Facts) {
		return func(f *lifecycle.Facts) {
			f.Organization = o
			f.Seen = berth.NewActivity(f.Seen.All, f.Seen.Holds, o.IdleCounts, f.Seen.At)
		}
	}
	theirs := before.AutoOffByUser && after.AutoOffByUser
	return edit{organization: after.ID, now: now, before: put(before), after: put(after),
		put: func(f lifecycle.Facts) lifecycle.Put {
			return lifecycle.Put{AutoOff: !theirs || f.Workspace.AutoOff == nil}
		}}
}

// TemplateEffects is what an edit of a template's policy, or of its active
// version, would do to its workspaces.
func (s *Service) TemplateEffects(q *store.Query, before, after berth.Template, now bool) (berth.Effects, error) {
	return s.effects(q, templateEdit(before, after, now))
}

// OrganizationEffects is what an edit of an organization's rules would do to its
// workspaces.
func (s *Service) OrganizationEffects(q *store.Query, before, after berth.Organization, now bool) (berth.Effects, error) {
	return s.effects(q, organizationEdit(before, after, now))
}

// TemplateEdited puts a policy on what runs already, where the editor says so.
// Who has workspaces of a template is told that it is deprecated.
func (s *Service) TemplateEdited(tx *store.Tx, before, after berth.Template, now bool) error {
	if after.Policy.Deprecated != "" && before.Policy.Deprecated == "" {
		owners, err := tx.OwnersOf(after.ID)
		if err != nil {
			return err
		}
		n := berth.Notice{Kind: notices.KindDeprecated, TemplateID: after.ID, Data: map[string]string{"template": after.Name, "reason": after.Policy.Deprecated}}
		if err := s.notices.Tell(tx, n, owners...); err != nil {
			return err
		}
	}
	return s.putOn(tx, templateEdit(before, after, now))
}

// OrganizationEdited puts rules on what runs already, where the editor says so.
func (s *Service) OrganizationEdited(tx *store.Tx, before, after berth.Organization, now bool) error {
	return s.putOn(tx, organizationEdit(before, after, now))
}

func (s *Service) effects(q *store.Query, e edit) (all berth.Effects, err error) {
	now := time.Now()
	err = s.eachOf(q, e, func(f lifecycle.Facts) error {
		e.weigh(&all, f, now)
		return nil
	})
	return all, err
}

// putOn replaces by what runs are stopped.
func (s *Service) putOn(tx *store.Tx, e edit) error {
	if !e.now {
		return nil
	}
	return s.eachOf(&tx.Query, e, func(f lifecycle.Facts) error {
		e.after(&f)
		return keepPut(tx, f, e.put(f))
	})
}

// withPut is the facts once some of what holds now is put on what runs.
func withPut(f lifecycle.Facts, what lifecycle.Put, now time.Time) lifecycle.Facts {
	if f.Run != nil && !f.Run.Active() {
		run, p := *f.Run, lifecycle.PutOn(f, what, now)
		run.Policy, f.Run = &p, &run
	}
	return f
}

// keepPut stores that.
func keepPut(tx *store.Tx, f lifecycle.Facts, what lifecycle.Put) error {
	if f = withPut(f, what, tx.Now); f.Run == nil || f.Run.Active() {
		return nil
	}
	return tx.SetBuildPolicy(f.Run.ID, *f.Run.Policy)
}

// eachOf gives the facts of every workspace that an edit reaches, some hundred at
// a time.
func (s *Service) eachOf(q *store.Query, e edit, f func(lifecycle.Facts) error) error {
	ids, err := q.Ruled(e.organization, e.template)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, 500) {
		facts, err := s.FactsOfMany(q, some)
		if err != nil {
			return err
		}
		for _, id := range some {
			if known, ok := facts[id]; ok {
				if err := f(known); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// fate is when a workspace is stopped, goes to sleep and is deleted by itself, as
// things are.
type fate struct{ stop, sleep, deletion lifecycle.Coming }

func fateOf(f lifecycle.Facts, now time.Time) (t fate) {
	for _, c := range lifecycle.Dues(f, now) {
		to := &t.stop
		switch {
		case c.Do == lifecycle.Delete:
			to = &t.deletion
		case c.Rule == lifecycle.RuleDormancy:
			to = &t.sleep
		case c.Do != lifecycle.Stop:
			continue
		}
		if to.At.IsZero() || c.At.Before(to.At) {
			*to = c
		}
	}
	if plan := lifecycle.Deadline(f, now); plan.Rule == t.stop.Rule {
		t.stop.Why = plan.Why // what will be, not what was when it is done
	}
	if date := lifecycle.Deletes(f, now); t.deletion.At.IsZero() && !date.IsZero() { // its owner is told of that before
		t.deletion = lifecycle.Coming{At: date, Do: lifecycle.Delete, Rule: lifecycle.RuleDeletion, Why: "unless somebody wakes it"}
	}
	if after := f.Template.Policy.DormancyAutoDeletion; !f.Workspace.Dormant() && !t.sleep.At.IsZero() && after > 0 {
		t.deletion = lifecycle.Coming{At: t.sleep.At.Add(after), Do: lifecycle.Delete, Rule: lifecycle.RuleDeletion, Why: "unless somebody uses or wakes it"}
	}
	return t
}

// weigh counts in what an edit does to one workspace.
func (e edit) weigh(all *berth.Effects, f lifecycle.Facts, now time.Time) {
	was, is := f, f
	e.before(&was)
	e.after(&is)
	runs := f.Run != nil && !f.Run.Active()
	if e.now {
		is = withPut(is, e.put(is), now)
	}
	before, after := fateOf(was, now), fateOf(is, now)
	sooner, later := false, false
	for _, k := range []struct {
		to      *berth.Effect
		was, is lifecycle.Coming
	}{{&all.Stops, before.stop, after.stop}, {&all.Sleeps, before.sleep, after.sleep}, {&all.Deletes, before.deletion, after.deletion}} {
		switch {
		case !k.is.At.IsZero() && (k.was.At.IsZero() || k.is.At.Before(k.was.At)):
			sooner = true
			k.to.Add(berth.EffectedBy{WorkspaceID: f.Workspace.ID, Owner: f.Owner.Username, Name: f.Workspace.Name,
				At: k.is.At, Was: k.was.At, Why: clause(k.is.Why)})
		case !k.was.At.IsZero() && (k.is.At.IsZero() || k.is.At.After(k.was.At)):
			later = true
		}
	}
	if later && !sooner {
		all.Later++
	}
	if runs && !e.now && lifecycle.PolicyOf(was) != lifecycle.PolicyOf(is) && !sooner && !later {
		all.NextStart++
	}
}

// clause is a sentence as it stands in another one.
func clause(sentence string) string {
	first, size := utf8.DecodeRuneInString(sentence)
	return string(unicode.ToLower(first)) + strings.TrimSuffix(sentence[size:], ".")
}
