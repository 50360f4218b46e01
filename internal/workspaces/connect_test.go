package workspaces_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/workspaces"
)

var connecting = workspaces.BuildInput{Transition: berth.Start, Reason: berth.ReasonSSH}

// stoppedBox makes a workspace, starts it and stops it.
func (h *house) stoppedBox() berth.WorkspaceID {
	h.t.Helper()
	v, _ := h.running(h.mel, "box")
	must(h.t, h.build(h.mel, v.Workspace.ID, workspaces.BuildInput{Transition: berth.Stop}))
	h.run(stopped(2))
	return v.Workspace.ID
}

// refusedWith fails unless err is a conflict that says each of says.
func refusedWith(t *testing.T, what string, err error, says ...string) {
	t.Helper()
	want(t, what, err, berth.Conflict)
	for _, s := range says {
		if !strings.Contains(berth.ErrorMessage(err), s) {
			t.Errorf("%s: %q does not say %q", what, berth.ErrorMessage(err), s)
		}
	}
}

func TestConnectionStarts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.stoppedBox()
		for _, in := range []workspaces.BuildInput{
			{Transition: berth.Stop, Reason: berth.ReasonSSH},
			{Transition: berth.Start, Reason: berth.ReasonVSCode, Update: true},
			{Transition: berth.Start, Reason: berth.ReasonJetBrains, Version: "v1"},
		} {
			if err := h.build(h.mel, id, in); field(err) != "reason" {
				t.Errorf("%+v: %v", in, err)
			}
		}
		want(t, "a stranger", h.build(h.eve, id, connecting), berth.NotFound)
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start, Reason: berth.ReasonVSCode}))
		refusedWith(t, "while it is pending", h.build(h.mel, id, connecting), "build 3")
		h.finishStart(3)
		refusedWith(t, "while it runs", h.build(h.mel, id, connecting), "connect to it")
		v, err := h.workspaces.Get(t.Context(), h.mel, id)
		must(t, err)
		if b := v.Build.Build; b.Reason != berth.ReasonVSCode || b.Class != berth.ClassPerson {
			t.Errorf("the build is %+v", b)
		}
	})
}

func TestConnectionStartsForbidden(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.stoppedBox()
		edit := func(on bool) {
			_, err := h.workspaces.Edit(t.Context(), h.mel, id, workspaces.Edit{ConnectStarts: &on})
			must(t, err)
		}
		edit(false)
		refusedWith(t, "a workspace that forbids it", h.build(h.mel, id, connecting), "box is stopped: start it with berth start box", "berth edit box")
		edit(true)
		tenants := organizations.New(h.db)
		forbid := organizations.Edit{ConnectStarts: new(false)}
		_, err := tenants.Edit(t.Context(), h.mel, "default", forbid)
		want(t, "a member edits the organization", err, berth.Forbidden)
		_, err = tenants.Edit(t.Context(), h.owner, "no-such", forbid)
		want(t, "no such organization", err, berth.NotFound)
		o, err := tenants.Edit(t.Context(), h.owner, "default", forbid)
		must(t, err)
		if o.ConnectStarts {
			t.Error("the organization lets connections start workspaces still")
		}
		refusedWith(t, "an organization that forbids it", h.build(h.mel, id, connecting), "box is stopped: start it with berth start box", "organization default")
		v, err := h.workspaces.Get(t.Context(), h.mel, id)
		must(t, err)
		if !v.ConnectForbidden || !v.Workspace.ConnectStarts {
			t.Errorf("it shows %v, %v", v.ConnectForbidden, v.Workspace.ConnectStarts)
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
	})
}

// A start that failed is not tried again because somebody connects.
func TestConnectionDoesNotRepeatFailures(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.stoppedBox()
		must(t, h.build(h.mel, id, connecting))
		h.run(builds.Report{ErrorCode: "terraform", Error: "no such image"})
		refusedWith(t, "after a failed start", h.build(h.mel, id, connecting), "failed", "berth logs box", "berth start box")
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		v, err := h.workspaces.Get(t.Context(), h.mel, id)
		must(t, err)
		_, err = h.workspaces.Cancel(t.Context(), h.mel, v.Build.Build.ID, false, "")
		must(t, err)
		refusedWith(t, "after a canceled start", h.build(h.mel, id, connecting), "was canceled", "berth start box")
	})
}

// Safety: of clients that connect at once, one makes a build; the others are
// told of a conflict, and nothing else goes wrong.
func TestConnectionsStartOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.stoppedBox()
		var made atomic.Int32
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				switch _, err := h.workspaces.Build(t.Context(), h.mel, id, connecting); {
				case err == nil:
					made.Add(1)
				case !errors.Is(err, berth.Conflict):
					t.Errorf("a client was told %v", err)
				}
			})
		}
		all.Wait()
		if made.Load() != 1 {
			t.Errorf("%d builds were made", made.Load())
		}
		list, _, err := h.workspaces.Builds(t.Context(), h.mel, id, "", 0)
		must(t, err)
		if len(list) != 3 {
			t.Errorf("the workspace has %d builds, want start, stop, start", len(list))
		}
	})
}
