package workspaces_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestListFilters(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		h.push("other", "v1", contents())
		h.running(h.mel, "runs")
		h.running(h.mel, "fails")
		stops, _ := h.running(h.mel, "stops")
		h.running(h.eve, "hers")
		must(t, h.build(h.mel, stops.Workspace.ID, workspaces.BuildInput{Transition: berth.Stop}))
		h.run(stopped(2))
		fails, err := h.workspaces.Find(t.Context(), h.mel, "mel", "fails")
		must(t, err)
		must(t, h.build(h.mel, fails.Workspace.ID, workspaces.BuildInput{Transition: berth.Start}))
		h.run(builds.Report{Error: "no", ErrorCode: "terraform"})
		h.push("dev", "v2", contents()) // all of dev are outdated now
		_, err = h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "waits", Template: "dev"})
		must(t, err)
		for _, c := range []struct {
			who   authz.Actor
			query string
			want  string // newest first
		}{
			{h.mel, "", "waits stops fails runs"},
			{h.owner, "", "waits hers stops fails runs"},
			{h.admin, "owner:eve", "hers"},
			{h.owner, "owner:me", ""},
			{h.mel, "owner:me", "waits stops fails runs"},
			{h.mel, "owner:ME status:running", "runs"},
			{h.mel, "status:failed,stopped", "stops fails"},
			{h.mel, "status:pending", "waits"},
			{h.mel, "outdated:true", "stops fails runs"},
			{h.mel, "outdated:false", "waits"},
			{h.mel, "S fail", "fails"},
			{h.mel, "name:ops", "stops"},
			{h.mel, "%", ""},
			{h.mel, `"_"`, ""},
			{h.mel, "template:DEV organization:default provider:built-in name:run", "runs"},
			{h.mel, "template:other", ""},
		} {
			list, next, err := h.workspaces.List(t.Context(), c.who, c.query, "", 0)
			must(t, err)
			var got []string
			for _, v := range list {
				got = append(got, v.Workspace.Name)
			}
			if strings.Join(got, " ") != c.want || next != "" {
				t.Errorf("%s %q: %v, want %s", c.who.Username, c.query, got, c.want)
			}
		}
		for _, wrong := range []string{"color:red", "status:happy", "outdated:perhaps", `"open`, "status:", strings.Repeat("x", 2000)} {
			_, _, err := h.workspaces.List(t.Context(), h.mel, wrong, "", 0)
			if want(t, wrong, err, berth.Invalid); field(err) != "q" {
				t.Errorf("%q: field %q", wrong, field(err))
			}
		}
		if _, _, err := h.workspaces.List(t.Context(), h.mel, "color:red", "", 0); !strings.Contains(berth.ErrorMessage(err), "name, organization, outdated, owner, provider, shared, shared_with_group, shared_with_user, status, template") {
			t.Errorf("the keys are not named: %v", err)
		}
		for query, n := range map[string]int{"": 6, "transition:stop": 1, "status:failed": 1, "status:pending name:wait": 1, "owner:ghost": 0, "owner:eve": 0, "provider:moon": 0} {
			list, _, err := h.workspaces.ListBuilds(t.Context(), h.mel, query, "", 0)
			if err != nil || len(list) != n {
				t.Errorf("mel's builds %q: %d, %v, want %d", query, len(list), err, n)
			}
		}
	})
}

func TestListPages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		for i := range 7 {
			_, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: fmt.Sprintf("box%d", i), Template: "dev"})
			must(t, err)
		}
		seen, after := "", ""
		for pages := 1; ; pages++ {
			list, next, err := h.workspaces.List(t.Context(), h.mel, "", after, 3)
			must(t, err)
			for _, v := range list {
				seen += v.Workspace.Name[3:]
			}
			if after = next; next == "" {
				if pages != 3 {
					t.Errorf("%d pages", pages)
				}
				break
			}
		}
		if seen != "6543210" {
			t.Errorf("seen %s", seen)
		}
		for _, wrong := range []string{"x", "!!", strings.Repeat("z", 5000), "1.x\x00"} {
			_, _, err := h.workspaces.List(t.Context(), h.mel, "", wrong, 3)
			want(t, "a wrong mark", err, berth.Invalid)
		}
		_, _, err := h.workspaces.List(t.Context(), h.mel, "", "", 501)
		want(t, "a page too long", err, berth.Invalid)
		if list, _, err := h.workspaces.ListBuilds(t.Context(), h.mel, "", "", 500); err != nil || len(list) != 7 {
			t.Errorf("a page of 500 builds: %d, %v", len(list), err)
		}
	})
}
