package workspaces

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// BuildInput says what build to make.
type BuildInput struct {
	Transition   berth.Transition
	Version      string // name or id; start only
	Update       bool   // use the active version; start only
	Parameters   map[string]string
	Preset       string
	AllowDestroy []string // persistent addresses that this build may destroy
	Orphan       bool     // delete only: leave alone what was made
	Force        bool     // rebuild only: also somebody else's, and one that is in use
	Reason       berth.Reason
}

// actions are the rights that transitions need.
var actions = map[berth.Transition]authz.Action{berth.Start: authz.Start, berth.Stop: authz.Stop, berth.Delete: authz.Delete}

// Build queues a build of a workspace. A start of a running workspace is
// allowed: it brings what changed outside or in the template. A restart or
// rebuild gives the stop that it begins with, or the start where there is nothing
// to stop.
func (s *Service) Build(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, in BuildInput) (v BuildView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		build := s.buildIn
		if in.Transition == berth.Restart || in.Transition == berth.Rebuild {
			build = s.again
		}
		_, b, err := build(tx, actor, id, in)
		if err != nil {
			return err
		}
		v, err = s.buildView(&tx.Query, b.ID)
		return err
	})
	return v, err
}

// buildIn is Build in a transaction.
func (s *Service) buildIn(tx *store.Tx, actor authz.Actor, id berth.WorkspaceID, in BuildInput) (berth.Workspace, berth.Build, error) {
	w, b, err := s.next(tx, actor, id, in)
	if err == nil {
		b, err = s.enqueue(tx, actor, string(b.Transition), w, b, nil)
	}
	return w, b, err
}

// enqueue queues a build that was checked, and records it as an action, with more
// in its detail.
func (s *Service) enqueue(tx *store.Tx, actor authz.Actor, action string, w berth.Workspace, b berth.Build, more map[string]any) (berth.Build, error) {
	b, err := s.queue.Enqueue(tx, b)
	if err != nil {
		return b, err
	}
	if b.Transition != berth.Start { // what runs in the workspace is not its owner any more
		if err := credentials.EndLogins(tx, w.ID, ""); err != nil {
			return b, err
		}
	}
	if err := auditBuild(tx, actor, action, w, b, more); err != nil || !b.Orphan {
		return b, err
	}
	// An orphan delete is for when nothing else helps, a runner that is gone too.
	return s.queue.Skip(tx, b, "Nothing is destroyed: the workspace is deleted, and what it made stays where it is.")
}

// next checks what is asked for, in the order in which people are told, and
// makes the build.
func (s *Service) next(tx *store.Tx, actor authz.Actor, id berth.WorkspaceID, in BuildInput) (w berth.Workspace, b berth.Build, err error) {
	action, ok := actions[in.Transition]
	if !ok {
		return w, b, berth.InvalidField("transition", "%q is not what a workspace can do: use start, stop, restart, rebuild or delete", in.Transition)
	}
	if w, err = find(&tx.Query, actor, action, id); err != nil {
		return w, b, err
	}
	if err := special(&tx.Query, actor, w, in); err != nil {
		return w, b, err
	}
	if b.Reason, err = reasonOf(actor, in.Reason); err != nil {
		return w, b, err
	}
	t, err := tx.Template(w.TemplateID)
	if err != nil {
		return w, b, err
	}
	base, err := tx.LastEffect(w.ID, 0)
	if err != nil {
		return w, b, err
	}
	version, ruled, err := versionFor(tx, actor, w, t, base, in)
	if err != nil {
		return w, b, err
	}
	asked, form, preset, err := s.asks(&tx.Query, w, t, version, base, in)
	if err != nil {
		return w, b, err
	}
	if err := asItIs(&tx.Query, actor, w, base, version, ruled, form, in); err != nil {
		return w, b, err
	}
	if err := idle(tx, w, in, b.Reason); err != nil {
		return w, b, err
	}
	if in.Transition == berth.Start {
		if err := quota.MayStart(&tx.Query, actor, w); err != nil {
			return w, b, err
		}
	}
	if b.Parameters, b.Preset, err = answersFor(asked, form, preset, base, in); err != nil {
		return w, b, unanswered(err, ruled || actor.IsSystem(), w, version)
	}
	if in.Transition == berth.Start {
		if err := s.has(&tx.Query, actor, w, base, version, b.Parameters); err != nil {
			return w, b, err
		}
	}
	b.OrganizationID, b.ProviderID, b.WorkspaceID, b.TemplateID, b.VersionID = w.OrganizationID, w.ProviderID, w.ID, t.ID, version.ID
	b.Transition, b.InitiatorID, b.AllowDestroy, b.Orphan = in.Transition, actor.UserID, in.AllowDestroy, in.Orphan
	return w, b, nil
}

// special checks the inputs that want more than the right to the transition.
func special(q *store.Query, actor authz.Actor, w berth.Workspace, in BuildInput) error {
	switch {
	case in.Orphan && in.Transition != berth.Delete:
		return berth.InvalidField("orphan", "only a delete can leave behind what was made")
	case (in.Version != "" || in.Update) && in.Transition != berth.Start:
		return berth.InvalidField("version", "only a start takes a version: a %s uses that of the build before", in.Transition)
	case in.Force:
		return berth.InvalidField("force", "only a rebuild can be forced: leave it out")
	case in.Version != "" && in.Update:
		return berth.InvalidField("version", "update takes the active version: give the version or update, not both")
	case len(in.AllowDestroy) > 100:
		return berth.InvalidField("allow_destroy", "these are too many addresses: at most 100")
	}
	if in.Orphan {
		return mayChangeTemplate(q, actor, w.TemplateID, w.OrganizationID, "deleting a workspace but not what it made")
	}
	if len(in.AllowDestroy) == 0 {
		return nil
	}
	if actor.IsSystem() {
		return berth.Errorf(berth.Forbidden, "a build that nobody asked for may not destroy what is persistent")
	}
	return sharing.Check(q, actor, authz.Govern, w, "what is persistent in the workspace")
}

// idle refuses a build while another one is active, and what a connection asks
// for while the workspace runs already.
func idle(tx *store.Tx, w berth.Workspace, in BuildInput, reason berth.Reason) error {
	newest, err := tx.NewestBuild(w.ID)
	if err != nil {
		return err
	}
	if err := inactive(newest); err != nil {
		return err
	}
	if err := awake(w, in.Transition); err != nil {
		return err
	}
	if reason.Connection() {
		if err := connectStarts(tx, w, newest, in); err != nil {
			return err
		}
	}
	if in.Transition != berth.Start {
		return nil
	}
	owner, err := tx.User(w.OwnerID)
	if err == nil && owner.Status == berth.UserSuspended {
		return berth.Errorf(berth.Conflict, "the owner of the workspace is suspended: it cannot start until an owner of the site lifts that")
	}
	return err
}

func inactive(newest berth.Build) error {
	if !newest.Active() {
		return nil
	}
	return berth.Errorf(berth.Conflict, "build %d of this workspace (%s) is %s: wait until it has ended, or cancel it with berth cancel",
		newest.Number, newest.Transition, newest.Status())
}

// answersFor is the answers of a build, and the name of its preset.
func answersFor(a asking, r forms.Result, preset berth.Preset, base berth.Build, in BuildInput) (map[string]string, string, error) {
	if in.Transition != berth.Start {
		if len(in.Parameters) > 0 || in.Preset != "" {
			return nil, "", berth.InvalidField("parameters", "only a start takes parameters: a %s uses those of the build before", in.Transition)
		}
		return parameters.Carry(r.Asked(), base.Parameters), base.Preset, nil
	}
	answers, err := parameters.Resolve(r.Asked(), a.answers)
	name := preset.Name
	if in.Preset == "" {
		name = base.Preset
	}
	return answers, name, err
}

// buildView is the whole view of one build.
func (s *Service) buildView(q *store.Query, id berth.BuildID) (BuildView, error) {
	r, err := q.BuildRow(id)
	if err != nil {
		return BuildView{}, err
	}
	v := buildView(r, time.Now())
	if v.Waits, err = s.queue.Waits(q, r.Build); err != nil {
		return v, err
	}
	d, err := q.BuildDetail(id)
	v.Resources, v.Timings, v.Drift = d.Resources, d.Timings, d.Drift
	return v, err
}
