package quota

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/store"
)

// Service tells what people may spend, and do.
type Service struct{ db *store.DB }

// New makes the service on an open database.
func New(db *store.DB) *Service { return &Service{db: db} }

// View is what a user may spend a day in an organization, and does; and how many
// workspaces they have and may have there.
type View struct {
	Organization berth.Organization
	User         berth.User
	Budget       berth.Allowance
	Groups       []berth.Group // whose allowances make the budget
	Spent        int
	Costs        []Spending // the dearest first, at most maxCosts
	Workspaces   int
	Running      int
	Limits       berth.WorkspaceLimits // as they hold for the user
}

// Spending is what one workspace costs a day, and whether it counts as running.
type Spending = store.CostRow

// maxCosts is how many workspaces are listed with their costs.
const maxCosts = 100

// Show is the quota of a user, by name or id ("me": the actor), in an
// organization by name or id.
func (s *Service) Show(ctx context.Context, actor authz.Actor, organization, user string) (v View, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		v = View{}
		if v.Organization, v.User, err = find(q, actor, organization, user); err != nil {
			return err
		}
		o, u := v.Organization.ID, v.User.ID
		v.Limits = v.Organization.Limits
		v.Limits.WorkspacesPerUser, v.Limits.RunningPerUser = perUser(v.User, v.Limits.WorkspacesPerUser), perUser(v.User, v.Limits.RunningPerUser)
		if v.Budget, v.Groups, err = budget(q, o, u); err != nil {
			return err
		}
		if v.Spent, err = q.Spent(o, u, ""); err != nil {
			return err
		}
		if v.Costs, err = q.Costs(o, u, maxCosts); err != nil {
			return err
		}
		if v.Workspaces, err = q.WorkspaceCountOf(o, u); err != nil {
			return err
		}
		names, err := q.RunningOf(o, u, "")
		v.Running = len(names)
		return err
	})
	return v, err
}

// find is an organization that the actor sees, and a user whose quota there they
// may read. Nothing tells apart what is not there and what they may not know of.
func find(q *store.Query, actor authz.Actor, organization, user string) (o berth.Organization, u berth.User, err error) {
	noun := "the quota of " + user + " in the organization " + organization
	missing := func(err error) error {
		if errors.Is(err, berth.NotFound) {
			return authz.Missing(actor, authz.Read, authz.KindQuota, noun)
		}
		return err
	}
	if actor.Anonymous() {
		return o, u, authz.Check(actor, authz.Read, authz.All(authz.KindQuota), noun)
	}
	if o, err = organizations.Find(q, actor, authz.Read, organization); err != nil {
		return o, u, missing(err)
	}
	if authz.Me(user) {
		user = string(actor.UserID)
	}
	if u, err = q.UserRef(user); err != nil {
		return o, u, missing(err)
	}
	if err := authz.Check(actor, authz.Read, authz.OfQuota(u.ID, o.ID), noun); err != nil {
		return o, u, err
	}
	if _, err = q.Member(o.ID, u.ID); !errors.Is(err, berth.NotFound) {
		return o, u, err
	}
	// Who has left and has workspaces there spends all the same.
	n, err := q.WorkspaceCountOf(o.ID, u.ID)
	if err == nil && n == 0 {
		err = berth.Errorf(berth.NotFound, "%s is no member of the organization %s", u.Username, o.Name)
	}
	return o, u, err
}
