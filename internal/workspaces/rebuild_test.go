package workspaces_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

var (
	restart = workspaces.BuildInput{Transition: berth.Restart, Reason: berth.ReasonCLI}
	update  = workspaces.BuildInput{Transition: berth.Restart, Update: true, Reason: berth.ReasonCLI}
	rebuild = workspaces.BuildInput{Transition: berth.Rebuild, Reason: berth.ReasonCLI}
)

// see is the workspace as its owner sees it.
func (h *house) see(id berth.WorkspaceID) workspaces.View {
	h.t.Helper()
	v, err := h.workspaces.Get(h.t.Context(), h.mel, id)
	must(h.t, err)
	return v
}

// Safety: a restart is one intent. The start is queued in the moment in which the
// stop ends, with the version and the answers that were asked for, and nothing
// comes between.
func TestRestartIsOneIntent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		size := berth.Parameter{Name: "size", Type: "number", Default: "1", Mutable: true}
		once := berth.Parameter{Name: "once", Type: "string", Default: "no", Mutable: true, Ephemeral: true}
		h.push("dev", "v1", contents(size, once))
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		h.push("dev", "v2", contents(size, once))
		in := update
		in.Parameters = map[string]string{"size": "2", "once": "yes"}
		stop, err := h.workspaces.Build(t.Context(), h.mel, id, in)
		must(t, err)
		if b := stop.Build; b.Transition != berth.Stop || !b.Next.Waits() || stop.Version != "v1" || b.Parameters["size"] != "1" || b.Parameters["once"] != "no" {
			t.Fatalf("it begins with %+v", stop)
		}
		j, c := h.take()
		if _, err := h.queue.Judge(t.Context(), c, berth.Plan{}); err != nil {
			t.Fatal(err)
		}
		if v := h.see(id); v.Status != berth.StatusStopping || !strings.Contains(v.Reason, "started again") {
			t.Errorf("while it stops: %s, %q", v.Status, v.Reason)
		}
		refusedWith(t, "a connection while it stops", h.build(h.mel, id, connecting), "build 2")
		must(t, h.queue.Finish(t.Context(), c, stopped(2)))
		refusedWith(t, "a connection behind the stop", h.build(h.mel, id, connecting), "build 3")
		if v := h.see(id); v.Status != berth.StatusPending || v.Build.Version != "v2" || v.Build.Build.Reason != berth.ReasonCLI ||
			v.Build.Build.Parameters["size"] != "2" || v.Build.Build.Parameters["once"] != "yes" || v.Build.Build.Number != j.Build.Number+1 {
			t.Errorf("behind the stop: %+v", v.Build)
		}
		must(t, h.queue.Finish(t.Context(), c, stopped(2))) // sent again
		h.finishStart(3)
		if v := h.see(id); v.Status != berth.StatusRunning || v.Outdated || v.Build.Build.Number != 3 {
			t.Errorf("at the end: %s, build %d", v.Status, v.Build.Build.Number)
		}

		must(t, h.build(h.mel, id, restart))
		h.run(stopped(4))
		if v := h.see(id); v.Build.Version != "v2" || v.Build.Build.Parameters["size"] != "2" || v.Build.Build.Parameters["once"] != "no" {
			t.Errorf("a restart as it is: %+v", v.Build)
		}
		h.finishStart(5)
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		h.run(stopped(6))
		if v := h.see(id); v.Status != berth.StatusStopped {
			t.Errorf("a stop starts it again: %s", v.Status)
		}
		b, err := h.workspaces.Build(t.Context(), h.mel, id, restart)
		must(t, err)
		if b.Build.Transition != berth.Start || b.Build.Next != nil {
			t.Errorf("a restart of what is stopped: %+v", b)
		}
	})
}

// A restart that cannot start stops nothing.
func TestRestartIsCheckedFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		fixed := berth.Parameter{Name: "region", Type: "string", Required: true}
		grows := berth.Parameter{Name: "disk", Type: "number", Default: "10", Mutable: true, Validation: &berth.Validation{Monotonic: "increasing"}}
		h.push("dev", "v1", contents(fixed, grows))
		w, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "box", Template: "dev", Parameters: map[string]string{"region": "eu", "disk": "20"}})
		must(t, err)
		h.finishStart(1)
		id := w.Workspace.ID
		with := func(in workspaces.BuildInput, f func(*workspaces.BuildInput)) workspaces.BuildInput {
			f(&in)
			return in
		}
		answer := func(name, value string) func(*workspaces.BuildInput) {
			return func(in *workspaces.BuildInput) { in.Parameters = map[string]string{name: value} }
		}
		for name, c := range map[string]struct {
			in    workspaces.BuildInput
			field string
		}{
			"an immutable answer": {with(restart, answer("region", "us")), "parameters.region"},
			"a shrinking disk":    {with(update, answer("disk", "10")), "parameters.disk"},
			"a rebuild with both": {with(rebuild, answer("disk", "5")), "parameters.disk"},
			"no such version":     {with(restart, func(in *workspaces.BuildInput) { in.Version = "v9" }), "version"},
			"an orphan":           {with(restart, func(in *workspaces.BuildInput) { in.Orphan = true }), "orphan"},
			"a forced restart":    {with(restart, func(in *workspaces.BuildInput) { in.Force = true }), "force"},
			"a connection":        {with(restart, func(in *workspaces.BuildInput) { in.Reason = berth.ReasonSSH }), "reason"},
			"somebody's reason":   {with(rebuild, func(in *workspaces.BuildInput) { in.Reason = berth.ReasonAutostart }), "reason"},
		} {
			err := h.build(h.mel, id, c.in)
			want(t, name, err, berth.Invalid)
			if field(err) != c.field {
				t.Errorf("%s: field %q, want %q: %v", name, field(err), c.field, err)
			}
		}
		want(t, "a stranger", h.build(h.eve, id, restart), berth.NotFound)
		want(t, "who reads it", h.build(h.admin, id, rebuild), berth.Forbidden)
		if v := h.see(id); v.Status != berth.StatusRunning || v.Build.Build.Number != 1 {
			t.Errorf("something was stopped: %+v", v.Build)
		}
		must(t, h.build(h.mel, id, with(update, answer("disk", "30"))))
		want(t, "a second one", h.build(h.mel, id, restart), berth.Conflict)
		h.run(stopped(2))
		h.finishStart(3)
		if got := h.see(id).Build.Build.Parameters; got["disk"] != "30" || got["region"] != "eu" {
			t.Errorf("answers: %v", got)
		}
	})
}

// Whoever cancels the stop cancels the start, also when Terraform comes to its
// end all the same.
func TestCancelOfARestart(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		cancel := func() {
			t.Helper()
			_, err := h.workspaces.Cancel(t.Context(), h.mel, h.see(id).Build.Build.ID, false, "")
			must(t, err)
		}
		must(t, h.build(h.mel, id, restart))
		cancel()
		if v := h.see(id); v.Status != berth.StatusCanceled || v.Build.Build.Next.Waits() {
			t.Errorf("canceled while it waited: %s, %+v", v.Status, v.Build.Build.Next)
		}
		must(t, h.build(h.mel, id, restart))
		_, c := h.take()
		_, err := h.queue.Judge(t.Context(), c, berth.Plan{})
		must(t, err)
		cancel()
		must(t, h.queue.Finish(t.Context(), c, stopped(2)))
		if v := h.see(id); v.Status != berth.StatusStopped || !strings.Contains(v.Reason, "it was to be started again, but mel canceled it") {
			t.Errorf("canceled when it was too late: %s %q", v.Status, v.Reason)
		}
	})
}

// What changed until the stop ended is looked at again, and never keeps the stop
// from ending.
func TestRestartIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *house)
		says   string
	}{
		"the owner is suspended": {func(h *house) { h.suspend(h.mel, berth.UserSuspended) }, "may not sign in any more"},
		"who asked left": {func(h *house) {
			must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
				o, err := tx.OrganizationRef("")
				if err != nil {
					return err
				}
				return tx.RemoveMember(o.ID, h.mel.UserID)
			}))
		}, "mel, who asked for it, may not start it any more"},
		"it was put to sleep": {func(h *house) {
			must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
				w, err := tx.WorkspaceNamed(h.mel.UserID, "box")
				if err != nil {
					return err
				}
				w.DormantAt = tx.Now
				return tx.SetLifecycle(w.ID, w.Lifecycle)
			}))
		}, "berth dormancy wake box"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.push("dev", "v1", contents())
				v, _ := h.running(h.mel, "box")
				must(t, h.build(h.mel, v.Workspace.ID, restart))
				c.change(h)
				h.run(stopped(2))
				got, err := h.workspaces.Get(t.Context(), h.owner, v.Workspace.ID)
				must(t, err)
				if got.Status != berth.StatusStopped || !strings.Contains(got.Reason, c.says) {
					t.Errorf("%s: %q", got.Status, got.Reason)
				}
			})
		})
	}
}

// Who lost the right to destroy what is persistent while a restart stops the
// workspace does not destroy it.
func TestRestartDestroysForNobodyWhoMayNot(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id, zoe := v.Workspace.ID, h.person("zoe")
		must(t, h.share(h.mel, id, with("zoe", berth.GrantUse)))
		role := func(roles ...berth.Role) {
			h.write(func(tx *store.Tx, o berth.Organization) error {
				return tx.PutMember(berth.Membership{OrganizationID: o.ID, UserID: zoe.UserID, Roles: roles})
			})
		}
		role(berth.RoleOwner)
		in := restart
		in.AllowDestroy = []string{"docker_volume.home"}
		must(t, h.build(h.now(zoe), id, in))
		role()
		h.run(stopped(2))
		if v := h.see(id); v.Status != berth.StatusStopped || !strings.Contains(v.Reason, "persistent") {
			t.Errorf("%s: %q", v.Status, v.Reason)
		}
	})
}

// A stop that failed hands the start on to the stop that is tried in its place,
// for a while; a person's stop is just that.
func TestRestartOutlivesAFailedStop(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		again := func() berth.Build {
			t.Helper()
			var tried berth.Build
			must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
				b, err := h.workspaces.Automatic(tx, id, workspaces.Automatic{Tries: 2,
					BuildInput: workspaces.BuildInput{Transition: berth.Stop, Reason: berth.ReasonAutostop}})
				tried = b
				return err
			}))
			return tried
		}
		fails := builds.Report{Error: "the cloud is away", ErrorCode: "terraform"}
		must(t, h.build(h.mel, id, restart))
		h.run(fails)
		if b := again(); !b.Next.Waits() || b.Next.Reason != berth.ReasonCLI {
			t.Fatalf("the next try has %+v", b.Next)
		}
		h.run(fails)
		again()
		h.run(stopped(2))
		if b := h.see(id).Build.Build; b.Transition != berth.Start || b.InitiatorID != h.mel.UserID {
			t.Errorf("behind the try that worked: %+v", b)
		}
		h.finishStart(3)

		must(t, h.build(h.mel, id, restart))
		h.run(fails)
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		if b := h.see(id).Build.Build; b.Next != nil {
			t.Errorf("a person's stop has %+v", b.Next)
		}
		h.run(fails)
		if b := again(); b.Next != nil {
			t.Errorf("the try after it has %+v", b.Next)
		}
		h.run(stopped(4))

		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		h.finishStart(5)
		must(t, h.build(h.mel, id, restart))
		b := h.run(fails).Build
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			next := *b.Next
			next.AskedAt = tx.Now.Add(-time.Hour - time.Second)
			return tx.SetNextBuild(b.ID, next)
		}))
		if b := again(); b.Next != nil {
			t.Errorf("hours later it is started still: %+v", b.Next)
		}
	})
}

// A rebuild resets what is not persistent: one in use, and somebody else's, only
// by force, and that only by who governs it.
func TestRebuildWantsForce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		h.push("dev", "v2", contents())
		unforced := func(name string, who authz.Actor, says ...string) {
			t.Helper()
			err := h.build(who, id, rebuild)
			refusedWith(t, name, err, append(says, "--force")...)
			if field(err) != "force" {
				t.Errorf("%s: field %q", name, field(err))
			}
		}
		hold := berth.NewID[berth.Hold]()
		unforced("the owner of the site", h.owner, "box is the workspace of mel")
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			return tx.PutHold(berth.Hold{ID: hold, WorkspaceID: id, Reason: "training", CreatedBy: h.mel.UserID,
				CreatedAt: tx.Now, Until: tx.Now.Add(time.Hour)})
		}))
		unforced("one that is held", h.mel, "box is in use", "mel holds it until")
		force := rebuild
		force.Force = true
		must(t, h.build(h.mel, id, force))
		_, err := h.workspaces.Cancel(t.Context(), h.mel, h.see(id).Build.Build.ID, false, "")
		must(t, err)
		must(t, h.build(h.owner, id, force))
		h.run(stopped(2))
		if v := h.see(id); v.Build.Version != "v2" || v.Build.Initiator != "ada" || v.Build.Build.Transition != berth.Start {
			t.Errorf("rebuilt: %+v", v.Build)
		}
		h.finishStart(3)
		if diff := h.see(id).Workspace.Persistent; len(diff) != 1 || diff[0] != "docker_volume.home" {
			t.Errorf("persistent after it: %v", diff)
		}
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error { return tx.DeleteHold(id, hold) }))
		must(t, h.build(h.mel, id, rebuild))
	})
}

// An orphan delete needs no runner: it is over at once, for who may change the
// template, and leaves what was made.
func TestOrphanDeleteIsOverAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		orphan := workspaces.BuildInput{Transition: berth.Delete, Orphan: true}
		want(t, "its owner", h.build(h.mel, id, orphan), berth.Forbidden)
		b, err := h.workspaces.Build(t.Context(), h.owner, id, orphan)
		must(t, err)
		if b.Build.Status() != berth.BuildSucceeded || b.Build.RunnerID != "" {
			t.Errorf("it is %s, of runner %q", b.Build.Status(), b.Build.RunnerID)
		}
		want(t, "the workspace", second(h.workspaces.Get(t.Context(), h.mel, id)), berth.NotFound)
		lines, err := h.workspaces.Logs(t.Context(), h.owner, b.Build.ID, 0, 10)
		must(t, err)
		if len(lines) != 1 || lines[0].Level != "info" || !strings.Contains(lines[0].Text, "stays where it is") {
			t.Errorf("its log: %+v", lines)
		}
		if j, err := h.queue.Take(t.Context(), h.provider.ID, "runner", 0, true); err != nil || j != nil {
			t.Errorf("a runner was given %+v, %v", j, err)
		}
	})
}

// What people are told who cancel, from the first moment of a build to after its
// end.
func TestCancelAnswers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		cancel := func(who authz.Actor, expect berth.BuildStatus) (berth.BuildStatus, error) {
			b, err := h.workspaces.Cancel(t.Context(), who, h.see(id).Build.Build.ID, false, expect)
			return b.Build.Status(), err
		}
		answer := func(what string, expect, is berth.BuildStatus) {
			t.Helper()
			if got, err := cancel(h.mel, expect); err != nil || got != is {
				t.Errorf("%s: %s, %v; want %s", what, got, err, is)
			}
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		want(t, "a stranger", second(cancel(h.eve, "")), berth.NotFound)
		want(t, "who only reads", second(cancel(h.admin, "")), berth.Forbidden)
		want(t, "one that does not run yet", second(cancel(h.mel, berth.BuildRunning)), berth.Conflict)
		answer("one that waits", berth.BuildPending, berth.BuildCanceled)
		want(t, "one that was canceled", second(cancel(h.mel, "")), berth.Conflict)

		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		_, c := h.take()
		want(t, "one that does not wait any more", second(cancel(h.mel, berth.BuildPending)), berth.Conflict)
		answer("one that runs", berth.BuildRunning, berth.BuildCanceling)
		answer("once more", berth.BuildRunning, berth.BuildCanceling)
		want(t, "another build", h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}), berth.Conflict)
		must(t, h.queue.Finish(t.Context(), c, builds.Report{Canceled: true}))
		refusedWith(t, "one that has ended", second(cancel(h.mel, "")), "has ended already: it was canceled")
		if s := h.see(id).Status; s != berth.StatusCanceled {
			t.Errorf("the workspace is %s", s)
		}
	})
}
