package activity_test

import (
	"context"
	"errors"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// house is a book with what it needs around it.
type house struct {
	storetest.World
	t     testing.TB
	db    *store.DB
	book  *activity.Book
	agent func(ctx context.Context, agent berth.AgentID) ([]activity.Seen, error)
}

var errAway = errors.New("the agent is away")

func newHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	h := &house{t: t, db: db, World: storetest.Seed(t, db)}
	h.agent = func(context.Context, berth.AgentID) ([]activity.Seen, error) { return nil, errAway }
	h.book = activity.New(db, activity.Options{Agent: func(ctx context.Context, id berth.AgentID) ([]activity.Seen, error) { return h.agent(ctx, id) }})
	return h
}

func (h *house) write(f func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.db.Write(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// workspace makes one that was started, with an agent.
func (h *house) workspace(name string) berth.Workspace {
	h.t.Helper()
	ws := h.Workspace(h.t, h.db, name)
	b := h.build(ws, 1, berth.Start, true)
	h.write(func(tx *store.Tx) error {
		return tx.PutAgent(berth.Agent{ID: berth.NewID[berth.Agent](), BuildID: b, WorkspaceID: ws.ID, OrganizationID: h.Organization.ID, ProviderID: h.Provider.ID,
			TokenHash: []byte(name), AgentSpec: berth.AgentSpec{Name: "main"}})
	})
	return ws
}

// build makes the newest build of a workspace; ended tells whether it is over.
func (h *house) build(ws berth.Workspace, number int, transition berth.Transition, ended bool) berth.BuildID {
	h.t.Helper()
	b := h.Build(ws.ID, transition)
	b.ID, b.Number = berth.NewID[berth.Build](), number
	h.write(func(tx *store.Tx) error {
		b.CreatedAt = tx.Now
		return tx.InsertBuild(b)
	})
	if ended {
		h.write(func(tx *store.Tx) error { return tx.EndBuild(b.ID, 0, store.Ended{}) })
	}
	return b.ID
}

func (h *house) ask(ws berth.Workspace) activity.Answer {
	h.t.Helper()
	a, err := h.book.Ask(h.t.Context(), ws.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *house) flush(b *activity.Book) int {
	h.t.Helper()
	n, err := b.Write(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) ada(scope authz.Scope) authz.Actor {
	return authz.User(authz.Who{User: h.User}.In(h.Organization.ID), scope)
}
