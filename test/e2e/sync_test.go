package e2e

import (
	"strings"
	"testing"

	"github.com/berthdev/berth/test/harness"
)

// Scripts of a start that wait for each other, as modules of templates write
// them, with the command of the workspace under the name that they call.
func TestScriptsWaitForEachOther(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Template("agent", map[string]string{"main.tf": withScripts(`
resource "coder_script" "last" {
  agent_id = coder_agent.main.id
  display_name = "last"
  run_on_start = true
  script = "coder exp sync want last middle first && coder exp sync start last && echo last >>order; coder exp sync complete last"
}
resource "coder_script" "middle" {
  agent_id = coder_agent.main.id
  display_name = "middle"
  run_on_start = true
  script = "coder exp sync want middle first && coder exp sync start middle --timeout 1m && sleep 0.5 && echo middle >>order; coder exp sync complete middle"
}
resource "coder_script" "first" {
  agent_id = coder_agent.main.id
  display_name = "first"
  run_on_start = true
  script = "sleep 1; coder exp sync start first; echo first >>order; coder exp sync complete first"
}
`)})
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+ownAgent(t), "--parameter", "url="+s.URL)
	in := func(line string) (string, string, int) { return s.Try("ssh", "web", "--wait=yes", line) }
	if out, errs, _ := in("cat order"); out != "first\nmiddle\nlast\n" {
		t.Errorf("the order was %q %s\n%s", out, errs, s.Berth("logs", "web.main"))
	}
	for _, tt := range []struct {
		line string
		code int
		says []string
	}{
		{"coder exp sync status", 0, []string{"last", "completed", "middle, first"}},
		{"coder exp sync status last --json", 0, []string{`"state":"completed"`}},
		{"coder exp sync want a b && coder exp sync want b c && coder exp sync want c a", 5, []string{"c → a → b → c"}},
		{"coder exp sync start a --timeout 1s", 8, []string{"a has not started within 1s: it waits for b (pending)"}},
		{"coder exp sync want last more", 5, []string{"last is completed already"}},
		{"coder exp sync status nothing", 4, []string{"nobody has spoken of the unit"}},
		{"coder exp sync dance", 2, []string{`no command "dance": there are complete, start, status, want`}},
		{"coder exp mcp server", 2, []string{`no command "mcp": there are sync`}},
		{"BERTH_AGENT_SOCKET= coder exp sync complete a", 8, []string{"BERTH_AGENT_SOCKET is not set"}},
	} {
		out, errs, code := in(tt.line)
		if code != tt.code {
			t.Errorf("%s: exit %d\n%s%s", tt.line, code, out, errs)
		}
		for _, say := range tt.says {
			if !strings.Contains(out+errs, say) {
				t.Errorf("%s does not say %q:\n%s%s", tt.line, say, out, errs)
			}
		}
	}
}
