package schedules

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

const (
	// fresh is how long what agents said is good for a decision.
	fresh = 30 * time.Second
	// asks is how often one decision asks agents at most.
	asks = 3
	// blocked is how long a build waits that cannot be made.
	blocked = 15 * time.Minute
)

// act is a workspace for which there is something to do, as its facts looked
// when they were read.
type act struct {
	due store.Due
	ask bool
}

// act asks the agents where that is wanted, and then decides anew in the
// transaction in which it does what was decided: whatever happened meanwhile, and
// whoever else decides, is in the facts.
func (t *tick) act(ctx context.Context, a act) (did bool, err error) {
	var answer *activity.Answer
	ask := a.ask
	for range asks {
		if ask {
			said, err := t.opt.Ask(ctx, a.due.ID)
			switch {
			case errors.Is(err, berth.NotFound):
				return false, nil
			case err != nil:
				return false, err
			}
			answer = &said
		}
		did, ask, err = t.decide(ctx, a.due.ID, answer)
		if err != nil || !ask {
			return did, err
		}
	}
	return false, nil // it stays due
}

// decide decides and does; ask is true when agents have to be asked for that.
func (t *tick) decide(ctx context.Context, id berth.WorkspaceID, answer *activity.Answer) (did, ask bool, err error) {
	t.writes <- struct{}{}
	defer func() { <-t.writes }()
	var made *berth.Build
	var told lifecycle.Step
	err = t.db.Write(ctx, func(tx *store.Tx) error {
		did, ask, made, told = false, false, nil, lifecycle.Step{}
		now := tx.Now
		if now.Before(t.now) {
			now = t.now
		}
		f, err := t.factsAt(&tx.Query, id, now, t.rooms)
		if errors.Is(err, berth.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if look := f.Workspace.NextLook; !f.Workspace.DeletedAt.IsZero() || f.Workspace.Prebuild || look.IsZero() || look.After(now) {
			return nil // another replica did it
		}
		w := work{tick: t, tx: tx, f: f, now: now, l: f.Workspace.Lifecycle}
		if answer != nil && now.Sub(answer.At) <= fresh {
			f = withAnswer(f, answer)
		}
		step := lifecycle.Next(f, now)
		if step.Ask && !f.Asked {
			ask = true
			return nil
		}
		if err := lifecycle.Check(f, step, now); err != nil {
			return berth.Errorf(berth.Internal, "%s by the rule %q is not done, since it may never be: %v", step.Do, step.Rule, err)
		}
		w.f, w.step = f, step
		if err := w.do(); err != nil {
			return err
		}
		did, made, told = w.acted && w.step.Do != lifecycle.Wait && w.step.Do != lifecycle.PutOff, w.build, step
		return nil
	})
	if errors.Is(err, berth.Conflict) { // somebody was faster: what they did has the rules asked again
		return false, false, nil
	}
	if err == nil && made != nil {
		t.rooms.took(made.ProviderID)
	}
	if err == nil && told.Do == lifecycle.Remind && told.Rule != lifecycle.RuleDeletion && t.opt.Remind != nil {
		t.opt.Remind(ctx, id, told)
	}
	return did, ask, err
}

// work is one decision on its way into the database.
type work struct {
	*tick
	tx    *store.Tx
	f     lifecycle.Facts
	step  lifecycle.Step
	now   time.Time
	l     berth.Lifecycle
	build *berth.Build // that it made
	acted bool         // it did something that is recorded
}

// do writes down what the step wants, its record and its notices.
func (w *work) do() (err error) {
	w.l.NextLook = lookAt(w.step.Look, w.now)
	unknown := w.l.UnknownSince
	w.l.UnknownSince = time.Time{}
	switch w.step.Do {
	case lifecycle.Nothing:
	case lifecycle.Start, lifecycle.Stop, lifecycle.Delete:
		err = w.enqueue()
	case lifecycle.Dormant:
		err = w.sleep()
	case lifecycle.Remind:
		err = w.remind()
	case lifecycle.PutOff:
		if w.l.UnknownSince = unknown; unknown.IsZero() {
			w.l.UnknownSince = w.now
			err = w.record("")
		}
	case lifecycle.Wait:
		w.l.UnknownSince = unknown
		err = w.once()
	default:
		err = berth.Errorf(berth.Internal, "nobody knows how to do %q", w.step.Do)
	}
	if err != nil {
		return err
	}
	return w.tx.SettleLifecycle(w.f.Workspace.ID, w.l)
}

// enqueue makes the build of a step. One that cannot be made is recorded, told
// and tried again later.
func (w *work) enqueue() error {
	in := workspaces.Automatic{Why: w.step.Why, Tries: lifecycle.Tries(w.f, w.step)}
	in.Transition, in.Reason = transitions[w.step.Do], w.step.Reason // which version it takes, workspaces know
	b, err := w.workspaces.Automatic(w.tx, w.f.Workspace.ID, in)
	switch berth.ErrorCode(err) {
	case "":
	case berth.Invalid, berth.Forbidden, berth.Limit, berth.NotFound, berth.Conflict:
		return w.blocked(err)
	default:
		return err
	}
	w.build = &b
	if err := w.record(b.ID); err != nil {
		return err
	}
	if w.step.Reason == berth.ReasonDormancy && !w.l.Dormant() {
		return w.mark()
	}
	return nil
}

// blocked is what is done where a build is wanted that cannot be made.
func (w *work) blocked(why error) error {
	wanted := w.step.Do
	w.step.Do = lifecycle.Wait
	w.step.Why = "It is time to " + string(wanted) + " the workspace, but that cannot be done: " + berth.ErrorMessage(why) + "."
	w.l.NextLook = w.now.Add(blocked)
	if err := w.once(); err != nil || !w.acted {
		return err
	}
	if wanted != lifecycle.Start {
		return nil
	}
	return w.tell(notice{kind: notices.KindBlocked, data: map[string]string{"why": w.step.Why}})
}

// remind tells that the workspace will be stopped or deleted, and notes that.
func (w *work) remind() error {
	if err := w.record(""); err != nil {
		return err
	}
	l := lifecycle.Reminded(w.f, w.step, w.now)
	w.l.DeletingAt, w.l.NoticedAt, w.l.RemindedFor = l.DeletingAt, l.NoticedAt, l.RemindedFor
	if w.step.Rule == lifecycle.RuleDeletion {
		return w.tell(deletionSoon(w))
	}
	return w.tell(stopSoon(w))
}

var transitions = map[lifecycle.Do]berth.Transition{lifecycle.Start: berth.Start, lifecycle.Stop: berth.Stop, lifecycle.Delete: berth.Delete}

// sleep marks a workspace that is stopped as dormant.
func (w *work) sleep() error {
	if err := w.record(""); err != nil {
		return err
	}
	if err := w.audit("dormant"); err != nil {
		return err
	}
	return w.mark()
}

// mark makes the workspace dormant, and tells its owner when it is deleted.
func (w *work) mark() error {
	w.l = lifecycle.Asleep(w.l, w.f.Template.Policy, w.now)
	return w.tell(sleeps(w))
}
