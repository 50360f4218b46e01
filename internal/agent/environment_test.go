package agent

import (
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("FROM_PROCESS", "process")
	t.Setenv("CODER_WORKSPACE_OWNER_NAME", "of the process")
	t.Setenv("PATH", "/usr/bin")
	t.Setenv(initMark, "1")
	f := newFake(berth.AgentSpec{Name: "main", Env: map[string]string{
		"FROM_PROCESS": "$FROM_PROCESS+template", "NEW": "${HOME}/x$NOTHING", "PATH": "/template:$PATH", "BERTH_WORKSPACE_NAME": "mine", "bad=name": "x",
	}})
	a := testAgent(t, f)
	if env := a.environment(); value(env, "CODER") != "true" || value(env, "CODER_AGENT_TOKEN") != "secret" {
		t.Errorf("before the manifest: %v", env)
	}
	a.manifest.Store(&f.manifest)
	a.settle()
	env := a.environment()
	home := value(env, "HOME")
	for name, want := range map[string]string{
		"BERTH": "true", "CODER_WORKSPACE_NAME": "ws", "CODER_WORKSPACE_AGENT_NAME": "main",
		"CODER_WORKSPACE_OWNER_NAME": "of the process", "BERTH_WORKSPACE_OWNER_NAME": "ann",
		"FROM_PROCESS": "process+template", "NEW": home + "/x", "BERTH_WORKSPACE_NAME": "mine",
		"PATH": a.binDir() + ":/template:/usr/bin", "CODER_SCRIPT_BIN_DIR": a.binDir(), initMark: "",
	} {
		if got := value(env, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, e := range env {
		if strings.HasPrefix(e, "bad=name") {
			t.Error("took a name with =")
		}
	}
}
