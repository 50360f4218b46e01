package notices

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// atOnce are taken by one replica at a time.
const atOnce = 20

// limits are those of sending.
type limits struct {
	lease    time.Duration // until what was taken counts as lost and is due again
	firstTry time.Duration // until the second
	mostWait time.Duration // between two tries
	giveUp   time.Duration // after it was told
}

var usual = limits{lease: 2 * time.Minute, firstTry: 30 * time.Second, mostWait: 6 * time.Hour, giveUp: 3 * 24 * time.Hour}

// post is a way out of the house.
type post interface {
	// open makes ready to send; an error says that nothing can be sent now.
	open(ctx context.Context) (sending, error)
}

// sending sends some notices, one after the other. It is closed after the last.
type sending interface {
	// send sends one. An errAway says that the next would fare no better.
	send(ctx context.Context, d store.Delivery) error
	close()
}

// errAway says that the other side is not there, in contrast to that it does not
// want this notice.
type errAway struct{ error }

func (e errAway) Unwrap() error { return e.error }

// way is a post and what this process knows of it.
type way struct {
	berth.Way
	post
	down atomic.Bool // it was away when it was last tried
}

// Send sends what is due and tells how many were sent. It is safe on every
// replica at once. One way that is slow or away does not keep the other waiting.
func (s *Service) Send(ctx context.Context) (int64, error) {
	if len(s.out) == 0 {
		return 0, nil
	}
	state, err := s.state(ctx)
	if err != nil || state.Paused {
		return 0, err
	}
	var sent atomic.Int64
	var all sync.WaitGroup
	problems := make([]error, len(s.out))
	for i, w := range s.out {
		all.Go(func() {
			for more := true; more && problems[i] == nil && ctx.Err() == nil; {
				more, problems[i] = s.batch(ctx, w, &sent)
			}
		})
	}
	all.Wait()
	return sent.Load(), errors.Join(problems...)
}

// batch sends some that are due, and tells whether there may be more.
func (s *Service) batch(ctx context.Context, w *way, sent *atomic.Int64) (more bool, err error) {
	by := string(berth.NewID[way]())
	var taken []store.Delivery
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		taken = nil
		n, err := tx.TakeDeliveries(w.Way, by, tx.Now.Add(s.limits.lease), atOnce)
		if err != nil || n == 0 {
			return err
		}
		taken, err = tx.TakenDeliveries(w.Way, by)
		return err
	})
	if err != nil || len(taken) == 0 {
		return false, err
	}
	out, away := w.open(ctx)
	if away == nil {
		defer out.close()
		if err := s.back(ctx, w); err != nil {
			return false, err
		}
	}
	for _, d := range taken {
		if why := unwanted(d, time.Now()); why != "" {
			if err := s.end(ctx, d, by, berth.DeliveryDropped, why); err != nil {
				return false, err
			}
			continue
		}
		problem := away
		if away == nil {
			problem = out.send(ctx, d)
		}
		if errors.As(problem, new(errAway)) {
			away = problem
		}
		if err := s.settle(ctx, d, by, problem); err != nil {
			return false, err
		}
		if problem == nil {
			sent.Add(1)
		}
	}
	if away != nil && !w.down.Swap(true) {
		s.opt.Log.Warn("notices cannot be sent for now; they are tried again", "way", w.Way, "error", away)
	}
	return away == nil && len(taken) == atOnce, nil
}

// back has all tried at once that wait, when a way that was away is there again.
func (s *Service) back(ctx context.Context, w *way) error {
	if !w.down.Swap(false) {
		return nil
	}
	s.opt.Log.Info("notices can be sent again", "way", w.Way)
	return s.db.Guarded(ctx, func(tx *store.Tx) error { return tx.HurryDeliveries(w.Way) })
}

// unwanted is why nobody is to have a notice any more; empty: they are.
func unwanted(d store.Delivery, now time.Time) string {
	k, known := kindOf(d.Notice.Kind)
	switch {
	case !d.User.DeletedAt.IsZero():
		return "the user was deleted"
	case !d.User.MaySignIn() && !k.Away:
		return "the user may not sign in any more"
	case known && k.Useful > 0 && now.Sub(d.CreatedAt) > k.Useful:
		return "it would have come too late to be of use"
	}
	return ""
}

// settle keeps how a try ended. What was sent by somebody whose server is told
// to stop is kept all the same.
func (s *Service) settle(ctx context.Context, d store.Delivery, by string, problem error) error {
	now := time.Now()
	switch {
	case problem == nil:
		return s.end(ctx, d, by, berth.DeliverySent, "")
	case now.Sub(d.CreatedAt) >= s.limits.giveUp:
		s.opt.Log.Warn("a notice was given up", "notice", d.NoticeID, "way", d.Way, "user", d.User.Username, "tries", d.Tries, "error", problem)
		return s.end(ctx, d, by, berth.DeliveryFailed, fmt.Sprintf("given up after %d tries: %s", d.Tries, problem))
	}
	return s.db.Guarded(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return tx.PutOffDelivery(d.ID, by, tx.Now.Add(s.limits.pause(d.Tries)), problem.Error())
	})
}

func (s *Service) end(ctx context.Context, d store.Delivery, by string, status berth.DeliveryStatus, why string) error {
	return s.db.Guarded(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.EndDelivery(d.ID, by, status, why) })
}

// pause is how long the next try waits after so many: it doubles, and a tenth of
// it is chance, so that not all come at once.
func (l limits) pause(tries int) time.Duration {
	wait := min(l.firstTry<<min(max(tries-1, 0), 20), l.mostWait)
	return wait - rand.N(wait/10+1)
}
