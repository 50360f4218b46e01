package builds

import (
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Cancel asks for the end of a build. A pending one ends at once. The holder of
// a running one is told at once to interrupt Terraform; with force, or
// once Options.Grace has passed, to kill it. expect, "pending" or "running",
// refuses when the build has another status; empty: any.
func (q *Queue) Cancel(tx *store.Tx, id berth.BuildID, force bool, expect berth.BuildStatus) (berth.Build, error) {
	b, err := tx.Build(id)
	if err != nil {
		return b, err
	}
	status := b.Status()
	switch {
	case !b.Active():
		return b, berth.Errorf(berth.Conflict, "the build has ended already: it %s", ending(b))
	case expect != "" && expect != status && !(expect == berth.BuildRunning && status == berth.BuildCanceling):
		return b, berth.Errorf(berth.Conflict, "the build is %s, not %s: look again", status, expect)
	case b.StartedAt.IsZero():
		_, err = q.end(tx, b, Report{Canceled: true}, false)
	default:
		err = tx.CancelBuild(id, force)
		changed(tx, b)
	}
	if err != nil {
		return b, err
	}
	return tx.Build(id)
}

// Skip ends a pending build well, without a runner: there is nothing to do for
// one, as text says in its log.
func (q *Queue) Skip(tx *store.Tx, b berth.Build, text string) (berth.Build, error) {
	if err := note(tx, b, "info", text); err != nil {
		return b, err
	}
	if _, err := q.end(tx, b, Report{}, false); err != nil {
		return b, err
	}
	return tx.Build(b.ID)
}

func ending(b berth.Build) string {
	switch b.Status() {
	case berth.BuildCanceled:
		return "was canceled"
	case berth.BuildFailed:
		return "failed"
	}
	return "succeeded"
}

// Abandon gives up on a build whose runner is unreachable: it ends as failed, so
// that the workspace can be built again. What its Terraform does or did goes on
// without us.
func (q *Queue) Abandon(tx *store.Tx, id berth.BuildID, by berth.UserID) (berth.Build, error) {
	b, err := tx.Build(id)
	if err != nil {
		return b, err
	}
	switch {
	case !b.Active():
		return b, berth.Errorf(berth.Conflict, "the build has ended already: it %s", ending(b))
	case b.StartedAt.IsZero():
		return b, berth.Errorf(berth.Conflict, "no runner has taken the build yet: cancel it")
	case !b.Unreachable(tx.Now):
		return b, berth.Errorf(berth.Conflict, "its runner %s still reports: cancel the build instead, with --force if need be", b.RunnerID)
	}
	who, err := tx.User(by)
	if err != nil {
		return b, err
	}
	text := fmt.Sprintf("%s gave up on it: its runner %s has not reported since about %s. If its Terraform still ran, what it made after the last state that it had sent is left behind and unknown to Berth",
		who.Username, b.RunnerID, b.LeaseAt.Add(-q.opt.Lease).Format("2006-01-02 15:04:05 MST"))
	if err := note(tx, b, "error", text); err != nil {
		return b, err
	}
	if _, err := q.end(tx, b, Report{Error: text, ErrorCode: berth.FailedAbandoned}, true); err != nil {
		return b, err
	}
	return tx.Build(id)
}
