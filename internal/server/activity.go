package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/httpapi"
	"github.com/berthdev/berth/internal/links"
)

// largestSeen bounds what an agent may answer, in bytes.
const largestSeen = 64 << 10

// askAgent asks an agent over its link what it saw.
func (p *parts) askAgent(ctx context.Context, agent berth.AgentID) ([]activity.Seen, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/activity", nil)
	if err != nil {
		return nil, err
	}
	answer, err := p.relay.Call(agent, req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, berth.Errorf(berth.Unavailable, "the agent answered %s: it is older than this server; restart the workspace", answer.Status)
	}
	var in api.AgentActivity
	if err := json.NewDecoder(io.LimitReader(answer.Body, largestSeen)).Decode(&in); err != nil {
		return nil, err
	}
	return httpapi.Seen(in), nil
}

// trickle is how many bytes between two reports of a forwarded port move while
// nobody uses it; see the agent's of the same name.
const trickle = 2 << 10

// forwarded hears from the relay of ports that people forward. All else that
// people use the agent sees better, which tells bytes of a session from the
// frames around them.
type forwarded struct{ book *activity.Book }

func (f forwarded) Report(e links.Evidence) {
	kind, address, _ := strings.Cut(e.Kind, ":")
	if !e.Person || kind != "tcp" && kind != "udp" || !e.First && e.Typed+e.Shown < trickle {
		return
	}
	f.book.Note(e.Workspace, berth.EvidenceForward, "port "+address[strings.LastIndexByte(address, ':')+1:])
}
