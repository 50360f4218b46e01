package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/test/harness"
)

// gitDaemon serves a repository of dotfiles where containers reach it as
// host.docker.internal.
func gitDaemon(t *testing.T) (uri string) {
	t.Helper()
	if _, err := os.Stat("/usr/lib/git-core/git-daemon"); err != nil {
		t.Skip("SKIPPED: there is no git-daemon on this machine")
	}
	base := t.TempDir()
	dir := filepath.Join(base, "dotfiles")
	run(t, exec.Command("git", "init", "-q", "-b", "main", dir))
	writeFile(t, filepath.Join(dir, ".vimrc"), "set ai\n")
	for _, args := range [][]string{{"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"}} {
		run(t, exec.Command("git", append([]string{"-C", dir}, args...)...))
	}
	host := harness.BridgeIP(t)
	port := fmt.Sprint(harness.FreePort(t, host))
	daemon := exec.Command("/usr/lib/git-core/git-daemon", "--export-all", "--base-path="+base, "--listen="+host, "--port="+port)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { daemon.Process.Kill(); daemon.Wait() })
	harness.Eventually(t, 10*time.Second, func() string {
		c, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			return err.Error()
		}
		c.Close()
		return ""
	})
	return "git://host.docker.internal:" + port + "/dotfiles"
}

// A template and modules written as the public ones are, unchanged: each thing
// that they call is there and does what it does elsewhere.
func TestPublicTemplate(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh", "git")
	image := harness.DeveloperImage(t)
	repository := gitDaemon(t)
	s := harness.Start(t, harness.Options{Host: "0.0.0.0", Access: "localhost", Args: []string{"--plugin-mirror", harness.Plugins()}})
	s.Berth("templates", "push", "public", "-d", filepath.Join("testdata", "public"), "--variable", "image="+image)
	s.Berth("create", "pub", "-t", "public", "-y", "--parameter", "dotfiles_uri="+repository, "--parameter", "repo="+repository)
	w := started(t, s, "pub")
	for _, step := range w.Agents[0].Steps {
		if step.Status != berth.StepDone {
			t.Errorf("%s: %s\n%s", step.Name, step.Status, s.Berth("logs", "pub", "--step", step.Name))
		}
	}
	if w.Agents[0].Lifecycle != "ready" {
		t.Errorf("the agent is %s:\n%s", w.Agents[0].Lifecycle, s.Berth("logs", "pub.main"))
	}

	ssh := s.OpenSSH()
	commands := []struct{ command, want string }{
		{"whoami; pwd; hostname", "coder\n/home/coder\npub\n"},
		{"cat order", "pre\ninstall\nstart\n"},
		{"demo", "I am demo\n"},
		{"readlink .vimrc", "/home/coder/.config/coderv2/dotfiles/.vimrc\n"},
		{"cat src/.vimrc", "set ai\n"},
		{"cat personalize.log", "✨ \x1b[0;1mYou don't have a personalize script!\n\n"},
		{"cd src; git commit -q --allow-empty -m x; git log -1 --format='%an %ae %cn %ce'; cd", "admin admin@example.com admin admin@example.com\n"},
		{"coder whoami --json | grep -c '\"admin\"'", "1\n"},
		{"echo $CODER_AGENT_URL | grep -c host.docker.internal", "1\n"},
		{"ls -d .config/coderv2/* .berth* .ssh 2>/dev/null", ".config/coderv2/dotfiles\n"},
	}
	script, want := "", ""
	for _, c := range commands {
		script += c.command + "\n"
		want += c.want
	}
	if got := ssh.Run("pub.berth", script+"true"); got != want {
		t.Errorf("inside there is\n%s\nwant\n%s", got, want)
	}
	theMetadata(t, s)
	theApps(t, s)

	// Once more: what was made stays, what was asked to happen at the stop did.
	s.Berth("restart", "pub", "-y")
	started(t, s, "pub")
	if got := ssh.Run("pub.berth", "cat bye order; ls -A src; demo"); got != "bye\npre\ninstall\nstart\npre\ninstall\nstart\n.git\n.vimrc\nI am demo\n" {
		t.Errorf("after a restart: %q", got)
	}
}

// theMetadata sees that each of the template's items has a value of its form.
func theMetadata(t *testing.T, s *harness.Server) {
	t.Helper()
	const cores, memory = `^[\d.]+/[\d.]+ cores \(\d+%\)$`, `^[\d.]+/[\d.]+ GiB \(\d+%\)$`
	forms := map[string]string{
		"0_cpu_usage": cores, "1_ram_usage": memory, "3_home_disk": memory, "4_cpu_usage_host": cores,
		"5_mem_usage_host": memory, "6_load_host": `^\d+\.\d\d$`, "7_swap_host": `^\d+\.\d/\d+\.\d$`,
	}
	harness.Eventually(t, 20*time.Second, func() string {
		var items []struct{ Key, Value, Error string }
		s.JSON(&items, "metadata", "pub")
		for _, item := range items {
			if !regexp.MustCompile(forms[item.Key]).MatchString(item.Value) || item.Error != "" {
				return fmt.Sprintf("%+v", item)
			}
		}
		if len(items) != len(forms) {
			return fmt.Sprintf("%d items of %d", len(items), len(forms))
		}
		return ""
	})
}

// theApps sees that the apps are healthy, and each of its kind.
func theApps(t *testing.T, s *harness.Server) {
	t.Helper()
	harness.Eventually(t, 20*time.Second, func() string {
		var apps []struct{ Slug, Kind, Health string }
		s.JSON(&apps, "apps", "pub")
		found := map[string]string{}
		for _, a := range apps {
			found[a.Slug] = a.Kind + " " + a.Health
		}
		if len(found) != 4 || found["code-server"] != "web healthy" || found["vscode"] != "external " || found["top"] != "command " || found["dotfiles"] != "command " {
			return fmt.Sprintf("%+v", found)
		}
		return ""
	})
	for line := range strings.Lines(s.Berth("apps", "pub")) {
		if strings.HasPrefix(line, "dotfiles") && len(line) > 250 {
			t.Errorf("a module's script fills the table: %s", line)
		}
	}
	link := strings.TrimSpace(s.Berth("apps", "open", "pub", "vscode"))
	_, token, _ := strings.Cut(link, "&token=")
	if !strings.HasPrefix(link, "vscode://coder.coder-remote/open?owner=admin&workspace=pub&url="+s.URL+"&token=berth_") {
		t.Errorf("the editor's link is %s", link)
	}
	if _, errs, code := s.Try("whoami", "--token", token); code != 0 {
		t.Errorf("the token of the editor's link: %s", errs)
	}
}
