package builds

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

func (q *Queue) Enqueue(tx *store.Tx, b berth.Build) (berth.Build, error) { panic("not yet") }

// Hello gives back which of the named takings are still the runner's.
func (q *Queue) Hello(ctx context.Context, provider berth.ProviderID, h Hello) ([]Held, error) {
	panic("not yet")
}

// Take gives nil after wait without a build.
func (q *Queue) Take(ctx context.Context, provider berth.ProviderID, runner string, wait time.Duration, refills bool) (*Job, error) {
	panic("not yet")
}
func (q *Queue) Beat(ctx context.Context, c Call) (Orders, error)          { panic("not yet") }
func (q *Queue) Logs(ctx context.Context, c Call, lines []berth.Log) error { panic("not yet") }
func (q *Queue) State(ctx context.Context, c Call, lineage string, serial int64, state []byte) error {
	panic("not yet")
}
func (q *Queue) Judge(ctx context.Context, c Call, p berth.Plan) (berth.Verdict, error) {
	panic("not yet")
}
func (q *Queue) Finish(ctx context.Context, c Call, r Report) error { panic("not yet") }

// Cancel asks for the end of a build. expect, "pending" or "running", refuses
// when it has another status; empty: any.
func (q *Queue) Cancel(ctx context.Context, id berth.BuildID, force bool, expect berth.BuildStatus) (berth.Build, error) {
	panic("not yet")
}
func (q *Queue) Abandon(ctx context.Context, id berth.BuildID, by berth.UserID) (berth.Build, error) {
	panic("not yet")
}

// ReadLogs gives lines behind seq after, oldest first.
func (q *Queue) ReadLogs(ctx context.Context, id berth.BuildID, after int64, limit int) ([]berth.Log, error) {
	panic("not yet")
}

// Watch gives a channel that is rung when the build or its log may have changed.
// It is a hint: look now and then all the same.
func (q *Queue) Watch(id berth.BuildID) (<-chan struct{}, func()) { panic("not yet") }

// Waits says in a sentence why a pending build waits; empty for others.
func (q *Queue) Waits(query *store.Query, b berth.Build) (string, error) { panic("not yet") }

// CurrentState is the state of a workspace; nil: there is none.
func (q *Queue) CurrentState(query *store.Query, ws berth.WorkspaceID) ([]byte, error) {
	panic("not yet")
}

// RevisionState is the state of one revision.
func (q *Queue) RevisionState(query *store.Query, ws berth.WorkspaceID, revision int64) ([]byte, error) {
	panic("not yet")
}

// PushState makes raw, which a person gave, the state of a workspace.
func (q *Queue) PushState(tx *store.Tx, ws berth.WorkspaceID, by berth.UserID, raw []byte) (berth.StateRevision, error) {
	panic("not yet")
}

// Downtime is one tick of the loop that keeps time without a server from
// counting against leases. It wants to run every Beat on each replica.
func (q *Queue) Downtime(ctx context.Context, replica string) (string, error) { panic("not yet") }
