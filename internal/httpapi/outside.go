package httpapi

import (
	"context"
	"io"
	"net/http"

	"github.com/berthdev/berth/api"
)

func (h *handlers) externalAgent(ctx context.Context, in *AgentInput) (*secretAnswer[api.ExternalAgent], error) {
	o, err := h.Workspaces.OutsideAgent(ctx, actorOf(ctx), in.id(), in.Agent)
	if err != nil {
		return nil, err
	}
	return &secretAnswer[api.ExternalAgent]{"no-store", api.ExternalAgent{
		Agent: o.Agent.Name, OS: o.Agent.OS, Arch: o.Agent.Arch, Command: o.Command, InitScript: o.Script, Token: o.Token,
		Env: map[string]string{"CODER_AGENT_URL": o.URL, "CODER_AGENT_TOKEN": o.Token, "CODER_AGENT_AUTH": "token"},
	}}, nil
}

// initScript serves what starts an agent. It is public: it holds no secret.
func (h *handlers) initScript(w http.ResponseWriter, r *http.Request) {
	script, err := h.Workspaces.InitScript(r.PathValue("os"), r.PathValue("arch"))
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	io.WriteString(w, script)
}
