package agent

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// allHooks are the steps as the server lists them.
var allHooks = []api.Hook{
	{Kind: "identity", Name: "identity"}, {Kind: "configure", Name: "configure"}, {Kind: "personalize", Name: "personalize"},
	{Kind: "dotfiles", Name: "dotfiles"}, {Kind: "scripts", Name: "start scripts"},
}

// house is a workspace with a home of its own, whose server has all hooks.
type house struct {
	*fake
	a    *agent
	home string
	hook string // path of the image's
}

func newHouse(t *testing.T, spec berth.AgentSpec) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{fake: newFake(spec), home: filepath.Join(dir, "home"), hook: filepath.Join(dir, "coder", "configure")}
	if err := os.Mkdir(h.home, 0o755); err != nil {
		t.Fatal(err)
	}
	h.manifest.Hooks, h.manifest.BuildNumber, h.manifest.BuildReason = allHooks, 3, "cli"
	h.manifest.OwnerFullName, h.manifest.OwnerEmail = "Ann Lee", "ann@example.com"
	h.a = testAgent(t, h.fake)
	h.a.config.Env = []string{"HOME=" + h.home, "PATH=" + os.Getenv("PATH"), "SHELL=/bin/sh"}
	h.a.configure = []string{h.hook}
	h.a.patience.kill, h.a.patience.identity = time.Second, 300*time.Millisecond
	return h
}

func (h *house) write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// read is what a file in the home holds.
func (h *house) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(h.home, name))
	return string(text)
}

func (h *house) put(t *testing.T, id api.Identity) {
	t.Helper()
	body, _ := json.Marshal(id)
	w := httptest.NewRecorder()
	h.a.putIdentity(w, httptest.NewRequest(http.MethodPut, "/identity", bytes.NewReader(body)))
	if w.Code != http.StatusNoContent {
		t.Fatalf("PUT /identity: %d %s", w.Code, w.Body)
	}
}

// steps are the reported ones, as "name status".
func (h *house) stepList() (list []string) {
	for _, s := range h.sawSteps() {
		list = append(list, s.Name+" "+string(s.Status))
	}
	return list
}

func (f *fake) sawSteps() []berth.Step {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.steps)
}

func (h *house) start(t *testing.T) (end func()) {
	t.Helper()
	end = run(t, h.a)
	eventually(t, "the end of the start", func() bool { return len(h.sawStates()) >= 2 })
	return end
}

func TestStartInOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main", Scripts: []berth.Script{
		onStart("install", "echo script >> ~/order"), onStart("install", "exit 3"),
	}})
	h.scriptIDs("i1", "i2")
	h.manifest.Identity = true
	h.write(t, h.hook, "#!/bin/sh\necho configure >> ~/order; echo said $SECRET_OF_MINE $BERTH_TOKEN; cat ~/.netrc >> ~/order", 0o755)
	h.write(t, filepath.Join(h.home, "personalize"), "echo personalize $CODER_START $BERTH_START_NUMBER $CODER_START_REASON >> ~/order; pwd", 0o755)
	h.put(t, api.Identity{Username: "ann", Email: "a@b.c", Token: "berth_0123456789", Secrets: []api.SecretValue{
		{Name: "one", Env: "SECRET_OF_MINE", Value: "extremely secret"}, {Name: "two", File: "~/.netrc", Value: "netrc\n"},
	}})
	h.start(t)()
	if got := h.read("order"); got != "configure\nnetrc\npersonalize again 3 cli\nscript\n" {
		t.Errorf("%q", got)
	}
	want := []string{"identity done", "configure done", "personalize done", "install done", "install (2) failed"}
	if got := h.stepList(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	last := time.Time{}
	for _, s := range h.sawSteps() {
		if s.StartedAt.Before(last) || s.EndedAt.Before(s.StartedAt) {
			t.Errorf("%+v", s)
		}
		last = s.StartedAt
	}
	if s := h.sawSteps()[4]; s.Kind != "script" || s.ExitCode != 3 || !strings.Contains(s.Detail, "exit status 3") {
		t.Errorf("%+v", s)
	}
	if got := h.text("configure"); !strings.Contains(got, "said [hidden] [hidden]\n") || !strings.Contains(got, "at most 30 minutes") {
		t.Errorf("%q", got)
	}
	if got := h.read("configure.log"); !strings.Contains(got, "said extremely secret") { // the person's own file
		t.Errorf("%q", got)
	}
	if got := h.text("personalize"); !strings.HasSuffix(got, "\n"+h.home+"\n") {
		t.Errorf("%q", got)
	}
	if got := h.sawStates(); !slices.Equal(got, []string{"starting", "start_error", "shutting_down", "off"}) {
		t.Errorf("%v", got)
	}
}

// scriptIDs gives scripts of one name ids of their own.
func (h *house) scriptIDs(ids ...string) {
	for i, id := range ids {
		h.manifest.Agent.Scripts[i].ID = id
	}
}

func TestHooksThatAreMissing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main"})
	h.manifest.FirstStart = true
	h.start(t)()
	if got := h.stepList(); !slices.Equal(got, []string{"identity done"}) {
		t.Errorf("%v", got)
	}
	if got := h.text("configure") + h.text("personalize") + h.text("dotfiles"); got != "" {
		t.Errorf("said %q", got)
	}
}

func TestHooksThatGoWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, h *house)
		step string
		says string
	}{
		{"fails", func(t *testing.T, h *house) { h.write(t, h.hook, "#!/bin/sh\nexit 7", 0o755) }, "configure failed", "exit status 7"},
		{"not executable", func(t *testing.T, h *house) { h.write(t, h.home+"/personalize", "#!/bin/sh\necho ran", 0o644) }, "personalize warning", "chmod +x ~/personalize"},
		{"a folder", func(t *testing.T, h *house) { os.MkdirAll(h.hook, 0o755) }, "configure warning", "not a file"},
		{"interpreter missing", func(t *testing.T, h *house) { h.write(t, h.hook, "#!/does/not/exist\n", 0o755) }, "configure failed", "cannot be started"},
		{"too slow", func(t *testing.T, h *house) {
			h.a.patience.hook = 300 * time.Millisecond
			h.write(t, h.hook, "#!/bin/sh\nsleep 60", 0o755)
		}, "configure timeout", "longer than its timeout"},
		{"killed", func(t *testing.T, h *house) { h.write(t, h.hook, "#!/bin/sh\nkill -9 $$", 0o755) }, "configure failed", "signal: killed"},
		{"no such repository", func(t *testing.T, h *house) {
			h.manifest.Identity = true
			h.put(t, api.Identity{Username: "ann", Dotfiles: "/does/not/exist.git"})
		}, "dotfiles failed", "failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("after", "echo after")}})
			tt.make(t, h)
			h.start(t)()
			if got := h.stepList(); !slices.Contains(got, tt.step) || got[len(got)-1] != "after done" {
				t.Errorf("%v, want %s", got, tt.step)
			}
			if got := h.sawStates(); got[1] != "ready" {
				t.Errorf("it keeps the person out: %v", got)
			}
			for _, s := range h.sawSteps() {
				if s.Name+" "+string(s.Status) == tt.step && (!strings.Contains(s.Detail, tt.says) || !strings.Contains(h.text(s.Name), s.Detail)) {
					t.Errorf("%+v, log %q", s, h.text(s.Name))
				}
			}
		})
	}
}

// What a link makes of two names is run once, and two hooks both.
func TestConfigureOfBothNames(t *testing.T) {
	t.Parallel()
	for _, linked := range []bool{true, false} {
		h := newHouse(t, berth.AgentSpec{Name: "main"})
		second := filepath.Join(t.TempDir(), "configure")
		h.a.configure = append(h.a.configure, second)
		h.write(t, h.hook, "#!/bin/sh\necho ran", 0o755)
		if linked {
			os.Symlink(h.hook, second)
		} else {
			h.write(t, second, "#!/bin/sh\necho ran too; exit 2", 0o755)
		}
		h.start(t)()
		want := map[bool]string{true: "ran\n", false: "ran\nran too\n"}[linked]
		if got := h.read("configure.log"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if s := h.sawSteps()[1]; (s.Status == berth.StepDone) != linked || len(h.sawSteps()) != 2 {
			t.Errorf("%+v", h.sawSteps())
		}
	}
}

func TestFloodOfAHook(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	h := newHouse(t, berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("after", "echo after")}})
	h.write(t, filepath.Join(h.home, "personalize"), "#!/bin/sh\nyes 'a line of some length that is printed again and again' | head -c 100000000", 0o755)
	h.start(t)()
	if text := h.text("personalize"); len(text) > maxLogBytes || !strings.Contains(text, "too long to be kept") {
		t.Errorf("%d bytes, %.200q", len(text), text[max(0, len(text)-200):])
	}
	if h.text("after") != "after\n" {
		t.Errorf("no room for others: %q", h.text("after"))
	}
}

// The agent ends in the middle of a step: the step says so, and what it started
// is gone.
func TestEndInAStep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("after", "echo after")}})
	h.write(t, filepath.Join(h.home, "personalize"), "#!/bin/sh\necho $$ > ~/pid; sleep 60", 0o755)
	end := run(t, h.a)
	eventually(t, "the hook", func() bool { return h.read("pid") != "" })
	end()
	if got := h.stepList(); !slices.Equal(got, []string{"identity done", "personalize failed"}) {
		t.Errorf("%v", got)
	}
	if s := h.sawSteps()[1]; !strings.Contains(s.Detail, "the workspace stops") {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(h.read("pid"))); err == nil {
		t.Error("the hook still runs")
	}
}

func TestIdentityThatDoesNotCome(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("s", "echo token=$BERTH_TOKEN=")}})
	h.manifest.Identity = true
	h.start(t)
	eventually(t, "steps", func() bool { return slices.Equal(h.stepList(), []string{"identity warning", "s done"}) })
	eventually(t, "line", func() bool { return h.text("s") != "" })
	if s := h.sawSteps()[0]; s.Status != berth.StepWarning || !strings.Contains(s.Detail, "did not send") {
		t.Errorf("%+v", s)
	}
	if h.text("s") != "token==\n" || h.sawStates()[1] != "ready" {
		t.Errorf("%q %v", h.text("s"), h.sawStates())
	}
	// It comes later, with a file that cannot be written.
	h.put(t, api.Identity{Username: "ann", Token: "berth_later", Secrets: []api.SecretValue{{Name: "bad", File: "~/../x", Value: "v"}}})
	if got := value(h.a.environment(), "CODER_SESSION_TOKEN"); got != "berth_later" {
		t.Errorf("%q", got)
	}
	eventually(t, "what did not work", func() bool { return strings.Contains(h.text("identity"), "The secret bad could not be written") })
}

func TestHostileIdentity(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main"})
	w := httptest.NewRecorder()
	h.a.putIdentity(w, httptest.NewRequest(http.MethodPut, "/identity", strings.NewReader("{")))
	if w.Code != http.StatusBadRequest || h.a.identity.Load() != nil {
		t.Errorf("%d", w.Code)
	}
	h.a.manifest.Store(&h.manifest)
	h.put(t, api.Identity{Username: "ann", Secrets: []api.SecretValue{
		{Name: "a", Env: "A=B", Value: "x"}, {Name: "b", Env: "NUL", Value: "x\x00y"}, {Name: "c", Env: "OK", Value: "line\nline"},
	}})
	env := h.a.environment()
	if value(env, "OK") != "line\nline" || value(env, "A") != "" || value(env, "NUL") != "" {
		t.Errorf("%v", env)
	}
	if len(h.a.troubles) != 1 || !strings.Contains(h.a.troubles[0], `"A=B"`) {
		t.Errorf("%v", h.a.troubles)
	}
}

func TestServerAwayInTheStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("s", "sleep 1")}})
	run(t, h.a)
	eventually(t, "a step", func() bool { return len(h.sawSteps()) > 0 })
	h.goAway(berth.Errorf(berth.Unavailable, "restarting"))
	time.Sleep(1500 * time.Millisecond)
	h.goAway(nil)
	eventually(t, "all steps", func() bool { return slices.Equal(h.stepList(), []string{"identity done", "s done"}) })
}
