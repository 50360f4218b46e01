package workspaces_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// conditional asks for a disk of a vm only, and of members of ops whether to debug.
const conditional = `
data "coder_workspace_owner" "me" {}
data "coder_parameter" "kind" {
  name    = "kind"
  default = "container"
  mutable = true
}
data "coder_parameter" "disk" {
  count   = data.coder_parameter.kind.value == "vm" ? 1 : 0
  name    = "disk"
  type    = "number"
  mutable = true
  default = 10
  validation {
    min       = 5
    monotonic = "increasing"
  }
}
data "coder_parameter" "zone" {
  count   = data.coder_parameter.kind.value == "vm" ? 1 : 0
  name    = "zone"
  default = "a"
}
data "coder_parameter" "debug" {
  count     = contains(data.coder_workspace_owner.me.groups, "ops") ? 1 : 0
  name      = "debug"
  type      = "bool"
  mutable   = true
  ephemeral = true
  default   = false
}
`

func TestQuestionsThatHangOnAnswers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, err := h.templates.Upload(t.Context(), h.admin, archive(t, conditional))
		must(t, err)
		_, err = h.templates.Push(t.Context(), h.admin, templates.Push{Template: "dev", Archive: a.Hash, Name: "v1", Activate: true})
		must(t, err)
		c := contents(berth.Parameter{Name: "kind", Type: "string", Default: "container", Mutable: true})
		h.run(builds.Report{Contents: &c})
		ana := h.person("ana")

		ask := workspaces.Ask{Template: "dev", Version: "active", Parameters: map[string]string{"kind": "vm", "nosuch": "1"}}
		f, err := h.workspaces.Questions(t.Context(), ana, ask)
		must(t, err)
		if got := names(f); got != "disk kind zone" || strings.Join(f.Unknown, " ") != "nosuch" {
			t.Errorf("asked %s, unknown %v", got, f.Unknown)
		}
		ask.Parameters = map[string]string{"disk": "4"}
		if f, err = h.workspaces.Questions(t.Context(), ana, ask); err != nil || names(f) != "kind" || strings.Join(f.Unasked, " ") != "disk" {
			t.Errorf("of a container: %+v %v", f, err)
		}
		ask.Owner = "admin"
		if _, err = h.workspaces.Questions(t.Context(), ana, ask); berth.ErrorCode(err) != berth.Forbidden {
			t.Errorf("what is asked of somebody else: %v", err)
		}

		// What is not asked is left out, and what the template never asks refused.
		_, err = h.workspaces.Create(t.Context(), ana, workspaces.Create{Name: "x", Template: "dev", Parameters: map[string]string{"nosuch": "1"}})
		if berth.ErrorCode(err) != berth.Invalid || !strings.Contains(err.Error(), "disk") {
			t.Errorf("an answer to nothing: %v", err)
		}
		has := func(id berth.WorkspaceID, want map[string]string) {
			t.Helper()
			v, err := h.workspaces.Get(t.Context(), ana, id)
			if err != nil || !maps.Equal(v.Build.Build.Parameters, want) {
				t.Fatalf("%v, want %v (%v)", v.Build.Build.Parameters, want, err)
			}
		}
		v, err := h.workspaces.Create(t.Context(), ana, workspaces.Create{Name: "web", Template: "dev", Parameters: map[string]string{"disk": "30"}})
		must(t, err)
		h.finishStart(1)
		has(v.Workspace.ID, map[string]string{"kind": "container"})

		serial := int64(1)
		change := func(want map[string]string, answers map[string]string) {
			t.Helper()
			must(t, h.build(ana, v.Workspace.ID, workspaces.BuildInput{Transition: berth.Start, Parameters: answers}))
			serial++
			h.finishStart(serial)
			has(v.Workspace.ID, want)
		}
		vm := map[string]string{"kind": "vm", "disk": "30", "zone": "b"}
		change(vm, map[string]string{"kind": "vm", "disk": "30", "zone": "b"})
		// Hidden for a while, the disk comes back as large as it was.
		hidden := map[string]string{"kind": "container", "disk": "30", "zone": "b"}
		change(hidden, map[string]string{"kind": "container"})
		change(vm, map[string]string{"kind": "vm"})
		for name, value := range map[string]string{"disk": "20", "zone": "a"} {
			if err := h.build(ana, v.Workspace.ID, workspaces.BuildInput{Transition: berth.Start, Parameters: map[string]string{name: value}}); berth.ErrorCode(err) != berth.Invalid {
				t.Errorf("%s = %s: %v", name, value, err)
			}
		}
		must(t, h.build(ana, v.Workspace.ID, workspaces.BuildInput{Transition: berth.Stop}))
		h.run(stopped(serial + 1))
		has(v.Workspace.ID, vm)

		last, err := h.workspaces.Last(t.Context(), ana, "", "dev")
		if err != nil || !maps.Equal(last, vm) {
			t.Errorf("answered last: %v %v", last, err)
		}
		if last, err = h.workspaces.Last(t.Context(), h.admin, "", "dev"); err != nil || len(last) != 0 {
			t.Errorf("of somebody who never did: %v %v", last, err)
		}
	})
}

func names(f berth.Form) string {
	var list []string
	for _, q := range f.Questions {
		list = append(list, q.Name)
	}
	return strings.Join(list, " ")
}
