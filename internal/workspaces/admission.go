package workspaces

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Admission is that a user, by one of their logins, has a connection to a
// workspace open.
type Admission struct {
	User      berth.UserID
	Login     berth.TokenID
	Workspace berth.WorkspaceID
}

var (
	errLoginEnded = berth.Errorf(berth.Unauthenticated, "your login has ended: sign in again with berth login")
	errSuspended  = berth.Errorf(berth.Unauthenticated, "your user was suspended: ask an owner of the site about it")
	errNoMore     = berth.Errorf(berth.Forbidden, "you may not connect to this workspace any more")
)

// WatchAdmission gives a channel that is rung when it may have become another
// answer whether an admission still holds, and what ends the watching. Rings
// are hints: look now and then all the same.
func (s *Service) WatchAdmission(a Admission) (<-chan struct{}, func()) {
	return s.db.Waits(store.UserTopic(a.User), store.AccessTopic(string(a.Workspace)))
}

// Refused are those admissions of a list that ended meanwhile, and why: the
// login ended, its user was suspended, or they may not connect to the workspace
// any more. It is the rule of ResolveAgent, looked at without a trace: a
// connection that is merely open is no use of the workspace, nor of the login.
// What could not be looked up is not refused; the error joins why.
func (s *Service) Refused(ctx context.Context, list []Admission) (map[Admission]error, error) {
	ended := map[Admission]error{}
	var problems []error
	for _, a := range list {
		err := s.db.Read(ctx, func(q *store.Query) error { return admit(q, a) })
		switch berth.ErrorCode(err) {
		case berth.Unauthenticated, berth.Forbidden, berth.NotFound:
			ended[a] = err
		default:
			problems = append(problems, err)
		}
	}
	return ended, errors.Join(problems...)
}

func admit(q *store.Query, a Admission) error {
	actor, err := visitor(q, a.User, a.Login, time.Now())
	switch {
	case errors.Is(err, berth.Unauthenticated), err == nil && actor.Anonymous():
		if u, err := q.User(a.User); err == nil && u.Status == berth.UserSuspended {
			return errSuspended
		}
		return errLoginEnded
	case err != nil:
		return err
	}
	w, err := find(q, actor, authz.Connect, a.Workspace)
	if code := berth.ErrorCode(err); code == berth.NotFound || code == berth.Forbidden {
		return errNoMore
	}
	if err != nil {
		return err
	}
	owner, err := q.User(w.OwnerID)
	if err == nil && owner.Status == berth.UserSuspended {
		return berth.Errorf(berth.Forbidden, "the owner of the workspace is suspended: nobody can connect to it until that is lifted")
	}
	return err
}
