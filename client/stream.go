package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/tunnel"
)

// Stream is a byte stream to something in a workspace: a net.Conn with
// CloseWrite, which ends the sending side and leaves the other open. A program
// that is about to exit closes it and waits for Done.
type Stream = tunnel.Stream

// DialStream opens a stream of a kind ("ssh") to an agent of a workspace, by
// id and name; see OnlyAgent. The context bounds the opening, not the stream.
func (c *Client) DialStream(ctx context.Context, workspace, agent, kind string) (*Stream, error) {
	p := path("workspaces", workspace, "agents", agent, "streams")
	if strings.HasPrefix(p, badPath) {
		return nil, berth.Errorf(berth.Invalid, "%q is not the name of an agent", agent)
	}
	h := http.Header{}
	c.sign(h)
	s, err := tunnel.Dialer{HTTP: c.http}.Dial(ctx, c.URL()+api.Prefix+p, h, string(berth.NewID[Stream]()), kind)
	if err != nil {
		return nil, c.noSocket(ctx, err)
	}
	return s, nil
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
