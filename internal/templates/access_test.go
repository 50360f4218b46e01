package templates_test

import (
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// A private template is there for those alone that it is shared with, and who
// manages it by a share does with it all that a template admin does.
func TestAccessToTemplates(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		uma, max := h.person("uma", true), h.person("max", true)
		upload := func(who authz.Actor) (string, error) {
			a, err := h.s.Upload(ctx, who, archive(t, "# "+who.Username))
			return a.Hash, err
		}
		_, err := upload(max)
		want(t, "somebody who manages no template uploads", err, berth.Forbidden)
		h.push(templates.Push{Template: "open", Activate: true})
		h.finish(builds.Report{Contents: &berth.Contents{}})
		h.push(templates.Push{Template: "gpu", Activate: true, Private: true})
		h.finish(builds.Report{Contents: &berth.Contents{}})
		_, err = h.s.Grant(ctx, h.admin, "", "gpu", []sharing.Share{{User: "uma", Role: "use"}, {User: "max", Role: "admin"}})
		must(t, err)
		find := func(who authz.Actor, action authz.Action, name string) error {
			return h.db.Read(ctx, func(q *store.Query) error {
				_, err := templates.Find(q, who, action, "", name)
				return err
			})
		}
		listed := func(who authz.Actor) string {
			list, _, err := h.s.List(ctx, who, "", "", 0)
			must(t, err)
			var names []string
			for _, v := range list {
				names = append(names, v.Template.Name)
				if v.Private != (v.Template.Name == "gpu") {
					t.Errorf("%s is private: %v", v.Template.Name, v.Private)
				}
			}
			return strings.Join(names, " ")
		}
		for _, c := range []struct {
			who   authz.Actor
			list  string
			codes map[authz.Action]berth.Code // of what they may not do to the private one
		}{
			{h.admin, "open gpu", nil},
			{max, "open gpu", nil},
			{uma, "open gpu", map[authz.Action]berth.Code{authz.Update: berth.Forbidden, authz.Delete: berth.Forbidden, authz.Share: berth.Forbidden}},
			{h.mel, "open", map[authz.Action]berth.Code{authz.Read: berth.NotFound, authz.Use: berth.NotFound, authz.Update: berth.NotFound, authz.Delete: berth.NotFound, authz.Share: berth.NotFound}},
			{h.stranger, "", map[authz.Action]berth.Code{authz.Read: berth.NotFound, authz.Use: berth.NotFound, authz.Update: berth.NotFound, authz.Delete: berth.NotFound, authz.Share: berth.NotFound}},
		} {
			if got := listed(c.who); got != c.list {
				t.Errorf("%s lists %q, want %q", c.who.Username, got, c.list)
			}
			for _, action := range []authz.Action{authz.Read, authz.Use, authz.Update, authz.Delete, authz.Share} {
				if err := find(c.who, action, "gpu"); berth.ErrorCode(err) != c.codes[action] {
					t.Errorf("%s may %s the private template: %v, want %q", c.who.Username, action, err, c.codes[action])
				}
			}
		}

		// Who manages one pushes to that one, and makes no others.
		hash, err := upload(max)
		must(t, err)
		_, err = h.s.Push(ctx, max, templates.Push{Template: "gpu", Archive: hash, Activate: true})
		must(t, err)
		h.finish(builds.Report{Contents: &berth.Contents{}})
		_, err = h.s.Push(ctx, max, templates.Push{Template: "open", Archive: hash})
		want(t, "a push to another", err, berth.Forbidden)
		_, err = h.s.Push(ctx, max, templates.Push{Template: "new", Archive: hash})
		want(t, "a new template", err, berth.Forbidden)
		_, err = h.s.Push(ctx, uma, templates.Push{Template: "gpu", Archive: hash})
		want(t, "a push by use", err, berth.Forbidden)
		_, hidden := h.s.Push(ctx, h.mel, templates.Push{Template: "gpu", Archive: hash})
		_, missing := h.s.Push(ctx, h.mel, templates.Push{Template: "none", Archive: hash})
		if hidden == nil || missing == nil || hidden.Error() != missing.Error() {
			t.Errorf("a push tells a hidden template from none: %v, %v", hidden, missing)
		}
		if rows, err := h.s.Access(ctx, max, "", "gpu"); err != nil || len(rows) != 2 || rows[0].Name != "max" || rows[1].Name != "uma" {
			t.Errorf("who may what: %v, %v", rows, err)
		}
		_, err = h.s.Access(ctx, uma, "", "gpu")
		want(t, "who may use it asks who else", err, berth.Forbidden)
		_, err = h.s.Grant(ctx, uma, "", "gpu", []sharing.Share{{User: "mel", Role: "use"}})
		want(t, "who may use it shares it", err, berth.Forbidden)
		_, err = h.s.Grant(ctx, max, "", "gpu", []sharing.Share{{User: "eve", Role: "use"}})
		want(t, "somebody of another organization", err, berth.Invalid)
		must(t, h.s.Revoke(ctx, max, "", "gpu", []string{"uma"}, nil))
		want(t, "it was revoked", find(uma, authz.Read, "gpu"), berth.NotFound)
		want(t, "it was not granted", h.s.Revoke(ctx, max, "", "gpu", []string{"uma"}, nil), berth.NotFound)

		// Private and back, by an edit and by a push.
		yes, no := true, false
		v, err := h.s.Edit(ctx, max, "", "gpu", templates.Edit{Private: &no})
		if must(t, err); v.Private || find(h.mel, authz.Use, "gpu") != nil {
			t.Error("it was opened and is private")
		}
		_, err = h.s.Edit(ctx, h.mel, "", "gpu", templates.Edit{Private: &yes})
		want(t, "a member makes it private", err, berth.Forbidden)
		for range 2 {
			v, err = h.s.Edit(ctx, max, "", "gpu", templates.Edit{Private: &yes})
			if must(t, err); !v.Private {
				t.Error("it was closed and is open")
			}
		}
		h.push(templates.Push{Template: "open", Private: true})
		want(t, "a push made it private", find(h.mel, authz.Read, "open"), berth.NotFound)
		must(t, h.db.Read(ctx, func(q *store.Query) error {
			rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{Limit: 100})
			shared := 0
			for _, r := range rows {
				if r.Kind == "template" && (r.Action == "share" || r.Action == "unshare") {
					shared++
				}
			}
			if shared != 6 {
				t.Errorf("%d changes of access in the record, not 6", shared)
			}
			return err
		}))
	})
}
