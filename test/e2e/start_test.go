package e2e

import (
	"fmt"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/test/harness"
)

// shownStart is what show --json says of a start.
type shownStart struct {
	ID     string
	Health string
	Agents []struct {
		Lifecycle string
		Steps     []berth.Step
	}
}

// started waits for the end of the start of a workspace.
func started(t *testing.T, s *harness.Server, name string) (w shownStart) {
	t.Helper()
	harness.Eventually(t, 90*time.Second, func() string {
		w = shownStart{}
		s.JSON(&w, "show", name)
		if len(w.Agents) != 1 || w.Agents[0].Lifecycle == "created" || w.Agents[0].Lifecycle == "starting" {
			return fmt.Sprintf("the start has not ended: %+v", w)
		}
		for _, step := range w.Agents[0].Steps {
			if step.Status == berth.StepRunning {
				return "a step still runs: " + step.Name
			}
		}
		return ""
	})
	return w
}

// steps are the kinds of the steps, and how they went.
func (w shownStart) steps() (list []string) {
	for _, s := range w.Agents[0].Steps {
		list = append(list, s.Kind+" "+string(s.Status))
	}
	return list
}

// dotfiles serves a person's repository, whose install script adds to ~/order.
func dotfiles(t *testing.T) (uri string) {
	t.Helper()
	const backend = "/usr/lib/git-core/git-http-backend"
	if _, err := os.Stat(backend); err != nil {
		t.Skip("SKIPPED: there is no git-http-backend on this machine")
	}
	dir := harness.Files(t, map[string]string{"install.sh": "#!/bin/sh\necho dotfiles >> ~/order\n"})
	os.Chmod(filepath.Join(dir, "install.sh"), 0o755)
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"}} {
		run(t, exec.Command("git", append([]string{"-C", dir}, args...)...))
	}
	server := httptest.NewServer(&cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}})
	t.Cleanup(server.Close)
	return server.URL + "/.git"
}

// A start takes its steps in order, each time, and is told which start it is.
// Inside, the owner is signed in until the workspace stops.
func TestStartInSteps(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh", "git")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("preferences", "set", "dotfiles", dotfiles(t))
	if _, errs, code := s.Exec(strings.NewReader("a secret of mine"), "secrets", "set", "api", "--env", "API_KEY", "--file", "~/.config/api/key"); code != 0 {
		t.Fatal(errs)
	}
	s.Berth("create", "web", "-t", "process", "-y")
	if got := started(t, s, "web").steps(); !slices.Equal(got, []string{"identity done", "dotfiles done", "script done"}) {
		t.Errorf("the first start: %v", got)
	}
	ssh := s.OpenSSH()
	ssh.Run("web.berth", `printf '#!/bin/sh\necho personalize $BERTH_START $BERTH_START_NUMBER $BERTH_START_REASON >> ~/order\necho the key is $API_KEY, and $BERTH_TOKEN\n' > personalize
chmod +x personalize; echo "# mine" >> .gitconfig; rm .config/api/key`)
	for n := 2; n <= 3; n++ {
		s.Berth("restart", "web", "-y")
		w := started(t, s, "web")
		if got := w.steps(); !slices.Equal(got, []string{"identity done", "personalize done", "dotfiles done", "script done"}) {
			t.Errorf("start %d: %v", n, got)
		}
		last := time.Time{}
		for _, step := range w.Agents[0].Steps {
			if step.StartedAt.Before(last) || step.EndedAt.Before(step.StartedAt) || time.Since(step.EndedAt) > time.Hour {
				t.Errorf("start %d: %+v", n, step)
			}
			last = step.StartedAt
		}
	}
	order := strings.Split(strings.TrimSpace(ssh.Run("web.berth", "cat order")), "\n")
	if len(order) != 5 || order[0] != "dotfiles" || !strings.HasPrefix(order[1], "personalize again 3 ") || order[2] != "dotfiles" || !strings.HasPrefix(order[3], "personalize again 5 ") {
		t.Errorf("order: %q", order)
	}
	if got := ssh.Run("web.berth", "cat .config/api/key; echo; stat -c %a .config/api/key; echo $API_KEY"); got != "a secret of mine\n600\na secret of mine\n" {
		t.Errorf("the secret: %q", got)
	}
	if got := ssh.Run("web.berth", "grep -c email .gitconfig; grep -c mine .gitconfig"); got != "1\n1\n" {
		t.Errorf("the git configuration: %q", got)
	}
	harness.Eventually(t, time.Minute, func() string { // lines come a moment after the state
		if log := s.Berth("logs", "web", "--step", "personalize"); !strings.Contains(log, "the key is [hidden], and [hidden]") {
			return "the log:\n" + log
		}
		return ""
	})
	if out := s.Berth("show", "web"); !strings.Contains(out, "personalize") || !strings.Contains(out, "TOOK") {
		t.Errorf("show:\n%s", out)
	}
	for _, command := range []string{"coder list", "berth list", "env -u BERTH_URL -u BERTH_TOKEN coder list"} {
		if got := ssh.Run("web.berth", command); !strings.Contains(got, "web") {
			t.Errorf("%s: %s", command, got)
		}
	}
	if got := ssh.Run("web.berth", "coder publickey; coder nonsense 2>&1; echo $?"); !strings.Contains(got, "ssh-ed25519 ") || !strings.Contains(got, "dotfiles, ") || !strings.HasSuffix(got, "\n2\n") {
		t.Errorf("publickey, and a command that is not there: %s", got)
	}
	token := strings.TrimSpace(ssh.Run("web.berth", "echo $CODER_SESSION_TOKEN"))
	if _, errs, code := s.Try("whoami", "--token", token); code != 0 {
		t.Errorf("the login of the workspace: %s", errs)
	}
	s.Berth("stop", "web", "-y")
	if _, _, code := s.Try("whoami", "--token", token); code != 3 {
		t.Errorf("the login of a stopped workspace gives exit %d", code)
	}
}

// Hooks that go wrong are shown, and keep nobody out.
func TestStartWithBadHooks(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh", "git")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("preferences", "set", "dotfiles", "file://"+t.TempDir()+"/nothing")
	s.Berth("create", "web", "-t", "process", "-y")
	ssh := s.OpenSSH()
	ssh.Run("web.berth", "echo '#!/bin/sh' > personalize") // not executable
	s.Berth("restart", "web", "-y")
	w := started(t, s, "web")
	if got := w.steps(); !slices.Equal(got, []string{"identity done", "personalize warning", "dotfiles failed", "script done"}) {
		t.Errorf("%v", got)
	}
	if w.Agents[0].Lifecycle != "ready" || w.Health != "" {
		t.Errorf("%+v", w)
	}
	if got := ssh.Run("web.berth", "echo in"); got != "in\n" {
		t.Errorf("%q", got)
	}
	if out := s.Berth("show", "web"); !strings.Contains(out, "chmod +x ~/personalize") {
		t.Errorf("show:\n%s", out)
	}
}

// The image's hook runs as the image's user, before the person's.
func TestStartOfAContainer(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	image := harness.Image(t)
	built := "berth-start-test:" + filepath.Base(t.TempDir())
	dir := harness.Files(t, map[string]string{
		"Dockerfile": "FROM " + image + "\nUSER root\nCOPY configure /coder/configure\nRUN chmod 755 /coder /coder/configure\nUSER " + imageUser(t, image) + "\n",
		"configure":  "#!/bin/sh\necho \"configure $(id -u) $CODER_START $HOME\"\necho configure >> ~/order\n",
	})
	docker(t, "build", "-q", "-t", built, dir)
	t.Cleanup(func() { exec.Command("docker", "rmi", "-f", built).Run() })
	s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins()}})
	s.Berth("templates", "push", "docker", "-d", starter("docker"), "--variable", "image="+built)
	s.Berth("create", "web", "-t", "docker", "-y")
	w := started(t, s, "web")
	if got := w.steps(); len(got) < 2 || got[0] != "identity done" || got[1] != "configure done" {
		t.Errorf("%v", got)
	}
	ssh := s.OpenSSH()
	want := strings.TrimSpace(ssh.Run("web.berth", "echo configure $(id -u) first $HOME"))
	if got := strings.TrimSpace(ssh.Run("web.berth", "cat configure.log")); got != want {
		t.Errorf("configure.log: %q, want %q", got, want)
	}
	ssh.Run("web.berth", "printf '#!/bin/sh\\necho personalize >> ~/order\\n' > personalize; chmod +x personalize")
	s.Berth("restart", "web", "-y")
	started(t, s, "web")
	if got := ssh.Run("web.berth", "cat order; cat configure.log"); got != "configure\nconfigure\npersonalize\n"+strings.Replace(want, "first", "again", 1)+"\n" {
		t.Errorf("%q", got)
	}
	if got := ssh.Run("web.berth", "coder list"); !strings.Contains(got, "web") {
		t.Errorf("coder list: %s", got)
	}
}

// imageUser is the user of an image.
func imageUser(t *testing.T, image string) string {
	t.Helper()
	if user := strings.TrimSpace(docker(t, "image", "inspect", "-f", "{{.Config.User}}", image)); user != "" {
		return user
	}
	return "root"
}
