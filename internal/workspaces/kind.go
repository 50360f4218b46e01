package workspaces

import (
	"maps"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/store"
)

// Kind is what the queue needs to know of workspaces' builds.
func (s *Service) Kind() builds.Kind {
	return builds.Kind{Prepare: s.prepare, Job: s.job, Judge: s.judge, Finish: s.ended}
}

// job gathers what Terraform needs for a build.
func (s *Service) job(q *store.Query, b berth.Build) (builds.Input, error) {
	c, err := s.sceneOf(q, b)
	if err != nil {
		return builds.Input{}, err
	}
	variables, err := s.templates.Variables(q, c.version.ID)
	if err != nil {
		return builds.Input{}, err
	}
	env := s.pluginEnv(c)
	if s.opt.Credentials != nil {
		owned, err := s.opt.Credentials.BuildEnv(q, c.start(), c.version.Contents)
		if err != nil {
			return builds.Input{}, err
		}
		maps.Copy(env, owned)
	}
	if err := s.signInEnv(q, b, c.owner, env); err != nil {
		return builds.Input{}, err
	}
	return builds.Input{Archive: c.version.Archive, Carried: c.version.Carried, Variables: variables, Env: env,
		Workspace: c.owner.Username + "/" + c.workspace.Name, Timeout: s.opt.BuildTimeout}, nil
}

func (s *Service) sceneOf(q *store.Query, b berth.Build) (c scene, err error) {
	c.build = b
	if c.workspace, err = q.Workspace(b.WorkspaceID); err != nil {
		return c, err
	}
	if c.owner, err = q.User(c.workspace.OwnerID); err != nil {
		return c, err
	}
	if c.standing, err = standingOf(q, c.workspace.OrganizationID, c.owner.ID); err != nil {
		return c, err
	}
	if c.template, err = q.Template(b.TemplateID); err != nil {
		return c, err
	}
	if c.version, err = q.Version(b.VersionID); err != nil {
		return c, err
	}
	if b.Number > 1 {
		before, err := q.LastEffect(b.WorkspaceID, b.Number)
		if err != nil {
			return c, err
		}
		c.previous = before.Parameters
	}
	if c.agentKey, err = s.agentKey(q, b.WorkspaceID); err != nil {
		return c, err
	}
	first, err := q.FirstUser()
	c.processes = s.opt.HostProcesses || err == nil && first.ID == c.owner.ID
	return c, ignore(err, berth.NotFound)
}

// judge asks the persistence rule, and then what the owner may spend.
func (s *Service) judge(tx *store.Tx, b berth.Build, p berth.Plan) (berth.Verdict, error) {
	w, err := tx.Workspace(b.WorkspaceID)
	if err != nil {
		return berth.Verdict{}, err
	}
	if v, err := keeps(&tx.Query, w, b, p); err != nil || !v.Allow {
		return v, err
	}
	return quota.Judge(tx, w, b, p)
}

// keeps brings the facts of the persistence rule.
func keeps(q *store.Query, w berth.Workspace, b berth.Build, p berth.Plan) (berth.Verdict, error) {
	version, err := q.Version(b.VersionID)
	if err != nil {
		return berth.Verdict{}, err
	}
	f := Facts{Transition: b.Transition, Persistent: w.Persistent, AllowDestroy: b.AllowDestroy, Now: version.Contents.Resources}
	if b.Number > 1 {
		before, err := q.LastEffect(b.WorkspaceID, b.Number)
		if err != nil {
			return berth.Verdict{}, err
		}
		last, err := q.Version(before.VersionID)
		if err != nil {
			return berth.Verdict{}, err
		}
		f.Before = last.Contents.Resources
	}
	return Judge(f, p), nil
}

// ended does what the end of a build means, and queues the start that was wanted
// behind it.
func (s *Service) ended(tx *store.Tx, b berth.Build, r builds.Report) error {
	if err := s.finish(tx, b, r); err != nil {
		return err
	}
	return s.goOn(tx, b)
}

// finish does what the end of a build means for its workspace. The queue has
// replaced its agents already.
func (s *Service) finish(tx *store.Tx, b berth.Build, r builds.Report) error {
	w, err := tx.Workspace(b.WorkspaceID)
	if err != nil {
		return err
	}
	succeeded := b.Status() == berth.BuildSucceeded
	if err := quota.Settle(tx, b, r.Resources); err != nil {
		return err
	}
	if err := s.settleLogins(tx, w, b, succeeded || len(r.State) > 0); err != nil {
		return err
	}
	if succeeded && b.Transition == berth.Delete {
		if !w.DeletedAt.IsZero() {
			return nil
		}
		return tx.DeleteWorkspace(w.ID)
	}
	rotated, err := s.checkTokens(&tx.Query, w.ID, r.Agents)
	if err != nil {
		return err
	}
	if rotated && succeeded && b.Transition == berth.Start {
		if err := tx.ForgetAgentKey(w.ID); err != nil {
			return err
		}
	}
	if len(r.State) == 0 {
		return nil
	}
	version, err := tx.Version(b.VersionID)
	if err != nil {
		return err
	}
	addresses := r.Addresses
	if len(addresses) == 0 { // an older runner, or none left
		addresses = stateAddresses(r.State)
	}
	stopped := succeeded && b.Transition == berth.Stop
	return tx.SetPersistent(w.ID, nextPersistent(w.Persistent, addresses, version.Contents.Resources, stopped))
}
