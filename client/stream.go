package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/tunnel"
)

// Stream is a byte stream to something in a workspace: a net.Conn with
// CloseWrite, which ends the sending side and leaves the other open. A program
// that is about to exit closes it and waits for Done.
type Stream = tunnel.Stream

// A StreamOption changes how a stream lives through the loss of its
// connection.
type StreamOption func(*tunnel.Resuming)

// OnCut is told that a stream's connection was lost, and that it is back.
func OnCut(lost func(error), back func()) StreamOption {
	return func(r *tunnel.Resuming) { r.Lost, r.Back = lost, back }
}

// ResumeFor changes for how long a lost connection is tried to be made again; 0
// is the usual. The agent keeps a stream for six minutes, so more is in vain.
func ResumeFor(d time.Duration) StreamOption {
	return func(r *tunnel.Resuming) { r.For = d }
}

// DialStream opens a stream of a kind ("ssh") to an agent of a workspace, by
// id and name; see OnlyAgent. The context bounds the opening, not the stream.
//
// When its connection is lost, the stream waits, for five and a half minutes at
// most, and goes on over another one with nothing lost or repeated. Agents and
// servers of before cannot do that; with them it ends with its connection.
func (c *Client) DialStream(ctx context.Context, workspace, agent, kind string, opts ...StreamOption) (*Stream, error) {
	p := path("workspaces", workspace, "agents", agent, "streams")
	if strings.HasPrefix(p, badPath) {
		return nil, berth.Errorf(berth.Invalid, "%q is not the name of an agent", agent)
	}
	r := tunnel.Resuming{
		Header: func() http.Header {
			h := http.Header{}
			c.sign(h)
			return h
		},
		Explain: func(err error) (bool, error) {
			err = c.noSocket(context.Background(), err)
			return forGood(err), err
		},
	}
	for _, o := range opts {
		o(&r)
	}
	s, err := tunnel.Dialer{HTTP: c.http}.DialResuming(ctx, c.URL()+api.Prefix+p, r, string(berth.NewID[Stream]()), kind)
	if err != nil {
		return nil, c.noSocket(ctx, err)
	}
	return s, nil
}

// forGood tells whether an error will not pass by waiting.
func forGood(err error) bool {
	switch berth.ErrorCode(err) {
	case berth.Unauthenticated, berth.Forbidden, berth.NotFound, berth.Invalid, berth.Conflict:
		return true
	default:
		return false
	}
}

// AgentLink opens the calling agent's link to its relay, on which the agent
// then serves. An empty relayURL means the server itself. The context bounds
// the opening, not the link.
func (c *Client) AgentLink(ctx context.Context, relayURL string) (net.Conn, error) {
	base := c.URL()
	if relayURL != "" {
		u, err := parseURL(relayURL)
		if err != nil {
			return nil, err
		}
		base = u.String()
	}
	h := http.Header{}
	c.sign(h)
	conn, err := tunnel.Dialer{HTTP: c.http}.DialLink(ctx, base+api.Prefix+"/agent/link", h)
	if err != nil {
		return nil, c.noSocket(ctx, err)
	}
	return conn, nil
}

// noSocket makes the error of a websocket that did not open.
func (c *Client) noSocket(ctx context.Context, err error) error {
	var answer *tunnel.HandshakeError
	if !errors.As(err, &answer) {
		return c.unreached(ctx, err)
	}
	if answer.Status < 400 {
		return &berth.Error{Code: berth.Unavailable, Err: err,
			Message: c.URL() + " does not open websockets: does a proxy in between block them?"}
	}
	return c.refused(ctx, &http.Response{
		StatusCode: answer.Status,
		Header:     http.Header{"Content-Type": {answer.ContentType}},
		Body:       io.NopCloser(bytes.NewReader(answer.Body)),
	})
}
