package builds_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// BenchmarkQueue is one build from Enqueue over Take, Judge and State to Finish,
// by many runners at once.
func BenchmarkQueue(b *testing.B) {
	storetest.Bench(b, func(b *testing.B, db *store.DB) {
		ctx := context.Background()
		keys, err := seal.Load(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		kind := builds.Kind{
			Job: func(*store.Query, berth.Build) (builds.Input, error) { return builds.Input{Archive: "00"}, nil },
			Judge: func(*store.Tx, berth.Build, berth.Plan) (berth.Verdict, error) {
				return berth.Verdict{Allow: true}, nil
			},
		}
		q := builds.New(db, keys, builds.Kinds{Workspace: kind, Import: kind}, builds.Options{})
		w := storetest.Seed(b, db)
		state := make([]byte, 20<<10)
		var runners atomic.Int64
		b.SetParallelism(4)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			runner := fmt.Sprint("r", runners.Add(1))
			ws := w.Workspace(b, db, runner).ID
			must := func(err error) {
				if err != nil {
					b.Error(err)
				}
			}
			_, err := q.Hello(ctx, w.Provider.ID, builds.Hello{Runner: runner, Slots: 1})
			must(err)
			for serial := int64(1); pb.Next(); serial++ {
				must(db.Write(ctx, func(tx *store.Tx) error {
					_, err := q.Enqueue(tx, w.Build(ws, berth.Start))
					return err
				}))
				// Each takes somebody's build and ends it; its own may be another's, so
				// it waits for that to end by ending what there is.
				for done := false; !done; {
					job, err := q.Take(ctx, w.Provider.ID, runner, 0, true)
					must(err)
					if job != nil {
						c := builds.Call{Provider: w.Provider.ID, Runner: runner, Build: job.Build.ID, Attempt: job.Build.Attempt}
						_, err = q.Judge(ctx, c, berth.Plan{})
						must(err)
						must(q.Finish(ctx, c, builds.Report{Lineage: "l", Serial: int64(job.Build.Number), State: state}))
					}
					must(db.Read(ctx, func(query *store.Query) error {
						newest, err := query.NewestBuild(ws)
						done = !newest.Active()
						return err
					}))
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "builds/s")
	})
}
