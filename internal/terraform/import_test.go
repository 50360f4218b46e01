package terraform

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/google/go-cmp/cmp"
)

const coderOnly = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
`

func (s *site) importOf(files map[string]string, variables map[string]string) (berth.Contents, error) {
	i, err := s.install(files)
	if err != nil {
		return berth.Contents{}, err
	}
	o := s.options(i, berth.Import, nil)
	o.Env, o.Variables = nil, variables
	return Import(s.t.Context(), o, &recorder{t: s.t})
}

func TestImport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, err := s.importOf(map[string]string{
		"README.md": "# Hello\n",
		"main.tf": coderOnly + `
variable "image" { 
  type        = string
  description = "What to run"
}
variable "zones" { 
  type    = list(string)
  default = ["a", "b"]
}
variable "password" { 
  sensitive = true
  default   = "x"
}
data "coder_workspace" "me" {}
data "coder_parameter" "cpu" {
  name    = "cpu"
  type    = "number"
  mutable = true
  validation {
    min = 2
    max = 8
  }
}
data "coder_parameter" "repo" {
  name  = "repo"
  order = 5
  validation {
    regex = "^https://[a-z]+[.]example/.+$"
    error = "no"
  }
}
data "coder_parameter" "region" {
  name    = "region"
  default = "eu"
  option { 
    name  = "Europe"
    value = "eu"
  }
  option { 
    name  = "America"
    value = "us"
  }
}
data "coder_workspace_preset" "small" {
  name       = "Small"
  default    = true
  parameters = { cpu = "2", nowhere = "x" }
  prebuilds { 
    instances = 2
  }
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "home" {}
resource "terraform_data" "computer" {
  count = data.coder_workspace.me.start_count
  input = "${var.image} ${coder_agent.main.id}"
}
module "extra" {
  source = "./modules/extra"
}
`,
		"modules/extra/main.tf":  `resource "terraform_data" "more" { count = 2 }`,
		".terraform.lock.hcl":    `provider "registry.terraform.io/coder/coder" { version = "0.0.1" }`,
		"modules/extra/x.tfvars": "",
	}, map[string]string{"image": "debian"})
	if err != nil {
		t.Fatal(err)
	}
	two, eight := 2, 8
	want := berth.Contents{
		Readme: "# Hello\n",
		Variables: []berth.Variable{
			{Name: "image", Type: "string", Description: "What to run", Required: true},
			{Name: "zones", Type: "list(string)", Default: `["a","b"]`},
			{Name: "password", Sensitive: true},
		},
		Parameters: []berth.Parameter{
			{Name: "cpu", Type: "number", FormType: "input", Mutable: true, Required: true, Validation: &berth.Validation{Min: &two, Max: &eight}},
			{Name: "region", Type: "string", FormType: "radio", Default: "eu", Options: []berth.ParameterOption{{Name: "Europe", Value: "eu"}, {Name: "America", Value: "us"}}},
			{Name: "repo", Type: "string", FormType: "input", Required: true, Order: 5, Validation: &berth.Validation{Regex: "^https://[a-z]+[.]example/.+$", Error: "no"}},
		},
		Presets: []berth.Preset{{Name: "Small", Default: true, Parameters: map[string]string{"cpu": "2", "nowhere": "x"}, Instances: 2}},
		Resources: []berth.TemplateResource{
			{Address: "coder_agent.main", Type: "coder_agent"},
			{Address: "module.extra.terraform_data.more", Type: "terraform_data", Persistent: true},
			{Address: "terraform_data.computer", Type: "terraform_data", Agents: []string{"main"}},
			{Address: "terraform_data.home", Type: "terraform_data", Persistent: true},
		},
		Agents:    []string{"main"},
		Plugins:   []berth.Plugin{{Source: "registry.terraform.io/coder/coder", Version: "2.19.0"}},
		Modules:   []berth.Module{{Key: "extra", Source: "./modules/extra"}},
		Terraform: s.installer.Engine.Version,
		Notes:     []string{`the lock file names the plugin ` + s.installer.registry() + `/coder/coder in version 0.0.1, which this workspace provider does not have; the newest that required_providers allows is used instead`},
		Warm:      true,
		DailyCost: new(int), // nothing
	}
	if s.installer.Engine.Tofu {
		want.Plugins[0].Source = "registry.opentofu.org/coder/coder"
	}
	codes := codesOf(c.Findings)
	c.Findings = nil // internal/lint has what they say
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"init-script-unused", "parameter-unused", "preset-incomplete", "preset-unknown-parameter", "secret-default"}, codes); diff != "" {
		t.Error(diff)
	}
}

func TestBadTemplates(t *testing.T) {
	t.Parallel()
	agent := `
resource "coder_agent" "NAME" { 
  os   = "linux"
  arch = "amd64"
}
`
	for name, test := range map[string]struct {
		main string
		want []string
	}{
		"syntax error":       {"resource \"a\" {\n  x = \n}", []string{"main.tf:2: "}},
		"unknown plugin":     {`resource "aws_instance" "x" {}`, []string{"needs the plugin hashicorp/aws", "coder/coder 2.19.0", "plugin mirror"}},
		"unknown version":    {strings.Replace(coderOnly, `source = "coder/coder"`, `source = "coder/coder", version = "~> 1.0"`, 1), []string{`coder/coder in version "~> 1.0"`, "required_providers"}},
		"missing module":     {"module \"x\" {\n  source = \"git::https://git.example.invalid/a\"\n}", []string{`the module "x" (main.tf:1) cannot be had`, "./modules/x"}},
		"backend":            {"terraform {\n  backend \"http\" {}\n}", []string{"main.tf:2: the template has a backend block"}},
		"missing variable":   {`variable "image" {}`, []string{"needs a value for image", "--variable image=VALUE"}},
		"agents of one name": {coderOnly + strings.ReplaceAll(agent, "NAME", "main") + strings.ReplaceAll(agent, "NAME", "Main"), []string{"two agents are called", "main.tf:"}},
		"bad agent name":     {coderOnly + strings.ReplaceAll(agent, "NAME", "my_agent"), []string{`the agent is called "my_agent"`, "main.tf:8: "}},
		"apps of one slug": {coderOnly + strings.ReplaceAll(agent, "NAME", "main") + `
resource "coder_app" "a" { 
  agent_id = coder_agent.main.id
  slug     = "ide"
  url      = "http://localhost:1"
}
resource "coder_app" "b" { 
  agent_id = coder_agent.main.id
  slug     = "ide"
  url      = "http://localhost:2"
}`, []string{`two apps have the slug "ide"`, "coder_app.a and coder_app.b"}},
		"parameters of one name": {coderOnly + `
data "coder_parameter" "a" { 
  name    = "x"
  default = "1"
}
data "coder_parameter" "b" { 
  name    = "x"
  default = "1"
}`, []string{`two parameters are called "x"`}},
		"two defaults": {coderOnly + `
data "coder_workspace_preset" "a" { 
  name    = "A"
  default = true
}
data "coder_workspace_preset" "b" { 
  name    = "B"
  default = true
}`, []string{"the presets A, B are all the default"}},
		"unknown reference": {coderOnly + "\noutput \"x\" {\n  value = coder_agent.none.id\n}", []string{"main.tf:9: Reference to undeclared resource"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			_, err := s.importOf(map[string]string{"main.tf": test.main}, nil)
			var failed *RunError
			if !errors.As(err, &failed) || failed.Code != "terraform" {
				t.Fatalf("error %v", err)
			}
			for _, part := range test.want {
				if !strings.Contains(berth.ErrorMessage(err), part) {
					t.Errorf("%q is not in: %s", part, berth.ErrorMessage(err))
				}
			}
		})
	}
}

func codesOf(found []berth.Finding) []string {
	var codes []string
	for _, f := range found {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func TestNoAgentIsSaid(t *testing.T) {
	t.Parallel()
	c, err := newSite(t).importOf(map[string]string{"main.tf": `resource "terraform_data" "x" {}`}, nil)
	if codes := codesOf(c.Findings); err != nil || !slices.Equal(codes, []string{"no-agent"}) {
		t.Errorf("findings %v, %v", codes, err)
	}
}

func TestStarterProcessImports(t *testing.T) {
	t.Parallel()
	c, err := newSite(t).importOf(starter(t, "process"), nil)
	if err != nil {
		t.Fatal(err)
	}
	home := slices.ContainsFunc(c.Resources, func(r berth.TemplateResource) bool { return r.Address == "berth_directory.home" && r.Persistent })
	if !home || len(c.Findings) != 0 || len(c.Agents) != 1 {
		t.Errorf("%+v", c)
	}
}
