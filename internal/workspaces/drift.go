package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

// Look queues a build that compares what the workspace is made of with its state.
// It changes neither, so it may be asked for while the workspace runs.
func (s *Service) Look(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (v BuildView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Update, id)
		if err != nil {
			return err
		}
		newest, err := tx.NewestBuild(w.ID)
		if err != nil {
			return err
		}
		if err := inactive(newest); err != nil {
			return err
		}
		base, err := tx.LastEffect(w.ID, 0)
		if err != nil {
			return err
		}
		b, err := s.queue.Enqueue(tx, berth.Build{OrganizationID: w.OrganizationID, ProviderID: w.ProviderID, Transition: berth.Import, LooksAt: w.ID,
			TemplateID: base.TemplateID, VersionID: base.VersionID, Parameters: base.Parameters, Reason: berth.ReasonInitiator, InitiatorID: actor.UserID})
		if err != nil {
			return err
		}
		if err := audit(tx, actor, "look", w, nil, map[string]any{"build": b.ID}); err != nil {
			return err
		}
		v, err = s.buildView(&tx.Query, b.ID)
		return err
	})
	return v, err
}

// LookKind is what the queue needs to know of builds that look at a workspace.
func (s *Service) LookKind() builds.Kind {
	return builds.Kind{Job: s.lookJob, Judge: lookJudge, Finish: looked}
}

// lookJob is the job of the build that made the workspace what it is.
func (s *Service) lookJob(q *store.Query, b berth.Build) (builds.Input, error) {
	base, err := q.LastEffect(b.LooksAt, 0)
	if err != nil {
		return builds.Input{}, err
	}
	as := b
	as.WorkspaceID, as.Number, as.Transition = b.LooksAt, base.Number, base.Transition
	return s.job(q, as)
}

// lookJudge refuses everything: nothing may be changed.
func lookJudge(*store.Tx, berth.Build, berth.Plan) (berth.Verdict, error) {
	return berth.Verdict{Reason: "a look may not change anything", ErrorCode: berth.FailedResult}, nil
}

// looked keeps what was found.
func looked(tx *store.Tx, b berth.Build, r builds.Report) error {
	if r.Error != "" || r.Canceled {
		return nil
	}
	if r.Drift == nil {
		return berth.Errorf(berth.Invalid, "the runner did not look at the workspace: update the runner and ask again")
	}
	return tx.SetDrift(b.ID, *r.Drift)
}
