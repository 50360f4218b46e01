package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/coder/websocket"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/tunnel"
)

// Terminal is one viewer's connection to a terminal, which outlives it. Next
// may be called beside the other methods.
type Terminal struct{ ws *websocket.Conn }

// OpenTerminal attaches to the terminal id (a UUID of the caller's making) of
// an agent, by id of the workspace and name; see OnlyAgent. Where there is none
// of that id, one is made, with command in place of a login shell when that is
// not empty. The context bounds the opening.
func (c *Client) OpenTerminal(ctx context.Context, workspace, agent, id string, size api.TerminalSize, command string) (*Terminal, error) {
	p := path("workspaces", workspace, "agents", agent, "terminal", id)
	if strings.HasPrefix(p, badPath) {
		return nil, berth.Errorf(berth.Invalid, "%q is not the name of an agent", agent)
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	h := http.Header{}
	c.sign(h)
	ws, resp, err := websocket.Dial(ctx, c.URL()+api.Prefix+query(p, "cols", number(size.Columns), "rows", number(size.Rows), "command", command),
		&websocket.DialOptions{HTTPClient: c.http, HTTPHeader: h, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		if resp != nil && resp.StatusCode != 0 {
			body, _ := io.ReadAll(resp.Body)
			err = &tunnel.HandshakeError{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Body: body}
		}
		return nil, c.noSocket(ctx, err)
	}
	ws.SetReadLimit(2 * api.MaxTerminalFrame)
	return &Terminal{ws}, nil
}

// Next waits for the next message: bytes to show, or something else to know.
// It gives io.EOF after the end of the terminal, and another error when the
// connection was lost.
func (t *Terminal) Next(ctx context.Context) (output []byte, control api.TerminalControl, err error) {
	kind, data, err := t.ws.Read(ctx)
	switch {
	case websocket.CloseStatus(err) == websocket.StatusNormalClosure:
		return nil, control, io.EOF
	case err != nil:
		return nil, control, fmt.Errorf("the connection to the terminal was lost: %w", err)
	case kind == websocket.MessageBinary:
		return data, control, nil
	}
	if err := json.Unmarshal(data, &control); err != nil {
		return nil, control, fmt.Errorf("reading a message of the terminal: %w", err)
	}
	return nil, control, nil
}

// Type gives the program what a person typed.
func (t *Terminal) Type(ctx context.Context, data []byte) error {
	return t.ws.Write(ctx, websocket.MessageBinary, data)
}

// Resize says what size the window has.
func (t *Terminal) Resize(ctx context.Context, size api.TerminalSize) error {
	text, err := json.Marshal(api.TerminalControl{Resize: &size})
	if err != nil {
		return err
	}
	return t.ws.Write(ctx, websocket.MessageText, text)
}

// Close leaves the terminal, which goes on.
func (t *Terminal) Close() error { return t.ws.CloseNow() }
