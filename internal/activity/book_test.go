package activity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// inBubble runs a test on both engines where time is ours.
func inBubble(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		synctest.Test(t, func(t *testing.T) { test(t, newHouse(t, open(t))) })
	})
}

// stored is what the database has of a workspace.
func (h *house) stored(ws berth.Workspace) (found []berth.Evidence, w berth.Workspace) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(q *store.Query) (err error) {
		if found, err = q.Activity(ws.ID); err == nil {
			w, err = q.Workspace(ws.ID)
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return found, w
}

// A spell of requests to an app is one row that is written once for each batch;
// after a pause a new spell begins.
func TestSpells(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ws := h.workspace("one")
		began := time.Now().UTC().Truncate(time.Microsecond)
		for range 10 {
			for range 6 {
				h.book.Note(ws.ID, berth.EvidenceApp, "code-server")
				time.Sleep(10 * time.Second)
			}
			if n := h.flush(h.book); n != 1 {
				t.Fatalf("%d rows written", n)
			}
		}
		last := time.Now().Add(-10 * time.Second).UTC().Truncate(time.Microsecond)
		found, w := h.stored(ws)
		if len(found) != 1 || !found[0].Since.Equal(began) || !found[0].At.Equal(last) || found[0].Detail != "code-server" || !w.LastUsedAt.Equal(last) {
			t.Errorf("stored %+v, last used %v; want %v to %v", found, w.LastUsedAt, began, last)
		}
		if n := h.flush(h.book); n != 0 {
			t.Errorf("%d rows written twice", n)
		}
		time.Sleep(berth.SpellGap + time.Second)
		h.book.Note(ws.ID, berth.EvidenceApp, "code-server")
		h.flush(h.book)
		if found, _ := h.stored(ws); time.Since(found[0].Since) > time.Second {
			t.Errorf("a new spell: %+v", found)
		}
	})
}

// While the database is away nothing is lost; what is not written yet is known
// to this server all the same.
func TestDatabaseAway(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ws, other := h.workspace("one"), h.workspace("two")
		began := time.Now()
		h.book.Note(ws.ID, berth.EvidenceSSH, "")
		away, cancel := context.WithCancel(t.Context())
		cancel()
		for range 3 {
			if _, err := h.book.Write(away); err == nil {
				t.Fatal("wrote without a database")
			}
			time.Sleep(time.Minute)
			h.book.Note(ws.ID, berth.EvidenceSSH, "")
		}
		if e := h.book.Recent(ws.ID); len(e) != 1 || !e[0].Since.Equal(began.UTC().Truncate(time.Microsecond)) || time.Since(e[0].At) > time.Second {
			t.Errorf("recent %+v", e)
		}
		if e := h.book.Recent(other.ID); len(e) != 0 {
			t.Errorf("recent of another workspace %+v", e)
		}
		if n := h.flush(h.book); n != 1 || len(h.book.Recent(ws.ID)) != 0 {
			t.Errorf("%d rows written, %+v left", n, h.book.Recent(ws.ID))
		}
		if found, _ := h.stored(ws); len(found) != 1 || found[0].At.Sub(found[0].Since) < 3*time.Minute {
			t.Errorf("stored %+v", found)
		}
	})
}

// Several servers write what they saw of the same workspaces at once: nothing
// is lost and nothing goes back.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		h := newHouse(t, storetest.Open(t, url))
		second := activity.New(storetest.Open(t, url), activity.Options{})
		var all []berth.Workspace
		for i := range 40 {
			all = append(all, h.workspace(fmt.Sprintf("w%d", i)))
		}
		var writing sync.WaitGroup
		for _, b := range []*activity.Book{h.book, second} {
			writing.Go(func() {
				for range 10 {
					for _, ws := range all {
						b.Note(ws.ID, berth.EvidenceSSH, "")
						b.Report(ws.ID, []activity.Seen{{Kind: berth.EvidenceTerminal, Began: 9 * time.Minute, Last: time.Second}})
					}
					if _, err := b.Write(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writing.Wait()
		for _, ws := range all {
			found, _ := h.stored(ws)
			if len(found) != 2 || time.Since(found[0].At) > time.Minute || time.Since(found[1].Since) < 8*time.Minute {
				t.Fatalf("%s: %+v", ws.Name, found)
			}
		}
	})
}

// What an agent says is bounded, whatever it says.
func TestHostileReports(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ws := h.workspace("one")
		h.book.Report(ws.ID, []activity.Seen{
			{Kind: berth.EvidenceSSH, Detail: strings.Repeat("ä", 1<<20), Began: -time.Hour, Last: -time.Hour},
			{Kind: berth.EvidenceTerminal, Detail: "a\x00b\x1b[31m\nc\xff", Began: 1 << 62, Last: time.Hour},
			{Kind: "made-up", Detail: "x"},
			{Kind: berth.EvidenceHold, Detail: "a hold is none"},
		})
		many := make([]activity.Seen, 1_000_000)
		for i := range many {
			many[i].Kind = berth.EvidenceKind(fmt.Sprint("kind", i))
		}
		h.book.Report(ws.ID, many)
		now := time.Now()
		h.flush(h.book)
		found, w := h.stored(ws)
		if len(found) != 2 || found[0].Kind != berth.EvidenceSSH || len(found[0].Detail) > 130 || found[0].At.After(now) || found[0].At.Before(now.Add(-time.Second)) {
			t.Fatalf("stored %+v", found)
		}
		if e := found[1]; strings.ContainsAny(e.Detail, "\x00\x1b\n") || now.Sub(e.Since) > 366*24*time.Hour || now.Sub(e.At) != time.Hour {
			t.Errorf("stored %+v", e)
		}
		if w.LastUsedAt.After(now) {
			t.Errorf("used in the future: %v", w.LastUsedAt)
		}
	})
}

func TestAsk(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ws := h.workspace("one")
		if a := h.ask(ws); a.Known || a.Awake() || !a.Newest.At.IsZero() {
			t.Errorf("the agent is away and nothing was ever seen: %+v", a)
		}
		h.agent = func(context.Context, berth.AgentID) ([]activity.Seen, error) {
			return []activity.Seen{{Kind: berth.EvidenceConnection, Began: time.Hour}, {Kind: berth.EvidenceSSH, Began: 2 * time.Hour, Last: time.Hour}}, nil
		}
		if a := h.ask(ws); !a.Known || a.Awake() || a.Newest.Kind != berth.EvidenceSSH || a.At.Sub(a.Newest.At) != time.Hour || len(a.All) != 2 {
			t.Errorf("an open connection: %+v", a)
		}
		h.flush(h.book)
		h.agent = func(ctx context.Context, _ berth.AgentID) ([]activity.Seen, error) {
			<-ctx.Done() // never answers
			return nil, ctx.Err()
		}
		began := time.Now()
		if a := h.ask(ws); a.Known || a.Newest.Kind != berth.EvidenceSSH || time.Since(began) > 6*time.Second {
			t.Errorf("an agent that hangs, after %v: %+v", time.Since(began), a)
		}
		h.Organization.IdleCounts = true
		h.write(func(tx *store.Tx) error { return tx.UpdateOrganization(h.Organization) })
		if a := h.ask(ws); !a.IdleCounts || a.Newest.Kind != berth.EvidenceConnection || !a.Awake() {
			t.Errorf("where idle connections count: %+v", a)
		}
		h.build(ws, 2, berth.Stop, true)
		if a := h.ask(ws); !a.Known || a.Running {
			t.Errorf("stopped: %+v", a)
		}
		h.build(ws, 3, berth.Start, false)
		if a := h.ask(ws); a.Known {
			t.Errorf("starting: %+v", a)
		}
		bare := h.Workspace(t, h.db, "bare")
		h.build(bare, 1, berth.Start, true)
		if a := h.ask(bare); !a.Known {
			t.Errorf("a workspace without agents: %+v", a)
		}
		if _, err := h.book.Ask(t.Context(), "nothing"); !errors.Is(err, berth.NotFound) {
			t.Errorf("no workspace: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.book.Ask(gone, ws.ID); err == nil {
			t.Error("an answer without a database")
		}
	})
}
