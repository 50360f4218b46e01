package store

import (
	"time"

	"github.com/berthdev/berth"
)

// Audit is the record of one thing that somebody did.
type Audit struct {
	ID         berth.ID[Audit]
	At         time.Time
	ActorID    berth.UserID // empty for somebody who is not signed in
	Action     string       // create, login, state-push, …
	Kind       string       // of the target: user, workspace, …
	TargetID   string
	TargetName string
	Detail     map[string]any // never secrets
}

// InsertAudit records what somebody did; id and time are filled in.
func (tx *Tx) InsertAudit(a Audit) error {
	if a.Detail == nil {
		a.Detail = map[string]any{}
	}
	_, err := tx.exec(`INSERT INTO audit (id, at, actor_id, action, kind, target_id, target_name, detail_json) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		berth.NewID[Audit](), stamp(tx.Now), a.ActorID, a.Action, a.Kind, clean(a.TargetID, maxWord), clean(a.TargetName, maxWord), asJSON(a.Detail))
	return err
}

// AuditPage is one page of the record, newest first, and the mark of the next.
func (q *Query) AuditPage(p Page) ([]Audit, string, error) {
	var w where
	end := p.bound(&w, "at", "id", true)
	rows, err := all(q, scanAudit, `SELECT id, at, actor_id, action, kind, target_id, target_name, detail_json FROM audit`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(a Audit) Cursor { return Cursor{a.At, string(a.ID)} })
	return rows, next, nil
}

func scanAudit(s scanner) (a Audit, err error) {
	err = s.Scan(&a.ID, at(&a.At), &a.ActorID, &a.Action, &a.Kind, &a.TargetID, &a.TargetName, fromJSON(&a.Detail))
	return a, err
}
