package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// Stream is a byte stream to something in a workspace. CloseWrite ends the
// sending side and leaves the other open.
type Stream interface {
	net.Conn
	CloseWrite() error
}

// DialStream opens a stream of a kind ("ssh") to an agent of a workspace, by
// id and name. The context bounds the opening and not the stream.
func (c *Client) DialStream(ctx context.Context, workspace, agent, kind string) (Stream, error) {
	return nil, errors.New("not yet")
}

// AgentLink opens the calling agent's link to its relay, on which the agent
// then serves. An empty relayURL means the server itself. The context bounds
// the opening and not the link.
func (c *Client) AgentLink(ctx context.Context, relayURL string) (net.Conn, error) {
	base := c.URL()
	if relayURL != "" {
		u, err := parseURL(relayURL)
		if err != nil {
			return nil, err
		}
		base = u.String()
	}
	ws, err := c.dial(ctx, base+api.Prefix+"/agent/link")
	if err != nil {
		return nil, err
	}
	return websocket.NetConn(context.WithoutCancel(ctx), ws, websocket.MessageBinary), nil
}

// dial opens a websocket at an http(s) address.
func (c *Client) dial(ctx context.Context, address string) (*websocket.Conn, error) {
	h := http.Header{}
	c.sign(h)
	ws, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: c.http, HTTPHeader: h})
	switch {
	case err == nil:
		return ws, nil
	case res != nil && res.StatusCode != http.StatusSwitchingProtocols && res.StatusCode >= 300:
		return nil, c.refused(ctx, res)
	case res != nil:
		return nil, &berth.Error{Code: berth.Unavailable, Err: err,
			Message: strings.TrimSuffix(c.URL(), "/") + " does not open websockets: does a proxy in between block them?"}
	default:
		return nil, c.unreached(ctx, err)
	}
}
