package e2e

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/test/harness"
)

// costly is a template whose workspaces cost 2 a day, and while they run as much
// more as the answer size says.
func costly(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "templates", "process", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"main.tf": string(text) + `
data "coder_parameter" "size" {
  name    = "size"
  type    = "number"
  default = 30
  mutable = true
}
resource "terraform_data" "rack" {
  count = data.coder_workspace.me.start_count
  input = data.coder_parameter.size.value
}
resource "coder_metadata" "rack" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.rack[0].id
  daily_cost  = data.coder_parameter.size.value
}
resource "coder_metadata" "home" {
  resource_id = berth_directory.home.id
  daily_cost  = 2
}
`}
}

// What real Terraform plans is what is judged, told and counted.
func TestQuota(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	set := func(what string) {
		t.Helper()
		db, err := sql.Open("sqlite", filepath.Join(s.Data, "db", "berth.db")+"?_pragma=busy_timeout(20000)")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(what); err != nil {
			t.Fatal(err)
		}
	}
	says := func(part string, args ...string) {
		t.Helper()
		out, errs, code := s.Try(args...)
		if code != 0 || !strings.Contains(out+errs, part) {
			t.Errorf("berth %s: exit %d, does not say %q but:\n%s%s", strings.Join(args, " "), code, part, out, errs)
		}
	}
	spent := func(want int) {
		t.Helper()
		var q api.Quota
		if s.JSON(&q, "quota"); q.Spent != want {
			t.Errorf("%d are spent, want %d: %+v", q.Spent, want, q)
		}
	}
	s.Template("rack", costly(t))
	says("costs         32 a day", "templates", "show", "rack")
	set(`UPDATE groups SET quota_allowance = 40`)

	says("This costs 32 of your 40 a day, 8 are left.", "create", "a", "-t", "rack", "-y")
	spent(32)
	says("32 a day", "show", "a")
	out, errs, code := s.Try("create", "b", "-t", "rack", "-y")
	for _, part := range []string{"This costs 32 a day, and 8 of your 40 are left", "this costs 32 a day, 8 of the 40 of admin are left, so nothing was changed"} {
		if code != 6 || !strings.Contains(out+errs, part) {
			t.Errorf("exit %d, does not say %q but:\n%s%s", code, part, out, errs)
		}
	}
	if home, err := filepath.Glob(filepath.Join(s.Data, "workspaces", "*", "b")); err != nil || len(home) > 0 {
		t.Errorf("the refused build made %v (%v)", home, err)
	}
	spent(32)
	s.Berth("start", "b", "-y", "--parameter", "size=6")
	spent(40)
	s.Fails([]string{"this costs 9 a day"}, "start", "b", "-y", "--parameter", "size=7")
	s.Berth("start", "b", "-y")
	s.Berth("stop", "a", "-y")
	spent(10)
	s.Berth("start", "b", "-y", "--parameter", "size=30")
	spent(34)
	s.Fails([]string{"costs 32 a day"}, "start", "a", "-y")
	s.Berth("delete", "b", "-y")
	spent(2)
	s.Berth("start", "a", "-y")
	set(`UPDATE groups SET quota_allowance = 1`)
	s.Berth("start", "a", "-y", "--parameter", "size=20")
	spent(22)
	s.Berth("stop", "a", "-y")
	spent(2)

	set(`UPDATE groups SET quota_allowance = NULL`)
	set(`UPDATE organizations SET max_running_per_user = 1, max_workspaces_per_user = 2`)
	s.Berth("create", "c", "-t", "rack", "-y")
	s.Fails([]string{"admin has 1 running workspace in the organization default (c)", "stop one first"}, "start", "a", "-y")
	s.Fails([]string{"admin has 2 workspaces in the organization default and may have 2"}, "create", "d", "-t", "rack", "-y")
	says("2 of at most 2", "quota", "show", "admin")
	s.Fails([]string{"quota of nobody"}, "quota", "show", "nobody")
}
