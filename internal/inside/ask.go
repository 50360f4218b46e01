package inside

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// askTime bounds one question; the agent may have to ask the server, and the
// server another service.
const askTime = 90 * time.Second

// ask asks the workspace's agent, and reads its answer into out.
func ask(ctx context.Context, path string, out any) error {
	socket := os.Getenv("BERTH_AGENT_SOCKET")
	if socket == "" {
		return berth.Errorf(berth.Unavailable, "this command works inside a workspace: BERTH_AGENT_SOCKET is not set here")
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path, nil)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return berth.Errorf(berth.Unavailable, "the agent of this workspace does not answer on %s: %w", socket, errors.Unwrap(err))
	}
	defer res.Body.Close()
	body := io.LimitReader(res.Body, 8<<20)
	if res.StatusCode >= 300 {
		var p api.Problem
		if json.NewDecoder(body).Decode(&p) != nil || p.Code == "" {
			return berth.Errorf(berth.Unavailable, "the agent of this workspace does not know this: restart the workspace to get a newer one")
		}
		return &berth.Error{Code: berth.Code(p.Code), Message: p.Detail, Field: p.Field}
	}
	return json.NewDecoder(body).Decode(out)
}
