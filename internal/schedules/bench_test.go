package schedules_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// many is how many workspaces there are in BenchmarkTick. They run, and their
// time to live ends tomorrow.
const many = 100_000

// BenchmarkTick is one tick of the loop among 100,000 workspaces of which some
// are due: to be looked at, and nothing is to be done; or to be stopped.
func BenchmarkTick(b *testing.B) {
	storetest.Bench(b, func(b *testing.B, db *store.DB) {
		s, ids := crowd(b, db)
		for _, share := range []int{0, 500, 1000, 2000} {
			b.Run(fmt.Sprintf("look at %g %%", float64(share)/many*100), func(b *testing.B) {
				for n := 0; b.Loop(); n++ {
					b.StopTimer()
					look(b, db, some(ids, share, n))
					b.StartTimer()
					if did, err := s.Tick(b.Context(), time.Now()); err != nil || did != 0 {
						b.Fatal(did, err)
					}
				}
			})
		}
		at := 0
		for _, share := range []int{100, 500, 1000} {
			b.Run(fmt.Sprintf("stop %g %%", float64(share)/many*100), func(b *testing.B) {
				for b.Loop() {
					if at+share > many {
						b.Skip("all are stopped already")
					}
					b.StopTimer()
					suspend(b, db, ids[at:at+share])
					at += share
					b.StartTimer()
					if did, err := s.Tick(b.Context(), time.Now().Add(ahead)); err != nil || did != int64(share) {
						b.Fatal(did, err)
					}
				}
			})
		}
	})
}

// some is n of them, spread over all.
func some(ids []berth.WorkspaceID, n, round int) []berth.WorkspaceID {
	out := make([]berth.WorkspaceID, n)
	for i := range out {
		out[i] = ids[(i*(len(ids)/n)+round)%len(ids)]
	}
	return out
}

func look(b *testing.B, db *store.DB, ids []berth.WorkspaceID) {
	if err := db.Write(b.Context(), func(tx *store.Tx) error {
		for _, id := range ids {
			if err := tx.LookAgain(id); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// suspend has the time of workspaces end.
func suspend(b *testing.B, db *store.DB, ids []berth.WorkspaceID) {
	if err := db.Write(b.Context(), func(tx *store.Tx) error {
		for _, id := range ids {
			w, err := tx.Workspace(id)
			if err != nil {
				return err
			}
			l := w.Lifecycle
			l.TTL, l.NextLook = time.Minute, time.Time{}
			if err := tx.SetLifecycle(id, l); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// crowd fills a database, and gives what ticks there.
func crowd(b *testing.B, db *store.DB) (*schedules.Service, []berth.WorkspaceID) {
	keys, err := seal.Load(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	w := storetest.Seed(b, db)
	people := accounts.New(db)
	if err := people.EnsureDefaults(b.Context()); err != nil {
		b.Fatal(err)
	}
	told, err := notices.New(db, notices.Options{})
	if err != nil {
		b.Fatal(err)
	}
	queue := builds.New(db, keys, builds.Kinds{}, builds.Options{})
	s := schedules.New(db, workspaces.New(db, keys, queue, people, templates.New(db, keys, queue), providers.New(db), workspaces.Options{}),
		told, schedules.Options{
			Site: lifecycle.Site{QuietHours: "CRON_TZ=UTC 0 0 * * *"},
			Ask: func(context.Context, berth.WorkspaceID) (activity.Answer, error) {
				return activity.Answer{Known: true, Running: true, Activity: berth.NewActivity(nil, nil, false, time.Now().Add(ahead))}, nil
			},
			Room: func(*store.Query, berth.ProviderID, time.Time) (builds.Room, error) {
				return builds.Room{Slots: many}, nil
			},
		})
	policy := w.Template.Policy
	policy.ActivityBump, policy.AllowUserAutostop, policy.AutostopWeeks, policy.Rollout = time.Hour, true, 1, berth.RolloutNextStart
	begin := time.Now().Add(-2 * time.Hour)
	var ids []berth.WorkspaceID
	for len(ids) < many {
		if err := db.Write(b.Context(), func(tx *store.Tx) error {
			if len(ids) == 0 {
				if err := tx.SetTemplatePolicy(w.Template.ID, policy); err != nil {
					return err
				}
			}
			for range 5000 {
				ws := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID,
					OwnerID: w.User.ID, TemplateID: w.Template.ID, Name: fmt.Sprintf("w%d", len(ids)), CreatedAt: begin, UpdatedAt: begin,
					Lifecycle: berth.Lifecycle{TTL: day, Autostart: "CRON_TZ=Europe/Dublin 30 9 * * 1-5"}}
				if err := tx.InsertWorkspace(ws, []byte("k")); err != nil {
					return err
				}
				build := w.Build(ws.ID, berth.Start)
				build.ID, build.Number, build.CreatedAt, build.Class = berth.NewID[berth.Build](), 1, begin, berth.ClassPerson
				if err := tx.InsertBuild(build); err != nil {
					return err
				}
				if err := tx.EndBuild(build.ID, 0, store.Ended{}); err != nil {
					return err
				}
				if err := tx.SetBuildPolicy(build.ID, berth.Policy{TTL: time.Minute}); err != nil {
					return err
				}
				ids = append(ids, ws.ID)
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	for range 3 { // all are looked at once
		if _, err := s.Tick(b.Context(), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	return s, ids
}

const (
	day   = 24 * time.Hour
	ahead = 2 * time.Hour // of us is a tick that stops, and what agents answer it
)
