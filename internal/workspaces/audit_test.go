package workspaces_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// newest is the newest row of an action, as a person reads it: target, result,
// reason and what changed. It is "" when there is none.
func (h *house) newest(action string) (text string) {
	h.t.Helper()
	must(h.t, h.db.Read(h.t.Context(), func(q *store.Query) error {
		rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}, Actions: []string{action}}, store.Page{Limit: 1})
		text = ""
		for _, r := range rows {
			parts := []string{r.ActorName, string(r.Class), r.TargetName, r.Result, r.Reason}
			for _, field := range slices.Sorted(maps.Keys(r.Changes)) {
				c := r.Changes[field]
				parts = append(parts, fmt.Sprintf("%s:%v>%v", field, c.Old, c.New))
				if c.Secret {
					parts[len(parts)-1] = field + ":secret"
				}
			}
			text = strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
			if r.OrganizationID == "" {
				text += " in no organization"
			}
		}
		return err
	}))
	return text
}

func TestChangesAreRecordedFieldByField(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		size := berth.Parameter{Name: "size", Type: "number", Default: "1", Mutable: true}
		token := berth.Parameter{Name: "token", Type: "string", Default: "none", Mutable: true}
		h.push("dev", "v1", contents(size, token))
		ws, ctx := h.workspaces, t.Context()
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		is := func(action, want string) {
			t.Helper()
			if got := h.newest(action); got != want {
				t.Errorf("%s: %q, want %q", action, got, want)
			}
		}
		is("create", "mel write mel/box ok initiator name:<nil>>box parameters.size:<nil>>1 parameters.token:secret template:<nil>>dev version:<nil>>v1")
		h.push("dev", "v2", contents(size, token))
		is("activate", "tam automatic dev ok The version was pushed to become the active one, and its import succeeded. active_version:v1>v2")

		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start, Update: true, Parameters: map[string]string{"size": "2", "token": "hunter2"}}))
		is("start", "mel write mel/box ok initiator parameters.size:1>2 parameters.token:secret version:v1>v2")
		h.finishStart(2)

		_, err := ws.Edit(ctx, h.mel, id, workspaces.Edit{Name: new("web"), ConnectStarts: new(false)})
		must(t, err)
		is("rename", "mel write mel/box ok name:box>web")
		is("edit", "mel write mel/box ok connect_starts:true>false")

		_, err = ws.RotateAgentKey(ctx, h.mel, id)
		must(t, err)
		is("rotate-key", "mel write mel/web ok agent_key:secret")
		_, err = ws.PushState(ctx, h.admin, id, []byte(`{"version":4,"lineage":"L","serial":9,"resources":[]}`))
		must(t, err)
		is("state-push", "tam write mel/web ok serial:2>9 state:secret")
		_, err = ws.State(ctx, h.admin, id)
		must(t, err)
		is("state-pull", "tam write mel/web ok")
	})
}

// Who ends a build is recorded when it ends, and not when it had ended already.
func TestAnEndIsRecordedWithIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		ctx, id := t.Context(), v.Workspace.ID
		_, err := h.workspaces.Cancel(ctx, h.mel, v.Build.Build.ID, false, "")
		if want(t, "a cancel of what ended", err, berth.Conflict); h.newest("cancel") != "" {
			t.Errorf("it is recorded: %s", h.newest("cancel"))
		}
		b, err := h.workspaces.Build(ctx, h.mel, id, workspaces.BuildInput{Transition: berth.Stop})
		must(t, err)
		_, err = h.workspaces.Cancel(ctx, h.mel, b.Build.ID, false, "")
		must(t, err)
		if got := h.newest("cancel"); got != "mel write mel/box ok status:pending>canceled" {
			t.Errorf("cancel: %q", got)
		}
	})
}

// A transaction that fails behind its audit row leaves neither.
func TestWhatFailsLeavesNoRow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		_, err := h.workspaces.Edit(t.Context(), h.mel, v.Workspace.ID, workspaces.Edit{ConnectStarts: new(false), Name: new("-")})
		if !errors.Is(err, berth.Invalid) {
			t.Fatalf("a bad name: %v", err)
		}
		if got := h.newest("edit") + h.newest("rename"); got != "" {
			t.Errorf("recorded: %s", got)
		}
	})
}
