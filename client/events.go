package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/berthdev/berth"
)

const (
	// quiet is how long a stream of events may say nothing, comments included,
	// before the connection counts as dead.
	quiet = 60 * time.Second
	// maxEvent bounds one event: a workspace with all its agents is far below.
	maxEvent = 8 << 20
)

// event is one server-sent event.
type event struct {
	name string
	data []byte
}

func decode[T any](e event) (T, error) {
	var v T
	if err := json.Unmarshal(e.data, &v); err != nil {
		return v, fmt.Errorf("reading a %s event: %w", e.name, err)
	}
	return v, nil
}

// watch reads the events at path() and hands them to take until take says false
// or fails. A connection that breaks is made again, where path() then says, for
// as long as c.rewatch allows without a single event.
func (c *Client) watch(ctx context.Context, path func() string, take func(event) (bool, error)) error {
	last, tries := time.Now(), 0
	for {
		more, err := c.listen(ctx, path(), func(e event) (bool, error) {
			last, tries = time.Now(), 0
			return take(e)
		})
		switch {
		case err == nil && !more:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, berth.Unavailable):
			return err
		case err == nil:
			err = berth.Errorf(berth.Unavailable, "%s ended the stream of events", c.URL())
		}
		wait := backoff(tries)
		tries++
		if time.Since(last)+wait > c.rewatch {
			return err
		}
		c.onRetry(err)
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// listen does one connection of a watch; more is true when it ended while more
// was wanted.
func (c *Client) listen(ctx context.Context, path string, take func(event) (bool, error)) (more bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := berth.Errorf(berth.Unavailable, "%s has been silent for %v", c.URL(), quiet)
	watchdog := time.AfterFunc(quiet, func() { cancel(silent) })
	defer watchdog.Stop()

	res, err := c.send(ctx, request{method: http.MethodGet, path: path, accept: "text/event-stream"})
	if err == nil {
		defer res.Body.Close()
		more, err = parse(res.Body, func() { watchdog.Reset(quiet) }, take)
	}
	var broken readError
	if errors.As(err, &broken) {
		err = &berth.Error{Code: berth.Unavailable, Message: fmt.Sprintf("the connection to %s broke off", c.URL()), Err: broken.error}
	}
	if err != nil && context.Cause(ctx) == error(silent) {
		return true, silent
	}
	return more, err
}

// readError is an error of the connection, as opposed to one of its content.
type readError struct{ error }

// parse reads events until the stream ends, take says false or an error. Alive
// is called for every line.
func parse(r io.Reader, alive func(), take func(event) (bool, error)) (more bool, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 16<<10), maxEvent)
	var e event
	for lines.Scan() {
		alive()
		key, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(lines.Bytes()) == 0:
			if e.data != nil {
				if more, err := take(e); err != nil || !more {
					return false, err
				}
			}
			e = event{}
		case string(key) == "event":
			e.name = string(value)
		case string(key) == "data":
			if e.data != nil {
				e.data = append(e.data, '\n')
			}
			e.data = append(e.data, value...)
			if len(e.data) > maxEvent {
				return true, errors.New("an event is too long")
			}
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return true, fmt.Errorf("reading events: %w", err)
		}
		return true, readError{err}
	}
	return true, nil
}
