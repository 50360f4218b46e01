package workspaces

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Builds is one page of a workspace's builds, newest first.
func (s *Service) Builds(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, after string, limit int) (views []BuildView, next string, err error) {
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := find(q, actor, authz.Read, id); err != nil {
			return err
		}
		rows, n, err := q.BuildPage(store.BuildFilter{Workspace: id}, page)
		views, next = buildViews(rows), n
		return err
	})
	return views, next, err
}

func buildViews(rows []store.BuildRow) []BuildView {
	now, views := time.Now(), make([]BuildView, len(rows))
	for i, r := range rows {
		views[i] = buildView(r, now)
	}
	return views
}

// BuildNumber is the workspace's build of a number.
func (s *Service) BuildNumber(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, number int) (v BuildView, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := find(q, actor, authz.Read, id); err != nil {
			return err
		}
		b, err := buildNumbered(q, id, number)
		if err != nil {
			return err
		}
		v, err = s.buildView(q, b.ID)
		return err
	})
	return v, err
}

func buildNumbered(q *store.Query, id berth.WorkspaceID, number int) (berth.Build, error) {
	b, err := q.BuildNumber(id, number)
	if errors.Is(err, berth.NotFound) {
		return b, berth.Errorf(berth.NotFound, "the workspace has no build %d: berth builds list shows those that it has", number)
	}
	return b, err
}

// ListBuilds is one page of all builds that the actor may see, imports too,
// newest first. query filters: "status:pending provider:built-in".
func (s *Service) ListBuilds(ctx context.Context, actor authz.Actor, query, after string, limit int) (views []BuildView, next string, err error) {
	if err := authz.Barred(actor, authz.Read, authz.KindWorkspace); err != nil {
		return nil, "", err
	}
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		f, nothing, err := buildFilter(q, actor, query)
		if err != nil || nothing {
			views, next = nil, ""
			return err
		}
		rows, n, err := q.BuildPage(f, page)
		views, next = buildViews(rows), n
		return err
	})
	return views, next, err
}

// buildFilter reads the query of a list and bounds it to what the actor may see.
// nothing is true when it names something that is not there.
func buildFilter(q *store.Query, actor authz.Actor, query string) (f store.BuildFilter, nothing bool, err error) {
	var owner, provider string
	var status []berth.BuildStatus
	var transition []berth.Transition
	err = berth.Filters{
		"owner": berth.FilterText(&owner), "provider": berth.FilterText(&provider),
		"name":       func(v string) error { f.Name = append(f.Name, v); return nil },
		"status":     berth.FilterWords(&status, "status", berth.BuildPending, berth.BuildRunning, berth.BuildCanceling, berth.BuildCanceled, berth.BuildSucceeded, berth.BuildFailed),
		"transition": berth.FilterWords(&transition, "transition", berth.Start, berth.Stop, berth.Delete, berth.Import),
	}.Read(query)
	if err != nil {
		return f, false, err
	}
	if len(status) > 1 || len(transition) > 1 {
		return f, false, berth.InvalidField("q", "give one status and one transition at most")
	}
	if len(status) == 1 {
		f.Status = status[0]
	}
	if len(transition) == 1 {
		f.Transition = transition[0]
	}
	if owner != "" {
		if f.Owner, err = userNamed(q, actor, owner); err != nil {
			return f, errors.Is(err, berth.NotFound), ignore(err, berth.NotFound)
		}
	}
	if provider != "" {
		p, err := q.ProviderRef(provider)
		if err != nil {
			return f, errors.Is(err, berth.NotFound), ignore(err, berth.NotFound)
		}
		f.Provider = p.ID
	}
	visible := authz.See(actor, authz.Read, authz.KindWorkspace)
	f.Visible = &visible
	f.Imports = authz.See(actor, authz.Update, authz.KindTemplate)
	return f, false, nil
}

// ignore is nil for errors of a code.
func ignore(err error, code berth.Code) error {
	if errors.Is(err, code) {
		return nil
	}
	return err
}

// GetBuild is one build, of a workspace or an import.
func (s *Service) GetBuild(ctx context.Context, actor authz.Actor, id berth.BuildID) (v BuildView, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := findBuild(q, actor, authz.Read, id); err != nil {
			return err
		}
		v, err = s.buildView(q, id)
		return err
	})
	return v, err
}

// Cancel ends a build: a pending one at once, a running one by interrupting
// Terraform, with force by killing it. What was wanted behind it is canceled too.
// expect, if given, is the status that the
// build must have.
func (s *Service) Cancel(ctx context.Context, actor authz.Actor, id berth.BuildID, force bool, expect berth.BuildStatus) (BuildView, error) {
	may := func(q *store.Query, r store.BuildRow) error { return mayCancel(q, actor, r) }
	return s.end(ctx, actor, id, "cancel", map[string]any{"force": force}, may, func(tx *store.Tx) (berth.Build, error) {
		b, err := s.queue.Cancel(tx, id, force, expect)
		if err != nil {
			return b, err
		}
		if err := spare(tx, b); err != nil || !b.Next.Waits() {
			return b, err
		}
		// Its Terraform may come to its end all the same: nothing follows then.
		return b, drop(tx, b, actor.Username+" canceled it")
	})
}

// Abandon gives up on a build whose runner is unreachable. What it made may be
// left behind, so it takes the right to change the template.
func (s *Service) Abandon(ctx context.Context, actor authz.Actor, id berth.BuildID) (BuildView, error) {
	may := func(q *store.Query, r store.BuildRow) error {
		return mayChangeTemplate(q, actor, r.TemplateID, r.OrganizationID, "giving up on a build")
	}
	return s.end(ctx, actor, id, "abandon", map[string]any{}, may, func(tx *store.Tx) (berth.Build, error) {
		return s.queue.Abandon(tx, id, actor.UserID)
	})
}

// end ends a build and writes down who did.
func (s *Service) end(ctx context.Context, actor authz.Actor, id berth.BuildID, action string, detail map[string]any,
	may func(*store.Query, store.BuildRow) error, do func(*store.Tx) (berth.Build, error)) (v BuildView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		r, err := findBuild(&tx.Query, actor, authz.Read, id)
		if err != nil {
			return err
		}
		if err := may(&tx.Query, r); err != nil {
			return err
		}
		b, err := do(tx)
		if err != nil {
			return err
		}
		row := store.Audit{ActorID: actor.UserID, Action: action, Kind: "build", OrganizationID: r.OrganizationID, TargetID: string(id),
			TargetName: r.Owner + "/" + r.Workspace, Changes: berth.Changes{}, Detail: detail}
		if r.On() == "" {
			row.TargetName = r.Template + "@" + r.Version
		}
		row.Changes.Set("status", r.Status(), b.Status())
		detail["transition"], detail["number"] = r.Transition, r.Number
		if err := tx.InsertAudit(row); err != nil {
			return err
		}
		v, err = s.buildView(&tx.Query, id)
		return err
	})
	return v, err
}

// Logs is the build's log behind line after, at most limit lines.
func (s *Service) Logs(ctx context.Context, actor authz.Actor, id berth.BuildID, after int64, limit int) ([]berth.Log, error) {
	err := s.db.Read(ctx, func(q *store.Query) error {
		_, err := findBuild(q, actor, authz.Read, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.queue.ReadLogs(ctx, id, after, limit)
}
