package audit

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Options are the settings of the record.
type Options struct {
	Keep            time.Duration // how long rows are kept; 0: for ever
	KeepConnections time.Duration // the same of those that tell of connections
	Log             *slog.Logger
}

// Service reads and prunes the record, and writes what no use case can: what
// failed, and connections.
type Service struct {
	db       *store.DB
	opt      Options
	failures failures
	lines    Connections
}

// New makes the service. Close writes what it still holds.
func New(db *store.DB, opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{db: db, opt: opt}
	s.lines.init(s)
	return s
}

// Connections is what writes down who connects to workspaces.
func (s *Service) Connections() *Connections { return &s.lines }

// List is one page of the rows that the actor may see, newest first, and where
// the next page begins. query filters: "user:ada result:failed since:24h".
func (s *Service) List(ctx context.Context, actor authz.Actor, query, after string, limit int) (rows []berth.Audit, next string, err error) {
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		f, nothing, err := filterOf(q, actor, query, time.Now())
		if err != nil || nothing {
			rows, next = nil, ""
			return err
		}
		rows, next, err = q.AuditPage(f, page)
		return err
	})
	return rows, next, err
}

// exportPage is how many rows of an export are in memory at once.
const exportPage = 500

// Export is the part of the record that somebody takes away, oldest first.
type Export struct {
	s       *Service
	filter  store.AuditFilter
	page    store.Page
	nothing bool
}

// Export begins an export of what the query matches and was recorded until now.
// That it was taken is recorded too.
func (s *Service) Export(ctx context.Context, actor authz.Actor, query string) (*Export, error) {
	e := &Export{s: s, page: store.Page{Limit: exportPage}}
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
		if e.filter, e.nothing, err = filterOf(&tx.Query, actor, query, tx.Now); err != nil {
			return err
		}
		e.filter.OldestFirst = true
		if e.filter.Until.IsZero() || e.filter.Until.After(tx.Now) {
			e.filter.Until = tx.Now
		}
		of := e.filter.Organization
		if v := e.filter.Visible; !v.All && !slices.Contains(v.Organizations, of) {
			of = "" // nobody writes into the record of others by naming them
		}
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "export", Kind: "audit", OrganizationID: of,
			Detail: map[string]any{"query": query}})
	})
	return e, err
}

// Next is some more rows; none at the end.
func (e *Export) Next(ctx context.Context) (rows []berth.Audit, err error) {
	if e.nothing {
		return nil, nil
	}
	err = e.s.db.Read(ctx, func(q *store.Query) error {
		found, next, err := q.AuditPage(e.filter, e.page)
		if err != nil {
			return err
		}
		rows, e.nothing = found, next == ""
		e.page.After, err = store.ParseCursor(next)
		return err
	})
	return rows, err
}

// pruned is how many rows one transaction removes: others wait that long.
const pruned = 1000

// Prune removes rows that are older than they are kept, and tells how many.
func (s *Service) Prune(ctx context.Context) (total int64, err error) {
	for _, class := range berth.AuditClasses {
		keep := s.opt.Keep
		if class == berth.AuditConnection {
			keep = s.opt.KeepConnections
		}
		for n := int64(pruned); keep > 0 && n == pruned; {
			err = s.db.Guarded(ctx, func(tx *store.Tx) error {
				n, err = tx.PruneAudit(class, tx.Now.Add(-keep), pruned)
				return err
			})
			if err != nil {
				return total, err
			}
			total += n
		}
	}
	return total, nil
}

// visible is the part of the record that the actor may read. That there is a
// record is no secret, so who may not is told so.
func visible(actor authz.Actor) (berth.Visible, error) {
	v := authz.See(actor, authz.Read, authz.KindAudit)
	if v.All || len(v.Organizations) > 0 {
		return v, nil
	}
	err := authz.Check(actor, authz.Read, authz.All(authz.KindAudit), "the audit")
	if errors.Is(err, berth.NotFound) {
		err = berth.Errorf(berth.Forbidden, "reading the audit needs the role auditor, of the site or of an organization: ask an owner")
	}
	return v, err
}
