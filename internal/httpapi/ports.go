package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/apps"
	"github.com/berthdev/berth/internal/workspaces"
)

// portsTime bounds how long an agent may take to list its ports.
const portsTime = 10 * time.Second

// listPorts asks the agent. Ports that are shared are listed also where nothing
// listens.
func (h *handlers) listPorts(ctx context.Context, in *AgentInput) (*body[api.Page[api.WorkspacePort]], error) {
	a, err := h.Workspaces.ResolveAgent(ctx, actorOf(ctx), in.id(), in.Agent)
	if err != nil {
		return nil, err
	}
	shared, err := h.Workspaces.SharedOf(ctx, actorOf(ctx), in.id())
	if err != nil {
		return nil, err
	}
	found, err := h.agentPorts(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	items, seen := []api.WorkspacePort{}, map[int]bool{}
	for _, p := range found {
		seen[p.Port] = true
		items = append(items, viewPort(h.origins(), shared, a.Name, p))
	}
	for _, p := range shared.Ports {
		if p.Agent == a.Name && !seen[p.Port] {
			items = append(items, viewPort(h.origins(), shared, a.Name, berth.Port{Port: p.Port}))
		}
	}
	return answered(api.Page[api.WorkspacePort]{Items: items}, nil)
}

// agentPorts asks an agent, whose answer is a stranger's.
func (h *handlers) agentPorts(ctx context.Context, agent berth.AgentID) ([]berth.Port, error) {
	ctx, cancel := context.WithTimeout(ctx, portsTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/ports", nil)
	if err != nil {
		return nil, err
	}
	res, err := h.Relay.Call(agent, req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	const most = 256 << 10
	var answer struct{ Ports []berth.Port }
	err = json.NewDecoder(io.LimitReader(res.Body, most)).Decode(&answer)
	if res.StatusCode == http.StatusNotFound {
		return nil, berth.Errorf(berth.Unavailable, "the workspace's agent is too old to list ports: restart the workspace to get this server's agent")
	}
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, &berth.Error{Code: berth.Unavailable, Message: "the workspace's agent could not list its ports; try again", Err: errors.Join(err, errors.New(res.Status))}
	}
	good := answer.Ports[:0]
	for _, p := range answer.Ports {
		if berth.ValidatePort("port", p.Port) == nil && len(p.Process) <= 64 && len(p.Address) <= 64 {
			good = append(good, p)
		}
	}
	return good, nil
}

func viewPort(o apps.Origins, s workspaces.Shared, agent string, p berth.Port) api.WorkspacePort {
	level, https := s.PortLevel(agent, p.Port)
	r := ref(s, agent)
	r.Port, r.HTTPS = p.Port, https
	v := api.WorkspacePort{Agent: agent, Port: p.Port, Address: p.Address, Process: p.Process, Share: string(level), HTTPS: https}
	var err error
	if v.URL, err = o.HostURL(r); err != nil {
		v.Note = berth.ErrorMessage(err)
	}
	return v
}

type PortInput struct {
	AgentInput
	Port int `path:"port" minimum:"1" maximum:"65535"`
}

type sharePortInput struct {
	PortInput
	Body api.SharePort
}

func (h *handlers) sharePort(ctx context.Context, in *sharePortInput) (*body[api.WorkspacePort], error) {
	p := berth.PortShare{Port: in.Port, Scheme: "http", Level: berth.Share(in.Body.Level)}
	if in.Body.HTTPS {
		p.Scheme = "https"
	}
	shared, kept, err := h.Workspaces.SharePort(ctx, actorOf(ctx), in.id(), in.Agent, p)
	if err != nil {
		return nil, err
	}
	return answered(viewPort(h.origins(), shared, kept.Agent, berth.Port{Port: kept.Port}), nil)
}

func (h *handlers) unsharePort(ctx context.Context, in *PortInput) (*struct{}, error) {
	return nil, h.Workspaces.UnsharePort(ctx, actorOf(ctx), in.id(), in.Agent, in.Port)
}

func formatInt(n int) string { return strconv.Itoa(n) }

// randomName is a few random characters, as a name may have them.
func randomName() string {
	id := string(berth.NewID[berth.Token]())
	return id[len(id)-8:]
}
