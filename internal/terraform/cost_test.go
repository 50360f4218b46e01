package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

// head declares the plugin, and what differs between start and stop.
const head = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
resource "terraform_data" "home" {}
`

// counted is a resource that only a start has, with its cost.
const counted = `
resource "terraform_data" "computer" {
  count = data.coder_workspace.me.start_count
}
resource "coder_metadata" "computer" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.computer[0].id
  daily_cost  = %s
}
`

// What a plan is said to cost, over the life of a workspace.
func TestCostOfPlans(t *testing.T) {
	t.Parallel()
	disk := "\nresource \"coder_metadata\" \"home\" {\n  resource_id = terraform_data.home.id\n  daily_cost = 5\n}\n"
	for name, c := range map[string]struct {
		files                            map[string]string
		start, again, stop, changed, del int
	}{
		"no cost":                                {map[string]string{"main.tf": head + fmt.Sprintf(counted, "null")}, 0, 0, 0, 0, 0},
		"a number":                               {map[string]string{"main.tf": head + fmt.Sprintf(counted, "30")}, 30, 30, 0, 30, 0},
		"what is persistent costs while stopped": {map[string]string{"main.tf": head + disk + fmt.Sprintf(counted, "30")}, 35, 35, 5, 35, 0},
		"a text, a sum, and what depends on an answer": {map[string]string{"main.tf": head + disk + "variable \"size\" {\n  default = 2\n}\n" +
			fmt.Sprintf(counted, "var.size * 10")}, 25, 25, 5, 45, 0},
		"for_each, and a cost of each": {map[string]string{"main.tf": head + `
variable "size" { default = 2 }
resource "coder_metadata" "disk" {
  for_each    = var.size == 2 ? { a = 1, "b.c" = 20 } : { a = 1 }
  resource_id = terraform_data.home.id
  daily_cost  = each.value
}`}, 21, 21, 21, 1, 0},
		"modules with the same names": {map[string]string{"main.tf": head + `
variable "size" { default = 2 }
module "a" {
  source = "./box"
  count  = data.coder_workspace.me.start_count
}
module "b" {
  source   = "./box"
  for_each = toset(["x", "y.z"])
}`, "box/main.tf": strings.Replace(head, `data "coder_workspace" "me" {}`, "", 1) + `
resource "coder_metadata" "home" {
  count       = 2
  resource_id = terraform_data.home.id
  daily_cost  = "3"
}`}, 18, 18, 12, 18, 0},
		"one name, two costs": {map[string]string{"main.tf": head + disk + `
variable "size" { default = 2 }
module "a" { source = "./box" }`, "box/main.tf": strings.Replace(head, `data "coder_workspace" "me" {}`, "", 1) +
			strings.Replace(disk, "5", "7", 1)}, 12, 12, 12, 12, 0},
		"an override": {map[string]string{"main.tf": head + disk + `
variable "size" { default = 2 }`, "disk_override.tf": "resource \"coder_metadata\" \"home\" {\n  daily_cost = 8\n}\n"}, 8, 8, 8, 8, 0},
		"JSON": {map[string]string{"main.tf": head + "variable \"size\" {\n  default = 2\n}\n",
			"cost.tf.json": `{"resource":{"coder_metadata":{"home":{"resource_id":"${terraform_data.home.id}","daily_cost":4}}}}`}, 4, 4, 4, 4, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			i := s.must(c.files)
			var plan berth.Plan
			var state []byte
			build := func(what string, o Options, want int) {
				t.Helper()
				rec := &recorder{t: t}
				r, err := Run(t.Context(), o, rec, allow(&plan))
				if err != nil {
					t.Fatalf("%s: %v\n%s", what, err, rec.text())
				}
				if r.State != nil {
					state = r.State
				}
				read := slices.ContainsFunc(r.Timings, func(t berth.Timing) bool { return t.Action == "show" })
				if plain := name == "a number" || name == "no cost"; plain && read {
					t.Errorf("%s has read the plan, though its costs are plain numbers", what)
				}
				if plan.DailyCost != want || len(plan.UnknownCosts) > 0 {
					t.Errorf("%s costs %d (unknown %v), want %d", what, plan.DailyCost, plan.UnknownCosts, want)
				}
			}
			build("a start", s.options(i, berth.Start, nil), c.start)
			build("a second start", s.options(i, berth.Start, state), c.again)
			build("a stop", s.options(i, berth.Stop, state), c.stop)
			build("a start with another answer", with(s.options(i, berth.Start, state), "size", "4"), c.changed)
			build("a delete", s.options(i, berth.Delete, state), c.del)
		})
	}
}

// A start that costs what is no cost is refused before it is judged; a stop of it
// is not.
func TestCostsThatAreNone(t *testing.T) {
	t.Parallel()
	for value, says := range map[string]string{"-5": "cannot be negative", "3e12": "at most 1000000000000"} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			i := s.must(map[string]string{"main.tf": head + "variable \"cost\" {\n  default = 7\n}\nresource \"coder_metadata\" \"home\" {\n  resource_id = terraform_data.home.id\n  daily_cost = var.cost\n}\n"})
			var plan berth.Plan
			made, err := Run(t.Context(), s.options(i, berth.Start, nil), &recorder{t: t}, allow(&plan))
			if err != nil || plan.DailyCost != 7 {
				t.Fatal(plan.DailyCost, err)
			}
			_, err = Run(t.Context(), with(s.options(i, berth.Start, made.State), "cost", value), &recorder{t: t}, allow(&plan))
			var failed *RunError
			if !errors.As(err, &failed) || failed.Code != "terraform" || !strings.Contains(err.Error(), "coder_metadata.home has a daily_cost of") || !strings.Contains(err.Error(), says) {
				t.Errorf("a start gives %v", err)
			}
			if _, err = Run(t.Context(), with(s.options(i, berth.Stop, made.State), "cost", value), &recorder{t: t}, allow(&plan)); err != nil {
				t.Errorf("a stop gives %v", err)
			}
			if want := map[string]int{"-5": 0, "3e12": berth.MaxDailyCost}[value]; plan.DailyCost != want {
				t.Errorf("a stop costs %d, want %d", plan.DailyCost, want)
			}
		})
	}
}

// What is known only after it was made is named.
func TestUnknownCosts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	files := map[string]string{"main.tf": head + "resource \"coder_metadata\" \"home\" {\n  resource_id = terraform_data.home.id\n  daily_cost = length(terraform_data.home.id)\n}\n"}
	i := s.must(files)
	var plan berth.Plan
	made, err := Run(t.Context(), s.options(i, berth.Start, nil), &recorder{t: t}, allow(&plan))
	if err != nil || plan.DailyCost != 0 || !slices.Equal(plan.UnknownCosts, []string{"coder_metadata.home"}) {
		t.Errorf("costs %d, unknown %v: %v", plan.DailyCost, plan.UnknownCosts, err)
	}
	if len(made.Resources) != 1 || made.Resources[0].Cost != 36 {
		t.Errorf("made %+v", made.Resources)
	}
	if _, err = Run(t.Context(), s.options(i, berth.Start, made.State), &recorder{t: t}, allow(&plan)); err != nil || plan.DailyCost != 36 || len(plan.UnknownCosts) > 0 {
		t.Errorf("again it costs %d, unknown %v: %v", plan.DailyCost, plan.UnknownCosts, err)
	}
	c, err := Import(t.Context(), s.options(i, berth.Import, nil), &recorder{t: t})
	if err != nil || c.DailyCost != nil {
		t.Errorf("an import says %v: %v", c.DailyCost, err)
	}
}

func TestImportTellsTheCost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, err := Import(t.Context(), s.options(s.must(map[string]string{"main.tf": simple}), berth.Import, nil), &recorder{t: t})
	if err != nil || c.DailyCost == nil || *c.DailyCost != 7 {
		t.Errorf("an import says %v: %v", c.DailyCost, err)
	}
	bad := head + "resource \"coder_metadata\" \"home\" {\n  count = 0\n  resource_id = terraform_data.home.id\n  daily_cost = -5\n}\n"
	_, err = Import(t.Context(), s.options(s.must(map[string]string{"main.tf": bad}), berth.Import, nil), &recorder{t: t})
	if err == nil || !strings.Contains(err.Error(), "main.tf:9: coder_metadata.home has a daily_cost of -5: it cannot be negative") {
		t.Errorf("an import of a negative cost gives %v", err)
	}
}

// Whatever a plan or a state says, what it costs is bounded.
func TestPrices(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var v any
		text := rapid.OneOf(rapid.Map(rapid.Float64(), func(f float64) string { b, _ := json.Marshal(f); return string(b) }),
			rapid.SampledFrom([]string{"null", "true", `"7"`, "[]", "{}", "1e308", "-1e308", "1e12", "1000000000001"})).Draw(t, "value")
		if json.Unmarshal([]byte(text), &v) != nil {
			t.Skip("no JSON")
		}
		n, err := price(v)
		if n != berth.BoundCost(n) {
			t.Fatalf("%s is %d", text, n)
		}
		if f, ok := v.(float64); err == nil && (ok && int(f) != n || !ok && n != 0) {
			t.Fatalf("%s is %d", text, n)
		}
	})
}
