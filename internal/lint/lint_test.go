package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lint"
	"github.com/berthdev/berth/internal/source"
)

// head and whole are what a good template has besides.
const (
	head = `
terraform {
  required_providers {
    coder  = { source = "coder/coder" }
    docker = { source = "kreuzwerker/docker", version = "~> 4.0" }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
`
	agent = `
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
`
	home = `
resource "docker_volume" "home" {
  name = "home-${data.coder_workspace.me.id}"
}
`
	computer = `
resource "docker_container" "computer" {
  count      = data.coder_workspace.me.start_count
  name       = "c-${data.coder_workspace.me.id}"
  image      = "debian:12"
  entrypoint = ["sh", "-c", coder_agent.main.init_script]
  env        = ["CODER_AGENT_TOKEN=${coder_agent.main.token}"]
}
`
	whole = head + agent + home + computer
)

func check(t testing.TB, files map[string]string, plans *lint.Plans) []berth.Finding {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	modules, err := source.ReadCalls(dir)
	if err != nil {
		t.Fatal(err)
	}
	return lint.Check(modules, plans)
}

// line is where the first text with part in it stands.
func line(text, part string) int {
	before, _, ok := strings.Cut(text, part)
	if !ok {
		return 0
	}
	return strings.Count(before, "\n") + 1
}

func parameter(body string) string {
	return "data \"coder_parameter\" \"p\" {\n  name = \"p\"\n" + body + "\n}\noutput \"p\" {\n  value = data.coder_parameter.p.value\n}\n"
}

func pool(schedules ...string) string {
	text := "data \"coder_workspace_preset\" \"small\" {\n  name = \"Small\"\n  prebuilds {\n    instances = 1\n    scheduling {\n      timezone = \"UTC\"\n"
	for _, s := range schedules {
		text += fmt.Sprintf("      schedule {\n        cron = %q\n        instances = 2\n      }\n", s)
	}
	return text + "    }\n  }\n}\n"
}

// TestBadTemplates: each fault is found at its place, in the words that an author
// reads, and nothing else is.
func TestBadTemplates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		main string
		at   string // a part of the line of the finding
		want []string
	}{
		"good": {main: whole},
		"backend": {whole + "terraform {\n  backend \"http\" {}\n}\n", "backend \"http\"",
			[]string{"error state-elsewhere: the template has a backend block; remove it: Berth keeps the state of every workspace itself"}},
		"agents of one name": {whole + strings.Replace(agent, `"main"`, `"Main"`, 1) + strings.ReplaceAll(strings.ReplaceAll(computer, "coder_agent.main", "coder_agent.Main"), `"computer"`, `"second"`), `"coder_agent" "Main"`,
			[]string{`error agent-name: two agents are called "main" and "Main"`}},
		"bad name of an agent": {strings.ReplaceAll(whole, "main", "my_agent"), `"coder_agent" "my_agent"`, []string{`error agent-name: the agent is called "my_agent"`}},
		"slugs": {whole + `
resource "coder_app" "a" {
  agent_id = coder_agent.main.id
  slug     = "ide"
}
resource "coder_app" "b" {
  agent_id = coder_agent.main.id
  slug     = "IDE"
}`, `"coder_app" "b"`, []string{`error app-slug: two apps have the slug "IDE": coder_app.a and coder_app.b`}},
		"slugs of apps that may not be there": {main: whole + `
resource "coder_app" "a" {
  count    = 1
  agent_id = coder_agent.main.id
  slug     = "ide"
}
resource "coder_app" "b" {
  count    = 0
  agent_id = coder_agent.main.id
  slug     = "ide"
}`},
		"no agent":             {main: `resource "terraform_data" "x" {}`, want: []string{"note no-agent: the template has no agent"}},
		"no computer":          {head + agent, `"coder_agent" "main"`, []string{"warning no-computer: there is an agent, but no resource that could be its computer"}},
		"an external agent":    {main: head + agent + "resource \"coder_external_agent\" \"x\" {\n  agent_id = coder_agent.main.id\n}\n"},
		"init script not used": {strings.Replace(strings.Replace(whole, "coder_agent.main.init_script", `"true"`, 1), "${coder_agent.main.token}", "x", 1), `"coder_agent" "main"`, []string{"warning init-script-unused: nothing runs coder_agent.main.init_script"}},
		"only the token":       {strings.Replace(whole, "coder_agent.main.init_script", `"true"`, 1), `"coder_agent" "main"`, []string{"note init-script-unused: coder_agent.main.init_script is not used, only the token"}},
		"by a local":           {main: strings.Replace(whole, "coder_agent.main.init_script", "local.script", 1) + "locals {\n  script = templatefile(\"x\", { s = coder_agent.main.init_script })\n}\n"},
		"everything persistent": {strings.Replace(whole, "count      = data.coder_workspace.me.start_count", "", 1), `"docker_container" "computer"`,
			[]string{"warning all-persistent: a stop removes nothing: docker_container.computer runs on in stopped workspaces"}},
		"switched off":       {main: strings.Replace(whole, "count      = data.coder_workspace.me.start_count", "must_run   = data.coder_workspace.me.transition == \"start\"", 1)},
		"nothing persistent": {strings.Replace(whole, home, "", 1), `"docker_container" "computer"`, []string{"warning nothing-persistent: nothing outlives a stop"}},
		"ephemeral volume": {strings.Replace(whole, "name = \"home-", "count = data.coder_workspace.me.start_count\n  name = \"home-", 1), `"docker_volume" "home"`,
			[]string{"warning ephemeral-data: docker_volume.home is removed at every stop", "warning nothing-persistent: "}},
		"identity": {strings.Replace(whole, "home-${data.coder_workspace.me.id}", "home-${data.coder_workspace.me.name}", 1), "home-$",
			[]string{"warning persistent-identity: docker_volume.home outlives stops, but its name is made from data.coder_workspace.me.name: "}},
		"identity by a local": {strings.Replace(whole, "home-${data.coder_workspace.me.id}", "${local.who}", 1) + "locals {\n  who = \"home-${lower(data.coder_workspace_owner.me.name)}\"\n}\n", "${local.who}",
			[]string{"persistent-identity: docker_volume.home outlives stops, but its name is made from data.coder_workspace_owner.me.name: "}},
		"identity that is held":           {main: strings.Replace(whole, "home-${data.coder_workspace.me.id}\"", "home-${data.coder_workspace.me.name}\"\n  lifecycle {\n    ignore_changes = [name]\n  }", 1)},
		"identity in a label":             {main: strings.Replace(whole, "name = \"home-", "labels {\n    label = \"owner\"\n    value = data.coder_workspace_owner.me.name\n  }\n  name = \"home-", 1)},
		"identity in what a stop removes": {main: strings.Replace(whole, "c-${data.coder_workspace.me.id}", "c-${data.coder_workspace.me.name}", 1)},
		"identity in a pool": {strings.Replace(whole, "c-${data.coder_workspace.me.id}", "c-${data.coder_workspace.me.name}", 1) + pool(), "\"c-$",
			[]string{`warning pool-identity: the preset "Small" keeps a pool, but the name of docker_container.computer is made from data.coder_workspace.me.name`}},
		"token frozen": {strings.Replace(strings.Replace(whole, "count      = data.coder_workspace.me.start_count", "must_run   = data.coder_workspace.me.transition == \"start\"", 1), "image      =", "lifecycle {\n    ignore_changes = [env]\n  }\n  image      =", 1), "ignore_changes",
			[]string{"warning token-frozen: ignore_changes keeps env of docker_container.computer as it was made"}},
		"token frozen till a stop": {strings.Replace(whole, "image      =", "lifecycle {\n    ignore_changes = all\n  }\n  image      =", 1), "ignore_changes", []string{"note token-frozen: "}},
		"another each time": {strings.Replace(whole, "home-${data.coder_workspace.me.id}", "home-${uuid()}", 1), "home-$",
			[]string{"warning changes-every-build: uuid() gives docker_volume.home another name in every build"}},
		"answer in a name": {strings.Replace(whole, "home-${data.coder_workspace.me.id}", "home-${data.coder_parameter.p.value}", 1) + parameter("  default = \"x\"\n  mutable = true"), "home-$",
			[]string{"warning answer-in-name: docker_volume.home outlives stops, and its name is made from data.coder_parameter.p, which may be answered anew"}},
		"answer for good in a name": {main: strings.Replace(whole, "home-${data.coder_workspace.me.id}", "home-${data.coder_parameter.p.value}", 1) + parameter("  default = \"x\"")},
		"plugin without version": {strings.Replace(whole, `, version = "~> 4.0"`, "", 1), "docker = {",
			[]string{"warning plugin-version: the plugin kreuzwerker/docker has no version"}},
		"plugin that nobody requires": {main: whole + "resource \"random_id\" \"x\" {}\n", at: `"random_id"`, want: []string{"warning plugin-version: the plugin hashicorp/random has no version"}},
		"local-exec": {strings.Replace(whole, "image      =", "provisioner \"local-exec\" {\n    command = \"true\"\n  }\n  image      =", 1), "provisioner",
			[]string{"note runs-on-runner: this command runs on the machine that runs Terraform"}},
		"secret": {whole + "variable \"key\" {\n  sensitive = true\n  default   = \"s3cret\"\n}\n", `variable "key"`,
			[]string{"warning secret-default: the variable key is sensitive, but its value stands in the template's files"}},
		"bad default": {whole + parameter("  type = \"number\"\n  default = \"99\"\n  validation {\n    max = 9\n  }"), `"coder_parameter" "p"`,
			[]string{`error parameter-default: the default of the parameter "p" is refused by its own rules: 99 is more than the maximum, 9`}},
		"default that is no option": {whole + parameter("  default = \"x\"\n  option {\n    name = \"Y\"\n    value = \"y\"\n  }"), `"coder_parameter" "p"`, []string{"error parameter-default: "}},
		"default that depends":      {main: whole + parameter("  type = \"number\"\n  default = local.n\n  validation {\n    max = 9\n  }") + "locals {\n  n = 99\n}\n"},
		"ephemeral for good":        {whole + parameter("  ephemeral = true\n  default = \"x\""), `"coder_parameter" "p"`, []string{`error parameter-ephemeral: the parameter "p" is ephemeral`}},
		"asked in vain":             {whole + "data \"coder_parameter\" \"p\" {\n  name = \"p\"\n  default = \"\"\n}\n", `"coder_parameter" "p"`, []string{`note parameter-unused: nothing reads the answer to "p"`}},
		"asked in vain, by keys":    {whole + "data \"coder_parameter\" \"each\" {\n  for_each = toset([\"p\"])\n  name = each.key\n  default = \"\"\n}\n", `"coder_parameter" "each"`, []string{`note parameter-unused: nothing reads the answer to "each"`}},
		"preset that is refused": {whole + parameter("  type = \"number\"\n  default = \"1\"\n  validation {\n    max = 9\n  }") + "data \"coder_workspace_preset\" \"big\" {\n  name = \"Big\"\n  parameters = { (data.coder_parameter.p.name) = \"10\" }\n}\n", `"coder_workspace_preset" "big"`,
			[]string{`warning preset-invalid: no workspace can be made from the preset "Big": its answer to the parameter "p" is refused: 10 is more than the maximum, 9`}},
		"preset that answers nothing": {whole + "data \"coder_workspace_preset\" \"big\" {\n  name = \"Big\"\n  parameters = { cpus = \"10\" }\n}\n", `"coder_workspace_preset" "big"`,
			[]string{`warning preset-unknown-parameter: the preset "Big" answers the parameter "cpus"`}},
		"pool with an open answer": {whole + parameter("") + pool(), `"coder_workspace_preset" "small"`, []string{`warning preset-incomplete: the preset "Small" keeps a pool but does not answer the parameter "p"`}},
		"two defaults":             {whole + "data \"coder_workspace_preset\" \"a\" {\n  name = \"A\"\n  default = true\n}\ndata \"coder_workspace_preset\" \"b\" {\n  name = \"B\"\n  default = true\n}\n", `"coder_workspace_preset" "b"`, []string{"error preset-name: the presets A, B are all the default; only one can be"}},
		"schedules that overlap":   {whole + pool("* 8-18 * * 1-5", "* 12 * * 3"), "schedule {\n        cron = \"* 12", []string{`error schedule-overlap: the schedules "* 8-18 * * 1-5" and "* 12 * * 3" hold at the same time`}},
		"schedules side by side":   {main: whole + pool("* 8-18 * * 1-5", "* 8-18 * * 0,6", "* 19-23 * * *")},
		"schedule with minutes":    {whole + pool("30 8 * * *"), "schedule {", []string{`error schedule: the schedule "30 8 * * *" cannot hold: its minute is 30 and must be *`}},
		"ignored":                  {main: head + agent + "# berth:ignore nothing-persistent homes are on the\n# file server\n" + strings.TrimSpace(computer)},
		"ignored inside":           {main: head + agent + strings.Replace(computer, "image      =", "// berth:ignore nothing-persistent homes are on the file server\n  image      =", 1)},
		"ignored elsewhere":        {head + "# berth:ignore nothing-persistent homes are on the file server" + agent + computer, `"docker_container" "computer"`, []string{"warning nothing-persistent: "}},
		"ignored without a reason": {head + agent + "# berth:ignore nothing-persistent\n" + strings.TrimSpace(computer), "berth:ignore", []string{"note ignore: berth:ignore nothing-persistent says no reason"}},
		"ignored by a wrong code":  {whole + "# berth:ignore nothing because\n", "berth:ignore", []string{"note ignore: berth:ignore names no check"}},
		"errors are not ignored":   {head + strings.ReplaceAll("# berth:ignore agent-name it is called so"+agent+home+computer, "main", "my_agent"), `"coder_agent" "my_agent"`, []string{"error agent-name: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := check(t, map[string]string{"main.tf": test.main}, nil)
			var said []string
			for _, f := range found {
				said = append(said, fmt.Sprintf("%s:%d %s %s: %s", f.File, f.Line, f.Severity, f.Code, f.Message))
				if strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "\n") {
					t.Errorf("%s: the sentence has an end", f.Code)
				}
			}
			if len(found) != len(test.want) {
				t.Fatalf("found %q", said)
			}
			for _, part := range test.want {
				if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, part) }) {
					t.Errorf("%q is not in %q", part, said)
				}
			}
			if want := line(test.main, test.at); test.at != "" && !slices.ContainsFunc(found, func(f berth.Finding) bool { return f.Line == want && f.File == "main.tf" }) {
				t.Errorf("nothing at line %d: %q", want, said)
			}
		})
	}
}

// TestModules: what is made in a module is judged with what it is given, and
// named where its author can change it.
func TestModules(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"main.tf": head + agent + `
module "a" {
  source = "./parts"
  who    = data.coder_workspace_owner.me.name
  script = coder_agent.main.init_script
}
module "b" {
  source = "./parts"
  who    = data.coder_workspace.me.id
  script = coder_agent.main.init_script
}
`,
		"parts/main.tf": `
terraform {
  required_providers {
    coder  = { source = "coder/coder" }
    docker = { source = "kreuzwerker/docker" }
  }
}
variable "who" {}
variable "script" {}
data "coder_workspace" "me" {}
resource "docker_volume" "home" {
  name = "home-${var.who}"
}
resource "docker_container" "computer" {
  count   = data.coder_workspace.me.start_count
  command = [var.script]
}
`,
	}
	found := check(t, files, nil)
	if len(found) != 1 || found[0].Code != "persistent-identity" || found[0].Address != "module.a.docker_volume.home" || found[0].File != "parts/main.tf" || found[0].Line != 12 {
		t.Errorf("%+v", found)
	}
	files[".terraform/modules/modules.json"] = `{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"a","Source":"x","Dir":".terraform/modules/a"},{"Key":"b","Source":"./parts","Dir":"parts"}]}`
	files[".terraform/modules/a/main.tf"] = files["parts/main.tf"]
	found = check(t, files, nil)
	at := line(files["main.tf"], `module "a"`)
	if !slices.ContainsFunc(found, func(f berth.Finding) bool {
		return f.Code == "persistent-identity" && f.File == "main.tf" && f.Line == at
	}) {
		t.Errorf("of a module from elsewhere: %+v", found)
	}
}

// TestPlansKnowBetter: what plans say goes before what the files look like.
func TestPlansKnowBetter(t *testing.T) {
	t.Parallel()
	named := strings.Replace(whole, "home-${data.coder_workspace.me.id}", "home-${data.coder_workspace.me.name}", 1)
	kept := []berth.TemplateResource{{Address: "coder_agent.main", Type: "coder_agent"}, {Address: "docker_volume.home", Type: "docker_volume", Persistent: true}, {Address: "docker_container.computer", Type: "docker_container"}}
	for name, test := range map[string]struct {
		replaced map[string][]string
		want     []string
	}{
		"nobody asked":      {nil, []string{"persistent-identity"}},
		"nothing replaced":  {map[string][]string{}, nil},
		"the name replaces": {map[string][]string{"docker_volume.home": {"name"}}, []string{"persistent-identity"}},
		"by another way":    {map[string][]string{"docker_volume.home": {"driver_opts"}}, []string{"persistent-identity"}},
		"of the ephemeral":  {map[string][]string{"docker_container.computer": {"name"}}, nil},
	} {
		var codes []string
		for _, f := range check(t, map[string]string{"main.tf": named}, &lint.Plans{Resources: kept, Replaced: test.replaced}) {
			codes = append(codes, f.Code)
		}
		if diff := cmp.Diff(test.want, codes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// What is not in any plan is not judged.
	if found := check(t, map[string]string{"main.tf": named}, &lint.Plans{Resources: []berth.TemplateResource{kept[0], kept[2], {Address: "docker_volume.other", Persistent: true}}}); len(found) != 1 || found[0].Code != "nothing-persistent" {
		t.Errorf("%+v", found)
	}
}

// TestJSON: templates in Terraform's other syntax are judged alike.
func TestJSON(t *testing.T) {
	t.Parallel()
	found := check(t, map[string]string{"main.tf.json": `{
  "terraform": {"required_providers": {"coder": {"source": "coder/coder"}, "docker": {"source": "kreuzwerker/docker", "version": "~> 4.0"}}},
  "data": {"coder_workspace": {"me": {}}},
  "resource": {
    "coder_agent": {"main": {"os": "linux", "arch": "amd64"}},
    "docker_volume": {"home": {"name": "home-${data.coder_workspace.me.name}"}, "cache": {"name": "${data.coder_workspace.me.name}", "lifecycle": {"ignore_changes": ["name"]}}},
    "docker_container": {"computer": {"count": "${data.coder_workspace.me.start_count}", "command": ["${coder_agent.main.init_script}"]}}
  }
}`}, nil)
	if len(found) != 1 || found[0].Code != "persistent-identity" || found[0].Address != "docker_volume.home" {
		t.Errorf("%+v", found)
	}
}

// TestEverythingRefersToEverything: a template that is made to be followed for
// hours is judged all the same.
func TestEverythingRefersToEverything(t *testing.T) {
	t.Parallel()
	var all, locals, resources strings.Builder
	for i := range 150 {
		fmt.Fprintf(&all, "${local.l%d}", i)
	}
	for i := range 150 {
		fmt.Fprintf(&locals, "  l%d = \"%s\"\n", i, all.String())
		fmt.Fprintf(&resources, "resource \"docker_volume\" \"v%d\" {\n  name = \"%s\"\n}\n", i, all.String())
	}
	found := check(t, map[string]string{"main.tf": whole + "locals {\n" + locals.String() + "}\n" + resources.String()}, nil)
	if len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// TestCodesAreKnown: docs/lint.md explains every code, and no other.
func TestCodesAreKnown(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "lint.md"))
	if err != nil {
		t.Fatal(err)
	}
	for code := range lint.Codes {
		if !strings.Contains(string(text), "| `"+code+"` |") {
			t.Errorf("docs/lint.md has no row for %s", code)
		}
	}
	for _, row := range strings.Split(string(text), "\n| `")[1:] {
		if code, _, _ := strings.Cut(row, "`"); lint.Codes[code] == "" {
			t.Errorf("docs/lint.md has a row for %q, which there is not", code)
		}
	}
}

// FuzzCheck: whatever a template holds is judged without a crash, and the same
// each time.
func FuzzCheck(f *testing.F) {
	f.Add(whole)
	f.Add(whole + pool("* 8-18 * * 1-5", "x"))
	f.Add("locals {\n  a = local.b\n  b = local.a\n}\nresource \"x_y\" \"z\" {\n  name = local.a[*].b\n}")
	f.Add("module \"a\" {\n  source = \"./\"\n}\nmodule \"b\" {\n  source = \".\"\n}")
	f.Add("resource \"a\" \"b\" {\n  dynamic \"c\" {\n    for_each = each.value\n    content {\n      name = c.value\n    }\n  }\n  lifecycle {\n    ignore_changes = [1, all]\n  }\n} # berth:ignore")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		modules, err := source.ReadCalls(dir)
		if err != nil {
			return
		}
		first := lint.Check(modules, nil)
		if diff := cmp.Diff(first, lint.Check(modules, nil)); diff != "" {
			t.Error(diff)
		}
		lint.Doubts(modules, lint.Plans{})
	})
}
