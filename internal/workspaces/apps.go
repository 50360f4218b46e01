package workspaces

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// AgentApps records how the apps of the agent's process boot are. What it says
// of apps that the template does not have is dropped.
func (s *Service) AgentApps(ctx context.Context, who AgentIdentity, boot int64, health map[string]string) error {
	known := map[string]string{}
	for _, app := range who.Agent.Apps {
		switch h := health[app.ID]; h {
		case berth.AppInitializing, berth.AppHealthy, berth.AppUnhealthy:
			known[app.ID] = h
		}
	}
	return s.report(ctx, who.Workspace.ID, func(tx *store.Tx) error {
		ok, err := tx.AgentApps(who.Agent.ID, boot, known)
		if err == nil && !ok {
			return berth.Errorf(berth.Conflict, "a newer process of this agent is running: end this one")
		}
		return err
	})
}

// OpenedApp is an app or port that somebody may open.
type OpenedApp struct {
	Workspace berth.Workspace
	Owner     string // username
	Status    berth.Status
	Reason    string
	MayStart  bool
	Agent     berth.Agent // zero while there is none
	App       berth.App   // zero for a port
	Level     berth.Share
	HTTPS     bool // what listens on the port is shared as speaking TLS
}

var errSignIn = berth.Errorf(berth.Unauthenticated, "sign in to open this app")

// OpenApp opens an app or port for a user by one of their logins, or for nobody.
// onPath is set for the origin that the path apps of everybody share: there
// only the owner of the workspace may open anything, whatever it is shared as.
// Nobody who is not signed in learns what there is, but of public apps.
func (s *Service) OpenApp(ctx context.Context, user berth.UserID, login berth.TokenID, ref berth.AppRef, onPath bool) (opened OpenedApp, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		actor, err := visitor(q, user, login, time.Now())
		if err != nil {
			return err
		}
		opened, err = s.openApp(q, actor, ref, onPath)
		if code := berth.ErrorCode(err); actor.Anonymous() && (code == berth.NotFound || code == berth.Forbidden || code == berth.Unauthenticated) {
			return errSignIn
		}
		return err
	})
	if err != nil {
		return OpenedApp{}, err
	}
	return opened, nil
}

// visitor is the actor of a login, if that is still good.
func visitor(q *store.Query, user berth.UserID, login berth.TokenID, now time.Time) (authz.Actor, error) {
	if user == "" {
		return authz.Actor{}, nil
	}
	t, u, err := q.TokenByID(login)
	switch {
	case errors.Is(err, berth.NotFound):
		return authz.Actor{}, errSignIn
	case err != nil:
		return authz.Actor{}, err
	case u.ID != user, !now.Before(t.ExpiresAt), !u.MaySignIn():
		return authz.Actor{}, errSignIn
	}
	return accounts.ActorOf(q, t, u)
}

func (s *Service) openApp(q *store.Query, actor authz.Actor, ref berth.AppRef, onPath bool) (o OpenedApp, err error) {
	noun := "the app of workspace " + ref.Owner + "/" + ref.Workspace
	owner, err := q.UserNamed(ref.Owner)
	if err != nil {
		return o, hide(actor, err, noun)
	}
	w, err := q.WorkspaceNamed(owner.ID, ref.Workspace)
	if err != nil {
		return o, hide(actor, err, noun)
	}
	v, err := s.view(q, w.ID)
	if err != nil {
		return o, err
	}
	on, err := sharing.Workspace(q, w)
	if err != nil {
		return o, err
	}
	o = OpenedApp{Workspace: w, Owner: owner.Username, Status: v.Status, Reason: v.Reason, Level: berth.ShareOwner,
		MayStart: authz.Can(actor, authz.Start, on)}
	missing := s.findApp(q, &o, v, ref)
	if missing != nil && berth.ErrorCode(missing) != berth.NotFound {
		return o, missing
	}
	switch {
	case onPath && (actor.Anonymous() || actor.UserID != w.OwnerID):
		if !actor.Anonymous() && authz.MayOpen(actor, o.Level, on) {
			return o, berth.Errorf(berth.Forbidden, "apps under a path share one origin, so only the owner of the workspace may open them there: ask for the app's address on a host of its own")
		}
		return o, authz.Hidden(noun)
	case !authz.MayOpen(actor, o.Level, on):
		if actor.Anonymous() {
			return o, errSignIn
		}
		return o, authz.Check(actor, authz.Connect, on, noun)
	case owner.Status == berth.UserSuspended:
		return o, berth.Errorf(berth.Forbidden, "the owner of the workspace is suspended: nobody can open its apps until that is lifted")
	}
	return o, missing
}

// findApp finds the agent and app of ref and how it is shared. A workspace that
// does not run has neither: who may connect to it learns so.
func (s *Service) findApp(q *store.Query, o *OpenedApp, v View, ref berth.AppRef) error {
	if v.Build.Build.Transition != berth.Start || len(v.Agents) == 0 {
		if v.Status == berth.StatusRunning {
			return berth.Errorf(berth.NotFound, "the workspace %s has no agent: its template makes none, so there are no apps", o.Workspace.Name)
		}
		return nil
	}
	var agents []berth.Agent
	for _, a := range v.Agents {
		agents = append(agents, a.Agent)
	}
	a, err := pick(agents, o.Workspace, ref.Agent)
	if err != nil {
		return berth.Errorf(berth.NotFound, "%s", berth.ErrorMessage(err))
	}
	o.Agent = a
	t, err := q.Template(o.Workspace.TemplateID)
	if err != nil {
		return err
	}
	if ref.App == "" {
		share, err := q.PortShare(o.Workspace.ID, a.Name, ref.Port)
		if err != nil {
			return ignore(err, berth.NotFound)
		}
		o.Level, o.HTTPS = share.Level.Within(t.MaxShare), share.Scheme == "https"
		return nil
	}
	for _, app := range a.Apps {
		if strings.EqualFold(app.Slug, ref.App) {
			o.App, o.Level = app, berth.Share(app.Share).Within(t.MaxShare)
			return nil
		}
	}
	return berth.Errorf(berth.NotFound, "the workspace %s has no app %s", o.Workspace.Name, ref.App)
}
