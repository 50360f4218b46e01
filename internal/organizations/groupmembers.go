package organizations

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// GroupMembers is one page of who is in a group, by username, and where the next
// page begins.
func (s *Service) GroupMembers(ctx context.Context, actor authz.Actor, ref, group, after string, limit int) (rows []GroupMember, next string, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		o, g, err := findGroup(q, actor, authz.Read, ref, group)
		if err != nil {
			return err
		}
		rows, next, err = byName(limit, func(n int) ([]GroupMember, error) {
			if !g.Everyone() {
				return q.GroupMembers(g.ID, after, n)
			}
			all, err := q.Members(store.MemberFilter{Organization: o.ID}, after, n)
			members := make([]GroupMember, len(all))
			for i, m := range all {
				members[i] = GroupMember{User: m.User, PutBy: m.Source}
			}
			return members, err
		}, func(m GroupMember) string { return m.User.Username })
		return err
	})
	return rows, next, err
}

// AddToGroup puts a member of the organization into a group; they may be in it
// already.
func (s *Service) AddToGroup(ctx context.Context, actor authz.Actor, ref, group, user string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		o, g, err := changeable(tx, actor, ref, group)
		if err != nil {
			return err
		}
		u, err := person(&tx.Query, actor, user)
		if err != nil {
			return err
		}
		if _, err := tx.Member(o.ID, u.ID); errors.Is(err, berth.NotFound) {
			// Said in the words for a user who is not there: whom others have is
			// none of their business.
			return authz.Hidden("the user " + user)
		} else if err != nil {
			return err
		}
		there, err := tx.InGroup(g.ID, u.ID)
		if err != nil || there {
			return err
		}
		if err := tx.AddToGroup(g.ID, u.ID, berth.SourceUser); err != nil {
			return err
		}
		return tx.InsertAudit(memberOf(audited(actor, "add", "group", o.ID, string(g.ID), g.Name), u))
	})
}

// RemoveFromGroup takes somebody out of a group.
func (s *Service) RemoveFromGroup(ctx context.Context, actor authz.Actor, ref, group, user string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		o, g, err := changeable(tx, actor, ref, group)
		if err != nil {
			return err
		}
		noun := "the member " + user + " of the group " + g.Name
		u, err := tx.UserRef(self(actor, user))
		if err == nil {
			err = tx.RemoveFromGroup(g.ID, u.ID)
		}
		if errors.Is(err, berth.NotFound) {
			return authz.Hidden(noun)
		}
		if err != nil {
			return err
		}
		return tx.InsertAudit(memberOf(audited(actor, "remove", "group", o.ID, string(g.ID), g.Name), u))
	})
}

// changeable is a group whose members people change by hand, if the actor may.
func changeable(tx *store.Tx, actor authz.Actor, ref, group string) (o berth.Organization, g berth.Group, err error) {
	if o, g, err = findGroup(&tx.Query, actor, authz.Update, ref, group); err != nil {
		return o, g, err
	}
	if err := kept(g, "changed by hand"); err != nil {
		return o, g, err
	}
	if g.Source != berth.SourceUser {
		return o, g, berth.Errorf(berth.Conflict, "the members of %s are kept by the identity provider %s: change them there", g.Name, g.Source)
	}
	return o, g, nil
}
