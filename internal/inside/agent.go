package inside

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// socketVariable names the agent's local socket in sessions and scripts.
const socketVariable = "BERTH_AGENT_SOCKET"

// ask makes a request to the workspace's agent: in, if not nil, is sent as JSON,
// and the answer read into out, if that is not nil. What the agent refuses comes
// back as its own error.
func ask(ctx context.Context, method, path string, in, out any) error {
	socket := os.Getenv(socketVariable)
	if socket == "" {
		return berth.Errorf(berth.Unavailable, "%s is not set: this command works in a workspace, in its sessions and scripts", socketVariable)
	}
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, body)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &berth.Error{Code: berth.Unavailable, Message: "the agent of this workspace does not answer on " + socket + ": does it run?", Err: err}
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		var p api.Problem
		if json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p) != nil || p.Code == "" {
			return berth.Errorf(berth.Unavailable, "the agent of this workspace answers %s: it is of another version than this command; restart the workspace", res.Status)
		}
		return &berth.Error{Code: berth.Code(p.Code), Message: p.Detail, Field: p.Field}
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}
