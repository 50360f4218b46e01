package terraform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// simple is a template whose home is persistent and whose computer is not; it
// needs no plugin but terraform's own besides the coder one.
const simple = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
variable "size" { 
  type    = number 
  default = 1
}
variable "secret" {
  sensitive = true
  default   = "hidden-value"
}
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
  env  = { A = "agent" }
  startup_script = "true"
  resources_monitoring {
    memory {
      enabled   = true
      threshold = 80
    }
    volume {
      path      = "/home"
      enabled   = true
      threshold = 90
    }
    volume {
      path      = "/var"
      enabled   = false
      threshold = 90
    }
  }
}
resource "coder_env" "a" {
  agent_id = coder_agent.main.id
  name     = "A"
  value    = "env"
}
resource "coder_env" "b" {
  agent_id = coder_agent.main.id
  name     = "B"
  value    = "env"
}
resource "terraform_data" "home" {
  triggers_replace = [data.coder_workspace.me.name]
}
resource "terraform_data" "computer" {
  count = data.coder_workspace.me.start_count
  input = "${coder_agent.main.init_script} ${terraform_data.home.id} ${var.size}"
}
resource "coder_metadata" "computer" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.computer[0].id
  daily_cost  = 7
  item {
    key   = "size"
    value = var.size
  }
  item {
    key       = "password"
    value     = var.secret
    sensitive = true
  }
}
`

func TestLifeOfAWorkspace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(map[string]string{"main.tf": simple})

	var plan berth.Plan
	rec := &recorder{t: t}
	o := s.options(i, berth.Start, nil)
	o.Variables = map[string]string{"size": "3", "unknown": "ignored"}
	made, err := Run(t.Context(), o, rec, allow(&plan))
	if err != nil {
		t.Fatalf("%v\n%s", err, rec.text())
	}
	want := []string{"coder_agent.main", "coder_env.a", "coder_env.b", "coder_metadata.computer[0]", "terraform_data.computer[0]", "terraform_data.home"}
	if !slices.Equal(made.Addresses, want) {
		t.Errorf("addresses %v", made.Addresses)
	}
	if len(plan.Changes) != len(want) {
		t.Errorf("judged %v", plan.Changes)
	}
	if len(made.Agents) != 1 || made.Agents[0].Resource != "terraform_data.computer[0]" || made.Agents[0].Env["A"] != "agent" || made.Agents[0].Env["B"] != "env" {
		t.Fatalf("agents %+v", made.Agents)
	}
	if m := made.Agents[0].Monitoring; m == nil || m.Memory == nil || m.Memory.Percent != 80 || !slices.Equal(m.Volumes, []berth.Threshold{{Path: "/home", Percent: 90}}) {
		t.Errorf("monitoring %+v", m)
	}
	if len(made.Resources) != 2 || made.Resources[0].Cost != 7 || made.Resources[0].Metadata[0].Value != "3" || made.Resources[0].Metadata[1].Value != "" {
		t.Errorf("resources %+v", made.Resources)
	}
	if len(rec.serials) == 0 || !slices.IsSorted(rec.serials) || rec.serials[len(rec.serials)-1] != made.Serial {
		t.Errorf("shipped serials %v, last is %d", rec.serials, made.Serial)
	}
	if found, err := Recover(o.Dir); err != nil || found.Serial != made.Serial {
		t.Errorf("Recover gives %d, %v", found.Serial, err)
	}
	if !slices.ContainsFunc(made.Timings, func(t berth.Timing) bool {
		return t.Stage == "apply" && t.Resource == "terraform_data.home" && t.Action == "create"
	}) {
		t.Errorf("timings %+v", made.Timings)
	}

	again, err := Run(t.Context(), with(s.options(i, berth.Start, made.State), "size", "3"), &recorder{t: t}, allow(&plan))
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Changes) != 0 || again.Agents[0].Token != made.Agents[0].Token || again.Agents[0].ID != made.Agents[0].ID {
		t.Errorf("a second start changes %v; token kept: %v", plan.Changes, again.Agents[0].Token == made.Agents[0].Token)
	}

	stopped, err := Run(t.Context(), s.options(i, berth.Stop, made.State), &recorder{t: t}, allow(&plan))
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(stopped.Addresses, "terraform_data.computer[0]") || !slices.Contains(stopped.Addresses, "terraform_data.home") {
		t.Errorf("a stop leaves %v", stopped.Addresses)
	}

	deleted, err := Run(t.Context(), s.options(i, berth.Delete, stopped.State), &recorder{t: t}, allow(&plan))
	if err != nil || len(deleted.Addresses) != 0 || deleted.Serial <= stopped.Serial {
		t.Errorf("a delete leaves %v, serial %d after %d: %v", deleted.Addresses, deleted.Serial, stopped.Serial, err)
	}
}

func with(o Options, name, value string) Options {
	o.Variables = map[string]string{name: value}
	return o
}

func TestRefusedPlanChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(map[string]string{"main.tf": simple})
	made, err := Run(t.Context(), s.options(i, berth.Start, nil), &recorder{t: t}, allow(nil))
	if err != nil {
		t.Fatal(err)
	}
	o := s.options(i, berth.Start, made.State)
	o.Env["CODER_WORKSPACE_NAME"] = "renamed"
	var plan berth.Plan
	r, err := Run(t.Context(), o, &recorder{t: t}, func(_ context.Context, p berth.Plan) (berth.Verdict, error) {
		plan = p
		return berth.Verdict{Reason: "home would go", Refused: []berth.Refusal{{Address: "terraform_data.home", Action: "replace"}}}, nil
	})
	var failed *RunError
	if !errors.As(err, &failed) || failed.Code != "persistence" || !errors.Is(err, berth.Conflict) {
		t.Fatalf("error %v", err)
	}
	if len(r.Refused) != 1 || !slices.Equal(r.Refused[0].Because, []string{"triggers_replace"}) {
		t.Errorf("refused %+v", r.Refused)
	}
	if r.State != nil || r.Serial != made.Serial {
		t.Errorf("a refused build wrote serial %d after %d", r.Serial, made.Serial)
	}
	home := slices.IndexFunc(plan.Changes, func(c berth.Change) bool { return c.Address == "terraform_data.home" })
	if home < 0 || !plan.Changes[home].Destroys() {
		t.Errorf("judged %+v", plan.Changes)
	}
}

func TestFailuresKeepStateAndSayWhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(map[string]string{"main.tf": `
resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" {
    command = "echo it broke; exit 3"
  }
}
`})
	rec := &recorder{t: t}
	r, err := Run(t.Context(), s.options(i, berth.Start, nil), rec, allow(nil))
	var failed *RunError
	if !errors.As(err, &failed) || failed.Code != "terraform" || !strings.Contains(berth.ErrorMessage(err), "main.tf:5: local-exec provisioner error") {
		t.Fatalf("error %v", err)
	}
	if !slices.Contains(r.Addresses, "terraform_data.a") || r.State == nil {
		t.Errorf("kept %v", r.Addresses)
	}
	if !strings.Contains(rec.text(), `provisioner "local-exec" {`) || !strings.Contains(rec.text(), "it broke") {
		t.Errorf("log without snippet or output:\n%s", rec.text())
	}
	if _, err := Run(t.Context(), s.options(i, berth.Delete, r.State), &recorder{t: t}, allow(nil)); err != nil {
		t.Errorf("delete after a failure: %v", err)
	}
}

func TestNothingToDelete(t *testing.T) {
	t.Parallel()
	never := func(context.Context, berth.Plan) (berth.Verdict, error) {
		t.Error("asked")
		return berth.Verdict{}, nil
	}
	for name, o := range map[string]Options{
		"no state":    {Transition: berth.Delete},
		"empty state": {Transition: berth.Delete, State: []byte(`{"version":4,"lineage":"x","serial":3,"resources":[]}`)},
		"orphan":      {Transition: berth.Delete, Orphan: true, State: []byte(`{"version":4,"lineage":"x","serial":3,"resources":[{"mode":"managed","type":"a","name":"b","instances":[{}]}]}`)},
	} {
		if _, err := Run(t.Context(), o, &recorder{t: t}, never); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// slow takes long after its first resource; the process that it starts carries a
// mark by which it can be found.
func slow(mark string) map[string]string {
	return map[string]string{"main.tf": `
resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" {
    command = "echo sleeping; exec sleep ` + mark + `"
  }
}
`}
}

func TestCancelKeepsStateAndEndsEverything(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"interrupt", "kill", "timeout"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			mark := strconv.Itoa(100_000 + int(time.Now().UnixNano()%1_000_000))
			i := s.must(slow(mark))
			ctx, cancel := context.WithCancel(t.Context())
			if how == "timeout" {
				ctx, cancel = context.WithTimeout(t.Context(), 12*time.Second) // until b has begun, on a busy machine too
			}
			defer cancel()
			kill := make(chan struct{})
			o := s.options(i, berth.Start, nil)
			o.Kill = kill
			once := false
			rec := &recorder{t: t, onLog: func(l berth.Log) {
				if strings.Contains(l.Text, "sleeping") && !once {
					once = true
					switch how {
					case "interrupt":
						cancel()
					case "kill":
						close(kill)
					}
				}
			}}
			begin := time.Now()
			r, err := Run(ctx, o, rec, allow(nil))
			var failed *RunError
			want := map[string]string{"interrupt": "canceled", "kill": "canceled", "timeout": "timeout"}[how]
			if !errors.As(err, &failed) || failed.Code != want {
				t.Fatalf("error %v\n%s", err, rec.text())
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if !slices.Contains(r.Addresses, "terraform_data.a") || len(rec.states) == 0 {
				t.Errorf("kept %v, shipped %v", r.Addresses, rec.serials)
			}
			if left := running("sleep\x00" + mark); len(left) > 0 {
				t.Errorf("still running: %v", left)
			}
			if _, err := Run(t.Context(), s.options(i, berth.Delete, r.State), &recorder{t: t}, allow(nil)); err != nil {
				t.Errorf("delete afterwards: %v", err)
			}
		})
	}
}

// running lists the processes whose command line has this text.
func running(text string) []string {
	var found []string
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), text) {
			found = append(found, path)
		}
	}
	return found
}

func TestRecoverAfterKillOfTerraform(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	mark := strconv.Itoa(2_000_000 + int(time.Now().UnixNano()%1_000_000))
	i := s.must(slow(mark))
	o := s.options(i, berth.Start, nil)
	once := false
	rec := &recorder{t: t, onLog: func(l berth.Log) {
		if strings.Contains(l.Text, "sleeping") && !once {
			once = true
			for _, path := range running(filepath.Join(o.Dir, "plan")) {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}}
	r, err := Run(t.Context(), o, rec, allow(nil))
	if err == nil {
		t.Fatal("a killed terraform counts as success")
	}
	found, problem := Recover(o.Dir)
	if problem != nil || !slices.Contains(found.Addresses, "terraform_data.a") || found.Serial != r.Serial {
		t.Errorf("recovered %v serial %d (run says %d): %v", found.Addresses, found.Serial, r.Serial, problem)
	}
	if left := running("sleep\x00" + mark); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
}

func TestBuildAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can run builds as another user")
	}
	s := newSite(t)
	s.as = &As{UID: 65534, GID: 65534}
	s.installer.As = s.as
	i := s.must(map[string]string{"main.tf": `
data "coder_workspace" "me" {}
terraform {
  required_providers { 
    coder = { source = "coder/coder" }
  }
}
resource "terraform_data" "who" {
  provisioner "local-exec" {
    command = "echo uid=$(id -u) path=$PATH other=$BERTH_TEST_LEAK; touch here; touch main.tf 2>/dev/null && echo changed the installation; true"
  }
}
`})
	rec := &recorder{t: t}
	if _, err := Run(t.Context(), s.options(i, berth.Start, nil), rec, allow(nil)); err != nil {
		t.Fatalf("%v\n%s", err, rec.text())
	}
	if !strings.Contains(rec.text(), "uid=65534 path="+searchPath+" other=\n") || strings.Contains(rec.text(), "who: changed the installation") {
		t.Errorf("log:\n%s", rec.text())
	}
}
