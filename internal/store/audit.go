package store

import (
	"cmp"
	"context"

	"github.com/berthdev/berth"
)

// Audit is the record of one thing that was done.
type Audit = berth.Audit

type originKey struct{}

// WithOrigin says where what is done under ctx comes from: every audit row of
// its transactions carries that.
func WithOrigin(ctx context.Context, o berth.AuditOrigin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

func originOf(ctx context.Context) berth.AuditOrigin {
	o, _ := ctx.Value(originKey{}).(berth.AuditOrigin)
	return o
}

// InsertAudit records what was done. Id, time and the actor's name are filled
// in, and of where the request came from what the row does not say.
func (tx *Tx) InsertAudit(a Audit) error {
	if a.Detail == nil {
		a.Detail = map[string]any{}
	}
	if a.Changes == nil {
		a.Changes = berth.Changes{}
	}
	o := originOf(tx.ctx)
	a.Address, a.UserAgent = cmp.Or(a.Address, o.Address), cmp.Or(a.UserAgent, o.UserAgent)
	a.RequestID, a.TokenID = cmp.Or(a.RequestID, o.RequestID), cmp.Or(a.TokenID, o.TokenID)
	_, err := tx.exec(`INSERT INTO audit (id, at, class, actor_id, actor_name, organization_id, action, kind, target_id, target_name, result, reason,
		changes_json, detail_json, address, user_agent, request_id, token_id)
		VALUES ($1, $2, $3, $4, CASE WHEN $5 <> '' THEN $5 ELSE COALESCE((SELECT u.username FROM users u WHERE u.id = $4), '') END,
		$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		berth.NewID[Audit](), stamp(tx.Now), string(cmp.Or(a.Class, berth.AuditWrite)), a.ActorID, clean(a.ActorName, maxWord), a.OrganizationID,
		a.Action, a.Kind, clean(a.TargetID, maxWord), clean(a.TargetName, maxWord), cmp.Or(a.Result, berth.AuditOK), clean(a.Reason, maxText),
		asJSON(a.Changes), asJSON(a.Detail), clean(a.Address, maxWord), clean(a.UserAgent, maxWord), clean(a.RequestID, maxWord), a.TokenID)
	return err
}

// AuditPage is one page of the record, newest first, and the mark of the next.
func (q *Query) AuditPage(p Page) ([]Audit, string, error) {
	var w where
	end := p.bound(&w, "at", "id", true)
	rows, err := all(q, scanAudit, `SELECT id, at, class, actor_id, actor_name, organization_id, action, kind, target_id, target_name, result, reason,
		changes_json, detail_json, address, user_agent, request_id, token_id FROM audit`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(a Audit) Cursor { return Cursor{a.At, string(a.ID)} })
	return rows, next, nil
}

func scanAudit(s scanner) (a Audit, err error) {
	err = s.Scan(&a.ID, at(&a.At), &a.Class, &a.ActorID, &a.ActorName, &a.OrganizationID, &a.Action, &a.Kind, &a.TargetID, &a.TargetName, &a.Result, &a.Reason,
		fromJSON(&a.Changes), fromJSON(&a.Detail), &a.Address, &a.UserAgent, &a.RequestID, &a.TokenID)
	return a, err
}
