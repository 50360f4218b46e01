package workspaces_test

import (
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// policy changes what the template dev says.
func (h *house) policy(p templates.PolicyEdit) {
	h.t.Helper()
	_, err := h.templates.Edit(h.t.Context(), h.admin, "", "dev", templates.Edit{Policy: p})
	must(h.t, err)
}

// version is the version of the newest build of a workspace.
func (h *house) version(id berth.WorkspaceID) string {
	h.t.Helper()
	v, err := h.workspaces.Get(h.t.Context(), h.admin, id)
	must(h.t, err)
	return v.Build.Version
}

func TestRequireActive(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.stoppedBox()
		running, _ := h.running(h.mel, "runs")
		h.push("dev", "v2", contents())
		h.policy(templates.PolicyEdit{RequireActive: new(true)})
		old := workspaces.BuildInput{Transition: berth.Start, Version: "v1"}
		want(t, "a member's start on an old version", h.build(h.mel, id, old), berth.Forbidden)
		_, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "new", Template: "dev", Version: "v1"})
		want(t, "a member's workspace of an old version", err, berth.Forbidden)
		must(t, h.build(h.mel, running.Workspace.ID, workspaces.BuildInput{Transition: berth.Stop}))
		if got := h.version(running.Workspace.ID); got != "v1" {
			t.Errorf("a stop took %s", got)
		}
		h.run(stopped(2))
		must(t, h.build(h.mel, running.Workspace.ID, connecting))
		if got := h.version(running.Workspace.ID); got != "v2" {
			t.Errorf("a connection started %s", got)
		}
		h.finishStart(3)
		must(t, h.build(h.owner, id, old))
		if got := h.version(id); got != "v1" {
			t.Errorf("a template admin who asked for v1 started %s", got)
		}
		h.finishStart(3)
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Delete}))
	})
}

func TestStartsByARuleNeedAnswers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.stoppedBox()
		h.push("dev", "v2", contents(berth.Parameter{Name: "region", Type: "string", Required: true, Mutable: true}))
		h.policy(templates.PolicyEdit{RequireActive: new(true)})
		start := workspaces.BuildInput{Transition: berth.Start, Reason: berth.ReasonAutostart, Update: true}
		for name, err := range map[string]error{
			"a person": h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}), "a connection": h.build(h.mel, id, connecting),
			"a schedule": h.db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := h.workspaces.Automatic(tx, id, workspaces.Automatic{BuildInput: start, Tries: 1})
				return err
			}),
		} {
			want(t, name, err, berth.Invalid)
			if !strings.Contains(berth.ErrorMessage(err), "region") || !strings.Contains(berth.ErrorMessage(err), "berth update box") {
				t.Errorf("%s is told %q", name, berth.ErrorMessage(err))
			}
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start, Parameters: map[string]string{"region": "eu"}}))
	})
}

func TestDeprecated(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.stoppedBox()
		h.policy(templates.PolicyEdit{Deprecated: new("use debian")})
		_, err := h.workspaces.Create(t.Context(), h.admin, workspaces.Create{Name: "new", Template: "dev"})
		if field(err) != "template" || !strings.Contains(berth.ErrorMessage(err), "use debian") {
			t.Errorf("a new workspace: %v", err)
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
	})
}

func TestRunningBuildsThatPeopleMayNotCancel(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		h.policy(templates.PolicyEdit{AllowUserCancel: new(false)})
		id := h.stoppedBox()
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		newest := func() berth.BuildID {
			v, err := h.workspaces.Get(t.Context(), h.mel, id)
			must(t, err)
			return v.Build.Build.ID
		}
		_, err := h.workspaces.Cancel(t.Context(), h.mel, newest(), false, "")
		must(t, err) // it waits
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		h.take()
		_, err = h.workspaces.Cancel(t.Context(), h.mel, newest(), false, "")
		want(t, "a member", err, berth.Forbidden)
		_, err = h.workspaces.Cancel(t.Context(), h.owner, newest(), false, "")
		must(t, err)
	})
}
