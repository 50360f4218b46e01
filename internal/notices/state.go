package notices

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// State is whether notices leave the house. Inboxes get them in any case.
type State struct {
	Paused   bool      `json:"paused"`
	PausedAt time.Time `json:"paused_at"`
	PausedBy string    `json:"paused_by"` // username

	Ways    []berth.Way `json:"-"` // those that are set up
	Waiting int         `json:"-"` // are to be sent
}

// stateSetting is the name of what is kept of the state.
const stateSetting = "notices"

func (s *Service) state(ctx context.Context) (state State, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		state = State{}
		return q.SiteSetting(stateSetting, &state)
	})
	return state, err
}

// mayRun is who looks after the sending: who may change the server.
func mayRun(actor authz.Actor) error {
	if authz.Can(actor, authz.Update, authz.All(authz.KindServer)) {
		return nil
	}
	if err := authz.Barred(actor, authz.Update, authz.KindServer); err != nil {
		return err
	}
	return berth.Errorf(berth.Forbidden, "how notices are sent is decided by owners of the site: ask one")
}

// Sending tells whether notices leave the house, and how many wait for that.
func (s *Service) Sending(ctx context.Context, actor authz.Actor) (state State, err error) {
	if err := mayRun(actor); err != nil {
		return state, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		state, err = s.stateIn(q)
		return err
	})
	return state, err
}

func (s *Service) stateIn(q *store.Query) (state State, err error) {
	state.Ways = s.ways()
	if err := q.SiteSetting(stateSetting, &state); err != nil {
		return state, err
	}
	state.Waiting, err = q.PendingDeliveries()
	return state, err
}

// Pause keeps all notices in the house, or lets them out again: what waited is
// sent then.
func (s *Service) Pause(ctx context.Context, actor authz.Actor, paused bool) (state State, err error) {
	if err := mayRun(actor); err != nil {
		return state, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if state, err = s.stateIn(&tx.Query); err != nil || state.Paused == paused {
			return err
		}
		changes := berth.Changes{}
		changes.Set("paused", state.Paused, paused)
		state.Paused, state.PausedAt, state.PausedBy = paused, time.Time{}, ""
		action := "resume"
		if paused {
			state.PausedAt, state.PausedBy, action = tx.Now, actor.Username, "pause"
		}
		if err := tx.PutSiteSetting(stateSetting, state); err != nil {
			return err
		}
		tx.Wake(store.NoticesTopic)
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: action, Kind: "notices", TargetName: "sending", Changes: changes})
	})
	return state, err
}

// Trouble is a sending that did not work, or not yet.
type Trouble struct {
	berth.Delivery
	Kind string
	User string // username
}

// Troubles is one page of what could not be sent: given up, dropped, or waiting
// for its next try. It tells to whom and why, not what.
func (s *Service) Troubles(ctx context.Context, actor authz.Actor, after string, limit int) (all []Trouble, next string, err error) {
	if err := mayRun(actor); err != nil {
		return nil, "", err
	}
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		rows, n, err := q.TroubledDeliveries(page)
		all, next = make([]Trouble, len(rows)), n
		for i, r := range rows {
			all[i] = Trouble{r.Delivery, r.Notice.Kind, r.User.Username}
		}
		return err
	})
	return all, next, err
}

// Test tells the actor something on every way that is set up, and answers the
// notice.
func (s *Service) Test(ctx context.Context, actor authz.Actor) (n berth.Notice, err error) {
	if err := mayRun(actor); err != nil {
		return n, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		mark := string(berth.NewID[Service]())
		if err := s.Tell(tx, berth.Notice{Kind: KindTest, Once: mark, Data: map[string]string{"by": actor.Username}}, actor.UserID); err != nil {
			return err
		}
		n, err = tx.NoticeOnce(actor.UserID, mark)
		return err
	})
	return n, err
}

// Deliveries is how a notice of the actor is sent.
func (s *Service) Deliveries(ctx context.Context, actor authz.Actor, id berth.NoticeID) (all []berth.Delivery, err error) {
	if err := mine(actor, authz.Read); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		all, err = q.DeliveriesOf(actor.UserID, id)
		return err
	})
	return all, err
}
