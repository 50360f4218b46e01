package workspaces

import (
	"context"
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// OutsideStart is how an agent is started on a computer that its template does
// not make. It holds the agent's token.
type OutsideStart struct {
	Agent   berth.Agent
	URL     string // of the server, as the agent is given it
	Token   string
	Script  string // address of the init script
	Command string // for a shell: all of that
}

// OutsideAgent tells how to start an agent whose computer somebody else makes.
// Who has an agent's token gets what its owner acts with, so only the owner is
// told (of a prebuilt workspace nobody is), and not by a login or token that may not read their secrets.
func (s *Service) OutsideAgent(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, name string) (o OutsideStart, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Connect, id)
		if err != nil {
			return err
		}
		if !authz.Can(actor, authz.Read, authz.OfSecret(w.OwnerID)) {
			return berth.Errorf(berth.Forbidden, "who starts an agent of %s gets what its owner acts with: only the owner is told how, with a login or token that may read their secrets", w.Name)
		}
		a, err := startedAgent(&tx.Query, w, name)
		if err != nil {
			return err
		}
		if !a.Outside {
			return berth.Errorf(berth.Conflict, "the agent %s is started by its template: only an agent with a coder_external_agent is started by hand", a.Name)
		}
		if _, err := s.InitScript(a.OS, a.Arch); err != nil {
			return berth.Errorf(berth.Conflict, "%s", berth.ErrorMessage(err))
		}
		o = OutsideStart{Agent: a, URL: s.opt.AccessURL, Script: fmt.Sprintf("%s%s%s/%s", s.opt.AccessURL, InitScripts, a.OS, a.Arch)}
		if o.Token, err = s.tokenFor(&tx.Query, a); err != nil {
			return err
		}
		o.Command = fmt.Sprintf(`curl -fsSL "%s" | CODER_AGENT_TOKEN="%s" sh`, o.Script, o.Token)
		return audit(tx, actor, "external-agent", w, nil, map[string]any{"agent": a.Name})
	})
	return o, err
}
