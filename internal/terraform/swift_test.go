package terraform

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth"
)

// swiftly is a template whose changes all go through plugins.
const swiftly = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
variable "text" { default = "a" }
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "berth_directory" "home" {
  name = "home-${var.text}"
}
resource "coder_metadata" "home" {
  count       = data.coder_workspace.me.start_count
  resource_id = berth_directory.home.id
  daily_cost  = length(var.text)
  item {
    key   = "text"
    value = var.text
  }
}
`

// fast makes o a build behind the journal.
func fast(t testing.TB, o Options) Options {
	t.Helper()
	root := filepath.Join(filepath.Dir(o.Dir), "homes")
	makeDir(t, root)
	o.Journal = filepath.Join(filepath.Dir(pluginMirror), "berth-plugin")
	o.Env["BERTH_HOST_PROCESSES"], o.Env["BERTH_PROCESS_ROOT"] = "allowed", root
	return o
}

func oneStep(rec *recorder) bool {
	return !strings.Contains(rec.text(), "two steps") && strings.Count(rec.text(), "plan/debug: Terraform") == 1
}

func TestOneRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(map[string]string{"main.tf": swiftly})
	var plan berth.Plan
	rec := &recorder{t: t}
	made, err := Run(t.Context(), fast(t, s.options(i, berth.Start, nil)), rec, allow(&plan))
	if err != nil || !oneStep(rec) {
		t.Fatalf("%v\n%s", err, rec.text())
	}
	if want := []string{"berth_directory.home", "coder_agent.main", "coder_metadata.home[0]"}; !slices.Equal(made.Addresses, want) || plan.DailyCost != 1 || len(plan.Changes) != 3 {
		t.Errorf("made %v by %+v", made.Addresses, plan)
	}
	rec = &recorder{t: t}
	replaced, err := Run(t.Context(), with(fast(t, s.options(i, berth.Start, made.State)), "text", "bb"), rec, allow(&plan))
	if err != nil || !oneStep(rec) {
		t.Fatalf("%v\n%s", err, rec.text())
	}
	at := slices.IndexFunc(plan.Changes, func(c berth.Change) bool { return c.Address == "berth_directory.home" })
	if at < 0 || !slices.Equal(plan.Changes[at].Forces, []string{"name"}) || plan.DailyCost != 2 {
		t.Errorf("replaced by %+v", plan)
	}
	rec = &recorder{t: t}
	stopped, err := Run(t.Context(), with(fast(t, s.options(i, berth.Stop, replaced.State)), "text", "bb"), rec, allow(&plan))
	if err != nil || !oneStep(rec) || plan.DailyCost != 0 {
		t.Fatalf("%+v, %v\n%s", plan, err, rec.text())
	}
	rec = &recorder{t: t}
	gone, err := Run(t.Context(), fast(t, s.options(i, berth.Delete, stopped.State)), rec, allow(&plan))
	if err != nil || !oneStep(rec) || len(gone.Addresses) != 0 || len(plan.Changes) != 2 {
		t.Fatalf("%v left by %+v: %v\n%s", gone.Addresses, plan, err, rec.text())
	}
}

// What the judge refuses leaves the state as it was, though terraform has
// written it.
func TestOneRunThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(map[string]string{"main.tf": swiftly})
	made, err := Run(t.Context(), fast(t, s.options(i, berth.Start, nil)), &recorder{t: t}, allow(nil))
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{t: t}
	o := with(fast(t, s.options(i, berth.Start, made.State)), "text", "bb")
	refused, err := Run(t.Context(), o, rec, func(_ context.Context, p berth.Plan) (berth.Verdict, error) {
		return berth.Verdict{Reason: "not this one", Refused: []berth.Refusal{{Address: "berth_directory.home", Action: "replace"}}}, nil
	})
	if run := (*RunError)(nil); !errors.As(err, &run) || run.Code != berth.FailedPersistence || err.Error() != "not this one" || !slices.Equal(refused.Refused[0].Because, []string{"name"}) {
		t.Errorf("refused with %v, %+v", err, refused.Refused)
	}
	if refused.State != nil || len(rec.states) != 0 || !slices.Equal(refused.Addresses, made.Addresses) {
		t.Errorf("a refused build leaves a state of %v, and shipped %d", refused.Addresses, len(rec.states))
	}
	if found, err := Recover(o.Dir); err != nil || found.State != nil {
		t.Errorf("of a refused build revision %d is recovered: %v\n%s", found.Serial, err, rec.text())
	}
	if strings.Contains(rec.text(), "may not be applied") {
		t.Errorf("terraform's own words on the refusal are in the log:\n%s", rec.text())
	}
	again, err := Run(t.Context(), fast(t, s.options(i, berth.Start, made.State)), &recorder{t: t}, allow(nil))
	if err != nil {
		t.Fatal(err)
	}
	if again.State != nil && !bytes.Contains(again.State, []byte("home-a")) {
		t.Errorf("the refused change was made: %s", again.State)
	}
}

func makeDir(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
}

// The journal and the plugins run as the build's user.
func TestOneRunAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root may run builds as another user")
	}
	s := newSite(t)
	s.as = &As{UID: 65534, GID: 65534}
	i := s.must(map[string]string{"main.tf": swiftly})
	o := fast(t, s.options(i, berth.Start, nil))
	if err := os.Chmod(o.Env["BERTH_PROCESS_ROOT"], 0o777); err != nil {
		t.Fatal(err)
	}
	rec := &recorder{t: t}
	judged := func(context.Context, berth.Plan) (berth.Verdict, error) {
		for _, what := range []string{"berth-plugin\x00journal", "provider-berth", "terraform\x00apply"} {
			for _, pid := range victims(o.Dir, what) {
				if info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid))); err == nil && info.Sys().(*syscall.Stat_t).Uid != 65534 {
					t.Errorf("%q runs as another user", what)
				}
			}
			if len(victims(o.Dir, what)) == 0 {
				t.Errorf("%q does not run", what)
			}
		}
		return berth.Verdict{Allow: true}, nil
	}
	made, err := Run(t.Context(), o, rec, judged)
	if err != nil || !oneStep(rec) || len(made.Addresses) != 3 {
		t.Fatalf("%v: %v\n%s", made.Addresses, err, rec.text())
	}
	if left := victims(o.Dir, ""); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}
