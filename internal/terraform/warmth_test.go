package terraform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

func TestCold(t *testing.T) {
	t.Parallel()
	const need = `terraform {
  required_providers {
    coder  = { source = "coder/coder" }
    docker = { source = "kreuzwerker/docker", version = "~> 3" }
  }
}
`
	for _, c := range []struct {
		name, more, want string
		files            map[string]string
		plugins          []string
	}{
		{name: "nothing configured"},
		{name: "once, by variables", more: `
variable "host" { default = "" }
locals {
  a = local.b
  b = var.host
}
provider "docker" { host = local.a != "" ? local.a : null }
provider "coder" { url = data.coder_workspace.me.access_url }`},
		{name: "an alias", more: "provider \"docker\" {}\nprovider \"docker\" {\n alias = \"far\"\n}", want: "main.tf:8: the plugin kreuzwerker/docker is configured under an alias, so that it may have several configurations"},
		{name: "twice under two names", more: `
terraform {
  required_providers { engine = { source = "registry.terraform.io/kreuzwerker/docker" } }
}
provider "docker" {}
provider "engine" {}`, want: "main.tf:12: the plugin kreuzwerker/docker has another configuration in line 11"},
		{name: "by the owner", more: `provider "docker" { host = data.coder_parameter.host.value }`, want: "main.tf:7: the plugin kreuzwerker/docker is configured by data.coder_parameter.host, which may differ between workspaces"},
		{name: "by the owner, in two steps", more: "locals { x = module.region.value }\nprovider \"docker\" {\n  registry_auth { address = local.x }\n}", want: "is configured by module.region"},
		{name: "by a program", more: "provider \"docker\" {\n  exec { command = \"aws\" }\n}", want: "starts a program of the host (exec)"},
		{name: "over ssh", more: `provider "docker" { ssh_opts = ["-v"] }`, want: "starts a program of the host (ssh_opts)"},
		{name: "a provisioner", more: "resource \"terraform_data\" \"x\" {\n provisioner \"local-exec\" {\n command = \"x\"\n }\n}", want: "main.tf:8: a provisioner runs commands of the host"},
		{name: "processes", plugins: []string{"registry.terraform.io/berthdev/berth"}, want: "the plugin berthdev/berth starts processes on the host"},
		{name: "tofu's external", plugins: []string{"registry.opentofu.org/hashicorp/external"}, want: "the plugin hashicorp/external runs programs of the host"},
		{name: "overrides", files: map[string]string{"x_override.tf": ""}, want: "some of its files change blocks of others or are read by one engine alone"},
		{name: "JSON", files: map[string]string{"p.tf.json": `{"provider":{"docker":{"host":"${data.coder_workspace.me.name}"}}}`}, want: "p.tf.json:1: the plugin kreuzwerker/docker is configured by data.coder_workspace.me, which may differ between workspaces"},
		{name: "a module of its own mind", files: map[string]string{
			".terraform/modules/modules.json": `{"Modules":[{"Key":"","Dir":"."},{"Key":"m","Dir":"m"}]}`, "m/main.tf": `provider "docker" {}`,
		}, want: "m/main.tf:1: a module configures the plugin hashicorp/docker for itself"},
		{name: "a module that is not there", files: map[string]string{
			".terraform/modules/modules.json": `{"Modules":[{"Key":"m","Dir":"../m"}]}`,
		}, want: `the module "m" cannot be read`},
		{name: "a module that only makes things", files: map[string]string{
			".terraform/modules/modules.json": `{"Modules":[{"Key":"m","Dir":"m"},{"Key":"n","Dir":"m"}]}`, "m/main.tf": `resource "docker_volume" "v" {}`,
		}},
	} {
		dir := t.TempDir()
		files := map[string]string{"main.tf": need + c.more}
		for name, text := range c.files {
			files[name] = text
		}
		for name, text := range files {
			at := filepath.Join(dir, name)
			os.MkdirAll(filepath.Dir(at), 0o755)
			if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		modules, err := source.Read(dir)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var plugins []berth.Plugin
		for _, s := range c.plugins {
			plugins = append(plugins, berth.Plugin{Source: s})
		}
		if got := cold(dir, modules, plugins, len(c.plugins) > 0 && strings.Contains(c.plugins[0], "opentofu")); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}
