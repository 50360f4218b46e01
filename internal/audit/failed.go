package audit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// What failed is bounded, so that nobody fills the disk with what they may not
// do: so many rows a minute of one person or address, and of all together.
const (
	failuresOfOne = 30
	failuresOfAll = 600
	failedWithin  = 3 * time.Second
)

// failures counts the rows of this minute.
type failures struct {
	mu      sync.Mutex
	minute  int64
	of      map[string]int
	total   int
	leftOut int // since the last row that was written
}

// take tells whether one more row of somebody is written, and how many were
// not before it.
func (f *failures) take(who string, now time.Time) (leftOut int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if minute := now.Unix() / 60; minute != f.minute || f.of == nil {
		f.minute, f.of, f.total = minute, map[string]int{}, 0
	}
	if f.total >= failuresOfAll || f.of[who] >= failuresOfOne {
		f.leftOut++
		return 0, false
	}
	f.of[who]++
	f.total++
	leftOut, f.leftOut = f.leftOut, 0
	return leftOut, true
}

// Failure is something that somebody tried and that was not done.
type Failure struct {
	Class        berth.AuditClass
	ActorID      berth.UserID
	Action, Kind string
	Target       string     // what was asked for: an id or a name
	Organization string     // name or id, where the request has one
	Code         berth.Code // of the answer
	Err          error
}

// Failed records what failed, in a transaction of its own: that of the use case
// left nothing. That it could not be recorded changes no answer.
func (s *Service) Failed(ctx context.Context, f Failure) {
	a := store.Audit{Class: f.Class, ActorID: f.ActorID, Action: f.Action, Kind: f.Kind, Result: string(f.Code),
		TargetName: f.Target, Detail: said(f.Code, f.Err)}
	who := string(f.ActorID)
	if who == "" {
		who = store.OriginOf(ctx).Address
	}
	leftOut, ok := s.failures.take(who, time.Now())
	if !ok {
		return
	}
	if leftOut > 0 {
		a.Detail["not_recorded_before"] = leftOut
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), failedWithin)
	defer cancel()
	if err := s.db.Guarded(ctx, func(tx *store.Tx) error { return tx.InsertAudit(placed(&tx.Query, a, f)) }); err != nil {
		s.opt.Log.Error("what failed could not be recorded", "action", f.Action, "kind", f.Kind, "user", f.ActorID, "error", err)
	}
}

// said is what an error tells the record. What is wrong with an input is told
// by its field alone: the sentence may repeat a value that is nobody's business.
func said(code berth.Code, err error) map[string]any {
	detail := map[string]any{}
	var e *berth.Error
	if errors.As(err, &e) && e.Field != "" {
		detail["field"] = e.Field
	}
	switch code {
	case berth.Invalid, berth.Internal, berth.Unauthenticated:
	default:
		detail["error"] = berth.ErrorMessage(err)
	}
	return detail
}

// placed finds out what somebody asked for, also where they may not know that
// it is there: whose it is reads the record.
func placed(q *store.Query, a store.Audit, f Failure) store.Audit {
	if berth.IsID(f.Target) {
		a.TargetID, a.TargetName = f.Target, ""
	}
	if f.Organization != "" {
		if o, err := q.OrganizationRef(f.Organization); err == nil {
			a.OrganizationID = o.ID
		}
	}
	switch {
	case f.Kind == "user" && a.TargetID == "":
		// What was typed may be a password: only a name that there is, is kept.
		u, _, err := q.Credentials(f.Target)
		a.TargetName = ""
		if err == nil {
			a.TargetID, a.TargetName = string(u.ID), u.Username
		}
	case f.Kind == "workspace" && a.TargetID != "":
		if row, err := q.WorkspaceRow(berth.WorkspaceID(a.TargetID)); err == nil {
			a.OrganizationID, a.TargetName = row.OrganizationID, row.Owner.Username+"/"+row.Name
		}
	case f.Kind == "build" && a.TargetID != "":
		if row, err := q.BuildRow(berth.BuildID(a.TargetID)); err == nil {
			a.OrganizationID = row.OrganizationID
			if row.On() != "" {
				a.TargetName = row.Owner + "/" + row.Workspace
			}
		}
	}
	return a
}
