package runner

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/berthdev/berth"
)

// callTime bounds one call to the server, sendTime one that carries a state:
// a connection that hangs must not be waited for for ever.
const (
	callTime = 30 * time.Second
	sendTime = 3 * time.Minute
)

// backoff is the pause after the nth failure, n from 0: about 0.2 s, doubling
// to about 15 s, each somewhere between half and the whole, so that many
// runners do not come back in one moment.
func backoff(n int) time.Duration {
	d := 200 * time.Millisecond << min(n, 7)
	d = min(d, 15*time.Second)
	return d/2 + rand.N(d/2+1)
}

func within(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return f(ctx)
}

// insist calls until there is an answer that trying again would not change:
// success, conflict (not ours any more) or invalid. A server that is away, is
// failing, or does not know us for the moment is asked again for ever. Not
// found is no answer either: a proxy in front of a server that is down may say
// so, and a build that is truly gone is missing in the answer to our next hello.
func (h *held) insist(ctx context.Context, doing string, limit time.Duration, f func(context.Context) error) error {
	for n := 0; ; n++ {
		err := within(ctx, limit, f)
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
		switch berth.ErrorCode(err) {
		case "", berth.Conflict, berth.Invalid:
			return err
		case berth.NotFound:
			h.r.reportAgain()
		}
		if n%20 == 0 {
			h.r.o.Log.Warn("talking to the server; trying again until it works", "doing", doing, "build", h.rec.name(), "error", err)
		}
		pause(ctx, backoff(n))
	}
}
