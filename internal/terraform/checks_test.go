package terraform

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

// identityTemplate has a kept directory with a name, and a process.
const identityTemplate = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
locals {
  who = lower(data.coder_workspace_owner.me.name)
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "berth_directory" "home" {
  name = NAME
  LIFECYCLE
}
resource "berth_process" "computer" {
  count     = data.coder_workspace.me.start_count
  directory = berth_directory.home.path
  command   = ["sh", "-c", coder_agent.main.init_script]
  env       = { WHO = local.who }
}
`

// TestIdentityIsAskedOfThePlugins: what would be replaced is what the plugin says
// of a plan for another name and owner.
func TestIdentityIsAskedOfThePlugins(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, test := range []struct {
		name, lifecycle string
		says            string
	}{
		{`"home"`, "", ""},
		{`"h-${data.coder_workspace.me.id}"`, "", ""},
		{`"h-${local.who}"`, "", "data.coder_workspace_owner.me.name"},
		{`"h-${data.coder_workspace.me.name}"`, "", "data.coder_workspace.me.name"},
		{`"h-${substr(data.coder_workspace.me.name, 0, 0)}"`, "", ""}, // the plan knows better than the text
		{`"h-${local.who}"`, "lifecycle {\n    ignore_changes = [name]\n  }", ""},
		{`"h-${local.who}"`, "# berth:ignore persistent-identity nobody is renamed here", ""},
	} {
		main := strings.NewReplacer("NAME", test.name, "LIFECYCLE", test.lifecycle).Replace(identityTemplate)
		c, err := s.importOf(map[string]string{"main.tf": main}, nil)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		i := slices.IndexFunc(c.Findings, func(f berth.Finding) bool { return f.Code == "persistent-identity" })
		switch {
		case test.says == "" && i < 0 && len(c.Findings) == 0:
		case test.says == "" || i < 0:
			t.Errorf("%s %s: %+v", test.name, test.lifecycle, c.Findings)
		default:
			if f := c.Findings[i]; !strings.Contains(f.Message, test.says) || f.Address != "berth_directory.home" || f.File != "main.tf" || f.Line != 18 {
				t.Errorf("%s: %+v", test.name, f)
			}
		}
	}
}
