package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	w := web()
	w.Agents[0].Steps = []berth.Step{
		{Kind: "identity", Name: "identity", Status: berth.StepDone, StartedAt: longAgo, EndedAt: longAgo.Add(120 * time.Millisecond)},
		{Kind: "personalize", Name: "personalize", Status: berth.StepFailed, Detail: "~/personalize failed: exit status 2.\x1b[31m", StartedAt: longAgo, EndedAt: longAgo.Add(62 * time.Second)},
		{Kind: "script", Name: "install", Status: berth.StepRunning, StartedAt: time.Now()},
	}
	f.answer("GET /users/me/workspaces/web", w)
	f.answer("GET /workspaces/"+w.ID+"/agents/-/logs", api.Logs{Lines: []berth.Log{
		{Seq: 1, Source: "identity", Text: "not this"}, {Seq: 2, Source: "personalize", Text: "but this"}, {Seq: 3, Source: "install", Text: "nor this"},
	}})
	out, _, _ := f.run(t, "show", "web")
	for _, want := range []string{"STEP", "identity", "120ms", "1m2s", "failed", "exit status 2.", "running", "s…"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b[31m") {
		t.Error("a step can colour the terminal")
	}
	out, _, code := f.run(t, "logs", "web", "--step", "personalize")
	if !strings.Contains(out, "but this") || strings.Contains(out, "not this") || strings.Contains(out, "nor this") || code != 0 {
		t.Errorf("%d\n%s", code, out)
	}
	if _, errs, code := f.run(t, "logs", "web", "--step", "nope"); code != exitNotFound || !strings.Contains(errs, "berth show web lists them") {
		t.Errorf("%d %s", code, errs)
	}
}

// The login of a workspace goes to its server and to no other.
func TestLoginOfAWorkspace(t *testing.T) {
	tests := []struct {
		name       string
		env        map[string]string
		url, token string
		wantURL    string
		wantToken  string
	}{
		{"in a workspace", map[string]string{"BERTH": "true", "CODER_URL": "http://a", "CODER_SESSION_TOKEN": "t"}, "", "", "http://a", "t"},
		{"both names", map[string]string{"BERTH": "true", "CODER_URL": "http://a", "CODER_SESSION_TOKEN": "t", "BERTH_URL": "http://b", "BERTH_TOKEN": "u"}, "", "", "http://b", "u"},
		{"another program's", map[string]string{"CODER_URL": "http://a", "CODER_SESSION_TOKEN": "t", "BERTH_URL": "http://b"}, "", "", "http://b", ""},
		{"to another server", map[string]string{"BERTH": "true", "BERTH_URL": "http://a", "BERTH_TOKEN": "t"}, "http://evil", "", "http://evil", ""},
		{"to the same server", map[string]string{"BERTH": "true", "BERTH_URL": "http://a/", "BERTH_TOKEN": "t"}, "http://a", "", "http://a", "t"},
		{"a token alone", map[string]string{"BERTH_TOKEN": "t"}, "http://a", "", "http://a", "t"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"BERTH", "BERTH_URL", "BERTH_TOKEN", "CODER_URL", "CODER_SESSION_TOKEN"} {
				t.Setenv(name, tt.env[name])
			}
			a := &app{flagURL: tt.url, flagToken: tt.token, flagDir: t.TempDir()}
			got, err := a.who()
			if err != nil || got.URL != tt.wantURL || got.Token != tt.wantToken {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}
