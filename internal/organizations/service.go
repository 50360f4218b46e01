package organizations

import (
	"cmp"
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db    *store.DB
	guard policies.Guard
}

// Members, groups and members of groups as people see them.
type (
	Member      = store.MemberRow
	GroupView   = store.GroupRow
	GroupMember = store.GroupMember
)

// New makes the service on an open database.
func New(db *store.DB) *Service { return &Service{db: db, guard: policies.Nobody{}} }

// SetGuard gives who knows what an edit of the rules does to workspaces. Call it
// before the first request; the server does.
func (s *Service) SetGuard(g policies.Guard) { s.guard = g }

// Find is a living organization by name or id, if the actor may do the action to
// it; "" and "default" are the default one. Nothing tells apart what is not
// there and what the actor may not know of.
func Find(q *store.Query, actor authz.Actor, action authz.Action, ref string) (berth.Organization, error) {
	return find(q, actor, action, authz.KindOrganization, ref)
}

// find is an organization, if the actor may do the action to things of a kind in
// it, or to itself.
func find(q *store.Query, actor authz.Actor, action authz.Action, kind authz.Kind, ref string) (berth.Organization, error) {
	noun := "the organization " + cmp.Or(ref, berth.DefaultOrganization)
	o, err := q.OrganizationRef(ref)
	if errors.Is(err, berth.NotFound) {
		return o, authz.Missing(actor, action, kind, noun)
	}
	if err != nil {
		return o, err
	}
	err = authz.Check(actor, action, authz.In(kind, o.ID), noun)
	if errors.Is(err, berth.Forbidden) { // who may know of it is told its name, however they asked
		err = authz.Check(actor, action, authz.In(kind, o.ID), "the organization "+o.Name)
	}
	return o, err
}

// within is find for things in an organization, which the plural names.
func within(q *store.Query, actor authz.Actor, action authz.Action, kind authz.Kind, ref, plural string) (berth.Organization, error) {
	o, err := find(q, actor, action, kind, ref)
	if errors.Is(err, berth.Forbidden) && authz.Barred(actor, action, kind) == nil {
		err = berth.Errorf(berth.Forbidden, "you may see the %s of the organization %s and not change them; ask an owner of it or of the site for the right", plural, o.Name)
	}
	return o, err
}

// List is one page of the organizations that the actor may see, oldest first,
// and where the next page begins ("" on the last).
func (s *Service) List(ctx context.Context, actor authz.Actor, after string, limit int) (seen []berth.Organization, next string, err error) {
	visible, err := authz.List(actor, authz.KindOrganization)
	if err != nil {
		return nil, "", err
	}
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		seen, next, err = q.OrganizationPage(visible, page)
		return err
	})
	return seen, next, err
}

// Get is one organization by name or id.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref string) (o berth.Organization, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		o, err = Find(q, actor, authz.Read, ref)
		return err
	})
	return o, err
}

// audited is a row of the record about something of an organization.
func audited(actor authz.Actor, action, kind string, o berth.OrganizationID, id, name string) store.Audit {
	return store.Audit{ActorID: actor.UserID, Action: action, Kind: kind, OrganizationID: o, TargetID: id, TargetName: name}
}

// byName cuts a list by name to a page: read gives at most n rows, name is what
// the next page begins after.
func byName[T any](limit int, read func(n int) ([]T, error), name func(T) string) ([]T, string, error) {
	page, err := store.NewPage("", limit)
	if err != nil {
		return nil, "", err
	}
	if page.Limit == 0 {
		page.Limit = 50
	}
	rows, err := read(page.Limit + 1)
	if err != nil || len(rows) <= page.Limit {
		return rows, "", err
	}
	rows = rows[:page.Limit]
	return rows, name(rows[page.Limit-1]), nil
}
