package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/audit"
)

type AuditQuery struct {
	Q string `query:"q" doc:"Filters: user:, action:, kind:, target:, organization:, class:, result: (failed: all but ok), since:, until:, request:, token:, reason:; a word without a key is part of the target's name"`
}

type listAuditInput struct {
	AuditQuery
	Page
}

func (h *handlers) listAudit(ctx context.Context, in *listAuditInput) (*body[api.Page[api.Audit]], error) {
	rows, next, err := h.Audit.List(ctx, actorOf(ctx), in.Q, in.After, in.Limit)
	return answered(api.Page[api.Audit]{Items: list(rows, viewAudit), Next: next}, err)
}

// exportAudit writes the rows as they are read: an export may be larger than the
// memory. One that cannot go on is cut, so that nobody takes it for whole.
func (h *handlers) exportAudit(ctx context.Context, in *AuditQuery) (*events, error) {
	e, err := h.Audit.Export(ctx, actorOf(ctx), in.Q)
	if err != nil {
		return nil, err
	}
	return &events{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", api.AuditType)
		w.Header().Set("Cache-Control", "no-store")
		conn := http.NewResponseController(w)
		if err := h.writeAudit(ctx, w, conn, e); err != nil {
			requestOf(ctx).err = err
			panic(http.ErrAbortHandler)
		}
		conn.SetWriteDeadline(time.Time{})
	}}, nil
}

func (h *handlers) writeAudit(ctx context.Context, w http.ResponseWriter, conn *http.ResponseController, e *audit.Export) error {
	lines := json.NewEncoder(w)
	for {
		rows, err := e.Next(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		conn.SetWriteDeadline(time.Now().Add(slowest)) // there is none to set within the process
		for _, r := range rows {
			if err := lines.Encode(viewAudit(r)); err != nil {
				return err
			}
		}
		if err := requestOf(ctx).again(ctx); err != nil { // it may take long
			return err
		}
	}
}

func viewAudit(r berth.Audit) api.Audit {
	return api.Audit{
		ID: string(r.ID), At: r.At, Class: string(r.Class), ActorID: string(r.ActorID), Actor: r.ActorName,
		OrganizationID: string(r.OrganizationID), Organization: r.Organization, Action: r.Action, Kind: r.Kind,
		TargetID: r.TargetID, Target: r.TargetName, Result: r.Result, Reason: r.Reason, Changes: r.Changes, Detail: r.Detail,
		Address: r.Address, UserAgent: r.UserAgent, RequestID: r.RequestID, TokenID: string(r.TokenID),
	}
}
