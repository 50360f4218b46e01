package agent

import (
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
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

func TestEnvironmentOfTheOwner(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main", Env: map[string]string{"EDITOR": "template", "API_KEY": "template", "GIT_ASKPASS": "theirs"}})
	h.manifest.OrganizationID, h.manifest.Provider, h.manifest.WorkspaceID = "o1", "built-in", "w1"
	h.manifest.VSCodeProxyURI = "https://{{port}}--main--ws--ann.apps.example"
	h.a.config.Env = append(h.a.config.Env, "CODER_USER_EMAIL=of the image", socketVariable+"=/of/another/agent")
	h.a.manifest.Store(&h.manifest)
	h.a.settle()
	h.put(t, api.Identity{Username: "ann", Token: "berth_x", Secrets: []api.SecretValue{{Name: "k", Env: "API_KEY", Value: "secret"}, {Name: "f", File: "~/f", Value: "v"}}})
	env := h.a.environment()
	for name, want := range map[string]string{
		"EDITOR": "template", "API_KEY": "secret", "GIT_ASKPASS": "theirs", "CODER_USER_EMAIL": "of the image", "BERTH_USER_EMAIL": "ann@example.com",
		"CODER_SESSION_TOKEN": "berth_x", "BERTH_TOKEN": "berth_x", "CODER_URL": "http://server", "BERTH_URL": "http://server",
		"CODER_WORKSPACE_ID": "w1", "CODER_ORGANIZATION_ID": "o1", "BERTH_WP_NAME": "built-in", "CODER_USERNAME": "ann",
		"VSCODE_PROXY_URI": "https://{{port}}--main--ws--ann.apps.example", "GIT_SSH_COMMAND": h.a.binDir() + "/coder gitssh --",
		socketVariable: "", "CODER_IMAGE_URI": "", "SSH_ASKPASS": "", "CS_DISABLE_GETTING_STARTED_OVERRIDE": "1",
	} {
		if got := value(env, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := quoted("/with space/it's"); got != `'/with space/it'\''s'` {
		t.Errorf("%s", got)
	}
}
