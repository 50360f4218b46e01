package workspaces

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// secondEvery is how long after a refused second link of an agent another one is
// not noted: whoever tries goes on trying.
const secondEvery = 10 * time.Minute

// SecondLink audits that a process with the token of a linked, living agent was
// refused, and keeps it for the agent's page.
func (s *Service) SecondLink(ctx context.Context, id berth.AgentID, from string) error {
	return s.db.Guarded(ctx, func(tx *store.Tx) error {
		a, err := tx.Agent(id)
		if err != nil {
			return err
		}
		if a.Second != nil && tx.Now.Sub(a.Second.At) < secondEvery && !tx.Now.Before(a.Second.At) {
			return nil
		}
		w, err := tx.Workspace(a.WorkspaceID)
		if err != nil {
			return err
		}
		if err := tx.SecondAgent(id, berth.SecondLink{At: tx.Now, From: text(from, 100)}); err != nil {
			return err
		}
		tx.Wake(store.WorkspaceTopic(w.ID))
		row, err := tx.AuditOf(w)
		row.Class, row.Action, row.Result = berth.AuditConnection, "agent-second-link", string(berth.Conflict)
		row.Reason = "Another process with the agent's token is linked and alive."
		row.Detail = map[string]any{"agent": a.Name, "from": text(from, 100)}
		return errors.Join(err, tx.InsertAudit(row))
	})
}

// Trespassers tells which of the linked agents may not be linked any more, and
// why. Their links were made with the tokens of these SHA-256.
func (s *Service) Trespassers(ctx context.Context, linked map[berth.AgentID][]byte) (map[berth.AgentID]string, error) {
	if len(linked) == 0 {
		return nil, nil
	}
	ids := make([]berth.AgentID, 0, len(linked))
	out := map[berth.AgentID]string{}
	for id := range linked {
		ids = append(ids, id)
		out[id] = "the workspace was stopped or deleted"
	}
	var rights []store.LinkRight
	err := s.db.Read(ctx, func(q *store.Query) (err error) {
		rights, err = q.LinkRights(ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range rights {
		if why := trespass(r, linked[r.Agent]); why != "" {
			out[r.Agent] = why
		} else {
			delete(out, r.Agent)
		}
	}
	return out, nil
}

// trespass is why an agent may not stay linked; empty: it may. While a stop
// runs it stays: its last words are about that.
func trespass(r store.LinkRight, hash []byte) string {
	switch {
	case subtle.ConstantTimeCompare(r.TokenHash, hash) != 1:
		return "the agent has another token since the last start: restart the workspace"
	case r.Owner == berth.UserSuspended:
		return "the owner of the workspace is suspended"
	case r.Transition != berth.Start && r.Ended:
		return "the newest build of the workspace is a " + string(r.Transition)
	}
	return ""
}
