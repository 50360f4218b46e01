package store

import (
	"cmp"
	"context"
	"time"

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

// OriginOf is what WithOrigin said.
func OriginOf(ctx context.Context) berth.AuditOrigin {
	o, _ := ctx.Value(originKey{}).(berth.AuditOrigin)
	return o
}

// InsertAudit records what was done. The time and the actor's name are filled
// in, and what the row does not say of its id and of where the request came from.
func (tx *Tx) InsertAudit(a Audit) error {
	if a.Detail == nil {
		a.Detail = map[string]any{}
	}
	if a.Changes == nil {
		a.Changes = berth.Changes{}
	}
	o := OriginOf(tx.ctx)
	a.Address, a.UserAgent = cmp.Or(a.Address, o.Address), cmp.Or(a.UserAgent, o.UserAgent)
	a.RequestID, a.TokenID = cmp.Or(a.RequestID, o.RequestID), cmp.Or(a.TokenID, o.TokenID)
	_, err := tx.exec(`INSERT INTO audit (id, at, class, actor_id, actor_name, organization_id, action, kind, target_id, target_name, result, reason,
		changes_json, detail_json, address, user_agent, request_id, token_id)
		VALUES ($1, $2, $3, $4, CASE WHEN $5 <> '' THEN $5 ELSE COALESCE((SELECT u.username FROM users u WHERE u.id = $4), '') END,
		$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		cmp.Or(a.ID, berth.NewID[Audit]()), stamp(tx.Now), string(cmp.Or(a.Class, berth.AuditWrite)), a.ActorID, clean(a.ActorName, maxWord), a.OrganizationID,
		clean(a.Action, maxWord), clean(a.Kind, maxWord), clean(a.TargetID, maxWord), clean(a.TargetName, maxWord), cmp.Or(a.Result, berth.AuditOK), clean(a.Reason, maxText),
		asJSON(bounded(a.Changes)), asJSON(boundedDetail(a.Detail)), clean(a.Address, maxWord), clean(a.UserAgent, maxWord), clean(a.RequestID, maxWord), a.TokenID)
	return err
}

// AuditOf is a row about a workspace, named as people name it.
func (q *Query) AuditOf(w berth.Workspace) (Audit, error) {
	owner, err := q.User(w.OwnerID)
	return Audit{Kind: "workspace", OrganizationID: w.OrganizationID, TargetID: string(w.ID), TargetName: owner.Username + "/" + w.Name}, err
}

// Audited tells whether a user did something to a thing since a time.
func (q *Query) Audited(by berth.UserID, action, target string, since time.Time) (bool, error) {
	n, err := single[int64](q.row(`SELECT COUNT(*) FROM (SELECT a.id FROM audit a WHERE a.target_id = $1 AND a.at >= $2 AND a.actor_id = $3 AND a.action = $4 LIMIT 1) x`,
		target, stamp(since), by, action))
	return n > 0, err
}

// maxChanged bounds what is kept of one value, in bytes.
const maxChanged = 2000

// bounded is the changes with long texts cut: the record is not where they are
// kept.
func bounded(c berth.Changes) berth.Changes {
	kept := make(berth.Changes, len(c))
	for field, change := range c {
		for _, v := range []*any{&change.Old, &change.New} {
			if text, ok := (*v).(string); ok {
				*v = clean(text, maxChanged)
			}
		}
		kept[field] = change
	}
	return kept
}

// boundedDetail is the same of what else a row tells: an error may repeat all of
// what somebody sent.
func boundedDetail(d map[string]any) map[string]any {
	kept := make(map[string]any, len(d))
	for name, v := range d {
		if text, ok := v.(string); ok {
			v = clean(text, maxChanged)
		}
		kept[name] = v
	}
	return kept
}

// AuditFilter says which rows of the record are wanted. Empty fields want all.
type AuditFilter struct {
	Visible      berth.Visible // of the kind audit; its zero value sees nothing
	Actors       []berth.UserID
	Classes      []berth.AuditClass
	Actions      []string
	Kinds        []string
	Target       string   // id, or the name as it was, without regard to case
	Words        []string // parts of the target's name
	Organization berth.OrganizationID
	Results      []string
	Failed       bool      // all but what succeeded
	Since, Until time.Time // from Since on, before Until
	RequestID    string
	TokenID      berth.TokenID
	Reason       string // part of it
	OldestFirst  bool
}

func (f AuditFilter) where() *where {
	w := &where{}
	w.visible(columns{organization: "organization_id"}, f.Visible)
	some(w, "actor_id", f.Actors)
	some(w, "class", f.Classes)
	some(w, "action", f.Actions)
	some(w, "kind", f.Kinds)
	some(w, "result", f.Results)
	switch {
	case berth.IsID(f.Target):
		w.add("target_id = ?", f.Target)
	case f.Target != "":
		w.add("lower(target_name) = ?", lowered(f.Target))
	}
	for _, word := range f.Words {
		w.add(`lower(target_name) LIKE ? ESCAPE '\'`, "%"+escapeLike(word)+"%")
	}
	if f.Organization != "" {
		w.add("organization_id = ?", f.Organization)
	}
	if f.Failed {
		w.add("result <> ?", berth.AuditOK)
	}
	if !f.Since.IsZero() {
		w.add("at >= ?", stamp(f.Since))
	}
	if !f.Until.IsZero() {
		w.add("at < ?", stamp(f.Until))
	}
	// The indexes of the next two leave out the empty text, and are used only
	// where the query says so too.
	if f.RequestID != "" {
		w.add("request_id = ? AND request_id <> ''", f.RequestID)
	}
	if f.TokenID != "" {
		w.add("token_id = ? AND token_id <> ''", f.TokenID)
	}
	if f.Reason != "" {
		w.add(`lower(reason) LIKE ? ESCAPE '\'`, "%"+escapeLike(f.Reason)+"%")
	}
	return w
}

// some adds that column is one of the values; with none, nothing.
func some[S ~string](w *where, column string, values []S) {
	switch len(values) {
	case 0:
	case 1: // in the order of an index
		w.add(column+" = ?", string(values[0]))
	default:
		in(w, column, values)
	}
}

// AuditPage is one page of the record, and the mark of the next.
func (q *Query) AuditPage(f AuditFilter, p Page) ([]Audit, string, error) {
	w := f.where()
	end := p.bound(w, "at", "id", !f.OldestFirst)
	rows, err := all(q, scanAudit, `SELECT id, at, class, actor_id, actor_name, organization_id, action, kind, target_id, target_name, result, reason,
		changes_json, detail_json, address, user_agent, request_id, token_id,
		COALESCE((SELECT o.name FROM organizations o WHERE o.id = audit.organization_id), '') FROM audit`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(a Audit) Cursor { return Cursor{a.At, string(a.ID)} })
	return rows, next, nil
}

// PruneAudit removes rows of a class from before a time, the oldest at most n,
// and tells how many.
func (tx *Tx) PruneAudit(class berth.AuditClass, before time.Time, n int) (int64, error) {
	return tx.exec(`DELETE FROM audit WHERE id IN (SELECT a.id FROM audit a WHERE a.class = $1 AND a.at < $2 ORDER BY a.at, a.id LIMIT $3)`,
		string(class), stamp(before), n)
}

// UsersNamed are the ids of all users that have or had, when they were deleted,
// a username.
func (q *Query) UsersNamed(username string) ([]berth.UserID, error) {
	return all(q, single[berth.UserID], `SELECT u.id FROM users u WHERE lower(u.username) = $1`, lowered(username))
}

func scanAudit(s scanner) (a Audit, err error) {
	err = s.Scan(&a.ID, at(&a.At), &a.Class, &a.ActorID, &a.ActorName, &a.OrganizationID, &a.Action, &a.Kind, &a.TargetID, &a.TargetName, &a.Result, &a.Reason,
		fromJSON(&a.Changes), fromJSON(&a.Detail), &a.Address, &a.UserAgent, &a.RequestID, &a.TokenID,
		&a.Organization)
	return a, err
}
