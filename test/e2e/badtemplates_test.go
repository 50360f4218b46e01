package e2e

import (
	"strings"
	"testing"

	"github.com/berthdev/berth/test/harness"
)

const agentHead = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
`

func agentBlock(label string) string {
	return `resource "coder_agent" "` + label + `" {
  os   = "linux"
  arch = "amd64"
}
`
}

func appBlock(label, slug string) string {
	return `resource "coder_app" "` + label + `" {
  agent_id = coder_agent.main.id
  slug     = "` + slug + `"
  url      = "http://localhost:1"
}
`
}

// A push of a bad template says what is wrong and where, and leaves the active
// version as it was.
func TestBadTemplates(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Template("t", map[string]string{"main.tf": agentHead + agentBlock("main")})
	var before struct {
		Active string `json:"active_version"`
	}
	s.JSON(&before, "templates", "show", "t")

	for what, c := range map[string]struct {
		files map[string]string
		says  []string
	}{
		"syntax error":   {map[string]string{"main.tf": agentHead + "resource \"coder_agent\" {\n"}, []string{"main.tf"}},
		"unknown plugin": {map[string]string{"main.tf": "terraform {\n  required_providers {\n    x = { source = \"nobody/nothing\" }\n  }\n}\n"}, []string{"nobody/nothing"}},
		"two agents":     {map[string]string{"main.tf": agentHead + agentBlock("main") + agentBlock("Main")}, []string{"main"}},
		"agent's name":   {map[string]string{"main.tf": agentHead + agentBlock("my_agent")}, []string{"my_agent"}},
		"two apps":       {map[string]string{"main.tf": agentHead + agentBlock("main") + appBlock("a", "code") + appBlock("b", "code")}, []string{"code"}},
		"no file":        {map[string]string{"README.md": "hello"}, []string{".tf"}},
		"two parameters": {map[string]string{"main.tf": agentHead + agentBlock("main") + "data \"coder_parameter\" \"a\" {\n  name = \"x\"\n  default = \"1\"\n}\ndata \"coder_parameter\" \"b\" {\n  name = \"x\"\n  default = \"1\"\n}\n"}, []string{"x"}},
		"variable unset": {map[string]string{"main.tf": agentHead + agentBlock("main") + "variable \"region\" {}\n"}, []string{"region", "--variable"}},
	} {
		t.Run(what, func(t *testing.T) {
			code := s.Fails(c.says, "templates", "push", "t", "-d", harness.Files(t, c.files))
			if code == 0 {
				t.Error("exit 0")
			}
		})
	}
	var after struct {
		Active string `json:"active_version"`
	}
	if s.JSON(&after, "templates", "show", "t"); after != before {
		t.Errorf("a failed push changed the active version from %s to %s", before.Active, after.Active)
	}

	// No agent is allowed, but said.
	out, errs, code := s.Try("templates", "push", "none", "-d", harness.Files(t, map[string]string{"main.tf": agentHead, "README.md": "<script>alert(1)</script>\n"}))
	if code != 0 || !strings.Contains(out+errs, "no agent") {
		t.Errorf("push without an agent: exit %d\n%s%s", code, out, errs)
	}
}
