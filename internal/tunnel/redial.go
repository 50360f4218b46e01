package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	redialFirst = 100 * time.Millisecond
	redialLast  = 5 * time.Second
	// redialWait bounds one try; it is above openWait.
	redialWait = 20 * time.Second
)

// Resuming says how a stream that lost its connection gets another one. Nil
// functions are not called, the others one after the other.
type Resuming struct {
	// For is how long it tries; 0: for ResumeFor, and 30 s more in which what
	// lies in between finds together again.
	For time.Duration
	// Header of each try; a token may have changed since.
	Header func() http.Header
	// Explain words an answer that was not what was asked for, and says whether
	// it is for good; nil takes 4xx for that.
	Explain func(err error) (forGood bool, worded error)
	// Lost and Back tell that the connection was lost and that it is back;
	// not of a stream that was closed meanwhile.
	Lost func(err error)
	Back func()
}

// DialResuming opens a stream that goes on over another connection when one is
// lost, where relay and agent are able to; else it is as with Dial. The context
// bounds the opening, not the stream.
func (d Dialer) DialResuming(ctx context.Context, address string, r Resuming, id, kind string) (*Stream, error) {
	if r.For == 0 {
		r.For = ResumeFor + resumeGrace
	}
	if r.Explain == nil {
		r.Explain = plainly
	}
	re := &redialer{Resuming: r, s: newStream(), open: func(ctx context.Context, number int, from int64) (io.ReadWriteCloser, int64, bool, error) {
		var header http.Header
		if r.Header != nil {
			header = r.Header()
		}
		c, answer, err := d.open(ctx, address, header, Opening{ID: id, Kind: kind, Resumes: true, Carrier: number, From: from})
		received, resumes := receivedIn(answer)
		return c, received, resumes, err
	}}
	c, _, resumes, err := re.open(ctx, 0, 0)
	if err != nil {
		return nil, err
	}
	if !resumes {
		return New(c), nil
	}
	re.s.resumes, re.s.redial = true, re.run
	re.s.attach(c, 0, 0)
	return re.s, nil
}

func plainly(err error) (bool, error) {
	var h *HandshakeError
	return errors.As(err, &h) && h.Status < 500, err
}

// redialer brings a stream new carriers.
type redialer struct {
	Resuming
	s    *Stream
	open func(ctx context.Context, number int, from int64) (rw io.ReadWriteCloser, received int64, resumes bool, err error)

	running sync.Mutex // one run at a time
	tries   int        // since something moved
	moved   int64
}

// run is called when a carrier was lost, and returns with the next or with the
// end of the stream.
func (r *redialer) run(cause error) {
	r.running.Lock()
	defer r.running.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), r.For)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-r.s.Done():
			cancel()
		case <-stop:
		}
	}()
	if moved := r.s.moved(); moved != r.moved {
		r.moved, r.tries = moved, 0
	}
	told := !r.s.unneeded()
	if told && r.Lost != nil {
		r.Lost(cause)
	}
	if last := r.redial(ctx, cause); last != nil {
		r.s.fail(last)
	} else if told && r.Back != nil {
		r.Back()
	}
}

// redial tries until there is a new carrier; its error is the end.
func (r *redialer) redial(ctx context.Context, last error) error {
	for {
		if !pause(ctx, r.wait()) {
			return fmt.Errorf("%w and not back within %v: %w", ErrLost, r.For.Round(time.Millisecond), last)
		}
		forGood, err := r.try(ctx)
		if err == nil {
			return nil
		}
		if forGood {
			return fmt.Errorf("%w: %w", ErrLost, err)
		}
		if ctx.Err() == nil {
			last = err
		}
	}
}

func (r *redialer) try(ctx context.Context) (forGood bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, redialWait)
	defer cancel()
	number, from := r.s.next()
	rw, received, resumes, err := r.open(ctx, number, from)
	if err != nil {
		return r.Explain(err)
	}
	if !resumes {
		err = errGone // an agent of before opened a new stream
	} else if _, err = r.s.attach(rw, number, received); err == nil {
		return false, nil
	}
	(&carrier{ReadWriteCloser: rw}).abort()
	return true, err
}

var errGone = errors.New("the agent does not know this connection any more")

// wait is how long to wait before the next try: little at first, then doubled
// each time, and spread so that not all come at once. A connection on which
// nothing moved before it was lost again was no success.
func (r *redialer) wait() time.Duration {
	d := redialLast
	if r.tries < 6 {
		d = min(d, redialFirst<<r.tries)
	}
	r.tries++
	return d/2 + rand.N(d/2)
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// next gives the next carrier a number, and says how many bytes have arrived.
func (s *Stream) next() (number int, from int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	return s.number, s.received
}

// moved changes when anything got through.
func (s *Stream) moved() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received + s.ackedUs + s.unacked.base
}

// unneeded tells that only what is about the end is still to be said.
func (s *Stream) unneeded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || s.gotReset != nil
}
