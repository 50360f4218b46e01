package workspaces

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// viewOf makes a view of a row and the workspace's agents.
func (s *Service) viewOf(r store.WorkspaceRow, agents []berth.Agent, now time.Time) View {
	v := View{Workspace: r.Workspace, Owner: r.Owner, Organization: r.Organization, Provider: r.Provider, Template: r.Template,
		Build: buildView(r.Build, now), Status: berth.WorkspaceStatus(r.Build.Build),
		ConnectForbidden: !r.OrganizationConnectStarts, Shared: r.Shared,
		Outdated: r.ActiveVersion != "" && r.Build.VersionID != r.ActiveVersion}
	in := s.setting(r.Workspace, now)
	for _, a := range agents {
		v.Agents = append(v.Agents, agentView(a, in))
	}
	v.Healthy, v.Health = health(v.Agents)
	v.Reason = reason(v)
	return v
}

// reason is why a workspace has its status, where there is more to say.
func reason(v View) string {
	b := v.Build.Build
	switch {
	case v.Build.Unreachable:
		return fmt.Sprintf("the runner %s of build %d has not reported since %s; its Terraform may still be running. If it is gone for good: berth builds abandon %s",
			b.RunnerID, b.Number, b.LeaseAt.UTC().Format(time.DateTime+" MST"), b.ID)
	case v.Status == berth.StatusPending:
		return v.Build.Waits
	case v.Status == berth.StatusFailed:
		first, _, _ := strings.Cut(b.Error, "\n")
		return fmt.Sprintf("build %d (%s) failed: %s", b.Number, b.Transition, first)
	case v.Status == berth.StatusCanceled:
		return fmt.Sprintf("build %d (%s) was canceled; start or stop the workspace to bring it into a known state", b.Number, b.Transition)
	case v.Status == berth.StatusStopping && b.Next.Waits():
		return "it is started again when it is stopped"
	case v.Status == berth.StatusStopped && b.Next != nil && b.Next.Dropped != "":
		return "it was to be started again, but " + b.Next.Dropped
	default:
		return ""
	}
}

func buildView(r store.BuildRow, now time.Time) BuildView {
	v := BuildView{Build: r.Build, Template: r.Template, Version: r.Version, Provider: r.Provider, Initiator: r.Initiator, Unreachable: r.Unreachable(now)}
	if r.On() != "" {
		v.Workspace = r.Owner + "/" + r.Workspace
	}
	return v
}

// view is the whole view of one workspace.
func (s *Service) view(q *store.Query, id berth.WorkspaceID) (View, error) {
	r, err := q.WorkspaceRow(id)
	if err != nil {
		return View{}, err
	}
	agents, err := q.Agents(id)
	if err != nil {
		return View{}, err
	}
	v := s.viewOf(r, agents, time.Now())
	if v.Build.Waits, err = s.queue.Waits(q, r.Build.Build); err != nil {
		return View{}, err
	}
	d, err := q.BuildDetail(r.Build.ID)
	if err != nil {
		return View{}, err
	}
	v.Build.Resources = d.Resources
	v.Reason = reason(v)
	v.Activity, err = s.activity(q, r)
	return v, err
}

// activity is what keeps a workspace awake, as far as it is known here.
func (s *Service) activity(q *store.Query, r store.WorkspaceRow) (*berth.Activity, error) {
	now, recent := time.Now(), s.opt.Recent(r.ID)
	stored, err := q.Activity(r.ID)
	if err != nil {
		return nil, err
	}
	holds, err := q.Holds(r.ID, now)
	a := berth.NewActivity(append(stored, recent...), holds, r.OrganizationIdleCounts, now)
	return &a, err
}

// Get is one workspace by id. Deleted ones are not found.
func (s *Service) Get(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (v View, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := find(q, actor, authz.Read, id); err != nil {
			return err
		}
		v, err = s.view(q, id)
		return err
	})
	return v, err
}

// Find is one workspace by the name of its owner ("me": the actor) and its own.
func (s *Service) Find(ctx context.Context, actor authz.Actor, owner, name string) (v View, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		noun := "workspace " + owner + "/" + name
		u, err := userNamed(q, actor, owner)
		if err != nil {
			return hide(actor, err, noun)
		}
		w, err := q.WorkspaceNamed(u, name)
		if err != nil {
			return hide(actor, err, noun)
		}
		if err := sharing.Check(q, actor, authz.Read, w, noun); err != nil {
			return err
		}
		v, err = s.view(q, w.ID)
		return err
	})
	return v, err
}

// userNamed is the id of a user by name; "" and "me" are the actor.
func userNamed(q *store.Query, actor authz.Actor, name string) (berth.UserID, error) {
	if name == "" || authz.Me(name) {
		return actor.UserID, nil
	}
	u, err := q.UserNamed(name)
	return u.ID, err
}

// hide makes the store's not_found the same as that of a thing that may not be
// seen.
func hide(actor authz.Actor, err error, noun string) error {
	if errors.Is(err, berth.NotFound) {
		return authz.Missing(actor, authz.Read, authz.KindWorkspace, noun)
	}
	return err
}

// List is one page of the workspaces that the actor may see, newest first, and
// where the next page begins ("" on the last). query filters:
// "owner:me status:running dev". A page takes two queries, however long it is;
// what the rules have in store for its workspaces, others ask with a few more.
func (s *Service) List(ctx context.Context, actor authz.Actor, query, after string, limit int) (views []View, next string, err error) {
	visible, err := authz.List(actor, authz.KindWorkspace)
	if err != nil {
		return nil, "", err
	}
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	f, err := workspaceFilter(actor, visible, query)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		rows, n, err := q.WorkspacePage(f, page)
		if err != nil {
			return err
		}
		ids := make([]berth.WorkspaceID, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
		}
		found, err := q.AgentsOf(ids)
		if err != nil {
			return err
		}
		agents := map[berth.WorkspaceID][]berth.Agent{}
		for _, a := range found {
			agents[a.WorkspaceID] = append(agents[a.WorkspaceID], a)
		}
		now := time.Now()
		views, next = make([]View, len(rows)), n
		for i, r := range rows {
			views[i] = s.viewOf(r, agents[r.ID], now)
			views[i].Agents = nil
		}
		return nil
	})
	return views, next, err
}

// workspaceFilter reads the query of a list and bounds it to what is visible.
func workspaceFilter(actor authz.Actor, visible berth.Visible, query string) (store.WorkspaceFilter, error) {
	f := store.WorkspaceFilter{Visible: visible, Viewer: actor.UserID}
	err := berth.Filters{
		"owner": func(v string) error {
			if f.Owner = v; authz.Me(v) {
				f.Owner = actor.Username
			}
			return nil
		},
		"template": berth.FilterText(&f.Template), "organization": berth.FilterText(&f.Organization), "provider": berth.FilterText(&f.Provider),
		"name":   func(v string) error { f.Words = append(f.Words, v); return nil },
		"shared": func(v string) error { return sharedFilter(&f, actor, v) },
		"shared_with_user": func(v string) error {
			if f.SharedWithUser = v; authz.Me(v) {
				f.SharedWithUser = actor.Username
			}
			return nil
		},
		"shared_with_group": berth.FilterText(&f.SharedWithGroup),
		"outdated":          berth.FilterBool(&f.Outdated, "outdated"),
		"dormant":           berth.FilterBool(&f.Dormant, "dormant"),
		"favorite":          berth.FilterBool(&f.Favorite, "favorite"),
		"status": berth.FilterWords(&f.Status, "status", berth.StatusPending, berth.StatusStarting, berth.StatusRunning, berth.StatusStopping, berth.StatusStopped,
			berth.StatusDeleting, berth.StatusCanceling, berth.StatusCanceled, berth.StatusFailed),
	}.Read(query)
	return f, err
}

// sharedFilter is the filter shared: with the actor (me), with anybody or with
// nobody.
func sharedFilter(f *store.WorkspaceFilter, actor authz.Actor, value string) error {
	if authz.Me(value) {
		f.SharedWith = &berth.Visible{In: actor.Organizations(), Grantees: actor.Grantees(), Roles: berth.GrantRoles}
		f.NotOwner = actor.UserID
		return nil
	}
	if err := berth.FilterBool(&f.Shared, "shared")(value); err != nil {
		return berth.InvalidField("q", "shared: is me, true or false, not %q", value)
	}
	return nil
}
