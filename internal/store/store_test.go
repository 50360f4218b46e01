package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		if err := db.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, err := db.Size(t.Context())
		if err != nil || n == 0 {
			t.Fatalf("size %d, %v", n, err)
		}
	})
}

// What a Write does is there whole or not at all; what a Read sees does not move.
func TestWholeOrNot(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db, ctx := open(t), t.Context()
		sorry := errors.New("sorry")
		err := db.Write(ctx, func(tx *store.Tx) error {
			if err := tx.PutArchive("a", []byte("x")); err != nil {
				return err
			}
			return sorry
		})
		if !errors.Is(err, sorry) {
			t.Errorf("got %v", err)
		}
		func() {
			defer func() { recover() }()
			db.Write(ctx, func(tx *store.Tx) error {
				tx.PutArchive("a", []byte("x"))
				panic("oh")
			})
		}()
		has := func(q *store.Query) bool {
			there, err := q.HasArchive("a")
			if err != nil {
				t.Error(err)
			}
			return there
		}
		if err := db.Read(ctx, func(q *store.Query) error {
			if has(q) {
				t.Error("half of a Write stayed")
			}
			done := make(chan error)
			go func() {
				done <- db.Write(ctx, func(tx *store.Tx) error { return tx.PutArchive("a", []byte("x")) })
			}()
			if err := <-done; err != nil {
				return err
			}
			if has(q) {
				t.Error("the snapshot moved")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Read(ctx, func(q *store.Query) error {
			if !has(q) {
				t.Error("a Write is not there")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// Reads cannot write, whatever query they are made to run.
func TestReadsDoNotWrite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		if err := db.Read(t.Context(), func(q *store.Query) error {
			return store.Exec(q, `DELETE FROM archives`)
		}); err == nil {
			t.Error("a Read deleted")
		}
	})
}

// Transactions that each read what the other writes: one of them is repeated, and
// the rule that both check holds (write skew).
func TestWritesAreSerializable(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				err := db.Write(context.Background(), func(tx *store.Tx) error {
					rs, err := tx.Replicas()
					if err != nil || len(rs) >= 3 {
						return err
					}
					return tx.PutReplica(fmt.Sprint(i), "v")
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		db.Read(t.Context(), func(q *store.Query) error {
			if rs, err := q.Replicas(); err != nil || len(rs) != 3 {
				t.Errorf("%d rows where 3 were allowed, %v", len(rs), err)
			}
			return nil
		})
	})
}

func TestNow(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	db.Write(t.Context(), func(tx *store.Tx) error {
		if tx.Now.Location() != time.UTC || tx.Now.Nanosecond()%1000 != 0 || time.Since(tx.Now) > time.Minute {
			t.Errorf("now is %v", tx.Now)
		}
		return nil
	})
}

func TestTransactionsDoNotNest(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	ctx := t.Context()
	defer func() {
		text := fmt.Sprint(recover())
		if strings.Count(text, "store_test.go:") != 2 {
			t.Errorf("panicked with %s", text)
		}
		if err := db.Ping(ctx); err != nil { // and nothing is left open
			t.Error(err)
		}
	}()
	db.Write(ctx, func(tx *store.Tx) error {
		return db.Read(ctx, func(q *store.Query) error { return nil })
	})
}

func TestNoRowIsNotFound(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		err := open(t).Read(t.Context(), func(q *store.Query) error {
			_, err := q.Build("x")
			return err
		})
		if !errors.Is(err, berth.NotFound) || berth.ErrorMessage(err) != "there is no such build" {
			t.Errorf("got %v", err)
		}
	})
}

// A caller that is gone ends the waiting for a lock.
func TestCallersMayLeave(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Write(ctx, func(tx *store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// A database that went away is unavailable, with a sentence.
func TestADatabaseThatWentAway(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		if strings.HasPrefix(url, "sqlite:") {
			t.Skip("a file does not go away")
		}
		db := storetest.Open(t, url)
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			return store.Exec(&tx.Query, `SELECT pg_terminate_backend(pg_backend_pid())`)
		})
		if !errors.Is(err, berth.Unavailable) || berth.ErrorMessage(err) != "PostgreSQL ended our connection: try again" {
			t.Errorf("got %v", err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// A full disk is said in words, and what was there stays usable.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	if _, err := store.Handle(db).ExecContext(t.Context(), `PRAGMA max_page_count = 100`); err != nil {
		t.Fatal(err)
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.PutArchive("a", make([]byte, 4<<20)) })
	if !errors.Is(err, berth.Unavailable) || !strings.HasPrefix(berth.ErrorMessage(err), "the disk of the database is full") {
		t.Errorf("got %v", err)
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.PutArchive("a", []byte("small")) }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
