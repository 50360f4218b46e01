package links

import (
	"sync/atomic"
	"time"
)

// Evidence is what a relay saw of one stream since it last reported it. The
// counts include frames' headers and acknowledgements, which the relay does
// not tell from the rest: they are about whether something moved, not how much.
type Evidence struct {
	Identity
	Stream string
	Kind   string
	Person bool  // a person opened it, not this server
	First  bool  // the first report of this stream
	Typed  int64 // bytes towards the agent
	Shown  int64 // bytes towards the person
	At     time.Time
}

// Reporter is told of evidence of use, at most every EvidenceEvery for each
// stream and once when it ends. It must not block.
type Reporter interface{ Report(e Evidence) }

// EvidenceEvery is how long what moved on a stream may go unreported.
const EvidenceEvery = time.Minute

type nobody struct{}

func (nobody) Report(Evidence) {}

// counter counts one stream's bytes. It has no timer of its own: what moves
// reports what moved before.
type counter struct {
	to           Reporter
	of           Identity
	stream, kind string
	person       bool // set before anything is counted
	reported     atomic.Bool
	typed, shown atomic.Int64
	due          atomic.Int64 // Unix nanoseconds
}

func (r *Relay) count(of Identity, stream, kind string) *counter {
	return &counter{to: r.o.Evidence, of: of, stream: stream, kind: kind}
}

func (c *counter) towards(n int) { c.typed.Add(int64(n)); c.tick() }
func (c *counter) from(n int)    { c.shown.Add(int64(n)); c.tick() }

func (c *counter) tick() {
	now, due := time.Now(), c.due.Load()
	if now.UnixNano() >= due && c.due.CompareAndSwap(due, now.Add(EvidenceEvery).UnixNano()) {
		c.report(now)
	}
}

// stop reports what is left.
func (c *counter) stop() { c.report(time.Now()) }

func (c *counter) report(now time.Time) {
	e := Evidence{Identity: c.of, Stream: c.stream, Kind: c.kind, Person: c.person, Typed: c.typed.Swap(0), Shown: c.shown.Swap(0), At: now}
	if e.Typed+e.Shown > 0 {
		e.First = !c.reported.Swap(true)
		c.to.Report(e)
	}
}
