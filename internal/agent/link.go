package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/doctor"
	"github.com/berthdev/berth/internal/agent/retry"
)

const (
	linkDialTime = 30 * time.Second
	// A link that held this long was a good one: the next is tried at once.
	goodLink = 10 * time.Second
	// So many links in a row that were none: something in between cuts them.
	manyShort = 3
)

// link keeps a link to the relay until ctx ends. The manifest is fetched anew
// before each link but the first: the relay may be another one.
func (a *agent) link(ctx context.Context) {
	tries := retry.Backoff{What: "linking to the relay", Log: a.log}
	short := 0
	for fresh := true; ctx.Err() == nil; fresh = false {
		held, err := a.linkOnce(ctx, fresh)
		if ctx.Err() != nil {
			return
		}
		if held == 0 {
			a.troubled(ctx, err)
			if !tries.Failed(ctx, err) {
				return
			}
			continue
		}
		if short = shortLinks(short, held, err); short == manyShort {
			a.say("warn", "", fmt.Sprintf("The link to the server was cut %d times in a row, the last time after %v (%v): let the proxies in between keep websockets open, also idle ones, for more than 15 s.",
				manyShort, held.Round(time.Millisecond), err))
		}
		a.log.Info("the link ended; linking again", "after", held.Round(time.Millisecond), "reason", err)
		if held > goodLink || wantsRelink(err) {
			tries = retry.Backoff{What: tries.What, Log: a.log}
		}
		if !retry.Pause(ctx, tries.Next(time.Now(), isFinal(err))) {
			return
		}
	}
}

// linkOnce links and serves until the link ends, and says how long it held.
func (a *agent) linkOnce(ctx context.Context, fresh bool) (held time.Duration, err error) {
	if !fresh {
		if err := a.hello(ctx); err != nil {
			return 0, unlinked{doctor.Greeting, err}
		}
	}
	conn, err := a.dial(ctx)
	if err != nil {
		if berth.ErrorCode(err) == berth.Conflict {
			a.log.Warn("another agent is linked with the token of this one; does the template start two computers with one agent?")
		}
		return 0, err
	}
	defer conn.Close()
	begin := time.Now()
	a.log.Info("linked to the relay", "relay", cmp.Or(a.relayURL(), a.config.URL))
	a.onLink()
	a.activity.Again()
	err = a.serve(ctx, conn, a.offers())
	if err == nil {
		err = net.ErrClosed
	}
	return time.Since(begin), err
}

// onLink lets those go on who wait for the first link.
func (a *agent) onLink() {
	a.doctor.Well()
	a.linkedOnce.Do(func() { close(a.linked) })
}

func (a *agent) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, linkDialTime)
	defer cancel()
	return a.server.AgentLink(ctx, a.relayURL())
}

// relayURL is where to link; empty: to the server, by the address that we reach
// it at. That may be another than it calls itself by: templates rewrite it for
// containers, in which 127.0.0.1 is the container.
func (a *agent) relayURL() string {
	m := a.manifest.Load()
	if strings.TrimRight(m.RelayURL, "/") == strings.TrimRight(m.AccessURL, "/") {
		return ""
	}
	return m.RelayURL
}

// unlinked is an error of a try to link, with what it failed at.
type unlinked struct {
	stage doctor.Stage
	error
}

func (u unlinked) Unwrap() error { return u.error }

// troubled has the doctor look why a try to link failed.
func (a *agent) troubled(ctx context.Context, err error) {
	at := unlinked{stage: doctor.Linking, error: err}
	errors.As(err, &at)
	address := a.config.URL
	if relay := a.relayURL(); relay != "" && at.stage == doctor.Linking {
		address = relay
	}
	a.doctor.Ill(ctx, at.stage, address, at.error)
}

// shortLinks counts links in a row that were cut soon, by nobody who said so.
func shortLinks(before int, held time.Duration, err error) int {
	if held > 2*goodLink || wantsRelink(err) || isFinal(err) {
		return 0
	}
	return before + 1
}
