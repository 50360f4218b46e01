package agent

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeAgent stands for the binary that the init script downloads.
const fakeAgent = `#!/bin/sh
if [ "$1" = version ]; then echo v9; exit 0; fi
echo "args:$*" "url:$CODER_AGENT_URL" "auth:$CODER_AGENT_AUTH" "self:$0"
`

// initScript is the script as the plugin gives it to a template.
func initScript(t *testing.T, accessURL string) string {
	t.Helper()
	text, err := os.ReadFile("../workspaces/init.sh")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("@BINARY@", "berth-agent-linux-amd64", "${ACCESS_URL}", accessURL, "${AUTH_TYPE}", "token").Replace(string(text))
}

// toolbox is a PATH with the usual small commands and the given ones beside
// them; "wget=busybox" is busybox under the name wget.
func toolbox(t *testing.T, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range append([]string{"id", "mkdir", "rm", "chmod", "sleep", "mv", "tail", "tr", "grep", "sh"}, programs...) {
		name, from, ok := strings.Cut(p, "=")
		if !ok {
			from = name
		}
		path, err := exec.LookPath(from)
		if err != nil {
			t.Skipf("SKIPPED: there is no %s on this machine", from)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// binaries serves the agent, after it has failed the given number of times.
func binaries(t *testing.T, failures int32) string {
	t.Helper()
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case asked.Add(1) <= failures:
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		case r.URL.Path == "/base/bin/berth-agent-linux-amd64":
			w.Write([]byte(fakeAgent))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/base/"
}

func shells(t *testing.T) map[string][]string {
	shells := map[string][]string{}
	for name, command := range map[string][]string{"dash": {"dash"}, "bash": {"bash", "--posix"}, "ash": {"busybox", "ash"}} {
		path, err := exec.LookPath(command[0])
		if err != nil {
			t.Logf("SKIPPED: there is no %s on this machine", command[0])
			continue
		}
		shells[name] = append([]string{path}, command[1:]...)
	}
	return shells
}

func TestInitScript(t *testing.T) {
	t.Parallel()
	tools := map[string][]string{"curl": {"curl"}, "wget": {"wget"}, "busybox as wget": {"wget=busybox"}, "busybox": {"busybox"}}
	for shellName, shell := range shells(t) {
		for toolName, programs := range tools {
			t.Run(shellName+"/"+toolName, func(t *testing.T) {
				t.Parallel()
				url := binaries(t, 1)
				tmp := t.TempDir()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				cmd := exec.CommandContext(ctx, shell[0], append(shell[1:], "-c", initScript(t, url))...)
				cmd.Env = []string{"PATH=" + toolbox(t, programs...), "TMPDIR=" + tmp}
				var out, said bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &said
				if err := cmd.Run(); err != nil {
					t.Fatalf("%v\n%s", err, said.String())
				}
				want := "args:agent url:" + url + " auth:token self:" + tmp + "/.berth-agent."
				if !strings.HasPrefix(out.String(), want) {
					t.Errorf("%q, want %q", out.String(), want)
				}
				for _, line := range []string{"(try 1)", "503", "trying again in 1 s", "(try 2)", "starting the agent, version v9"} {
					if !strings.Contains(said.String(), line) {
						t.Errorf("does not say %q:\n%s", line, said.String())
					}
				}
			})
		}
	}
}

func TestInitScriptIsPatient(t *testing.T) {
	t.Parallel()
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := toolbox(t)
			if strings.HasSuffix(shell[0], "busybox") {
				// Its own wget may be called without being on PATH.
				t.Skip("busybox always has wget")
			}
			cmd := exec.Command(shell[0], append(shell[1:], "-c", initScript(t, binaries(t, 0)))...)
			cmd.Env = []string{"PATH=" + path, "TMPDIR=/does/not/exist", "BERTH_AGENT_BIN_DIR=" + t.TempDir() + "/made"}
			said, out := &syncBuffer{}, &syncBuffer{}
			cmd.Stdout, cmd.Stderr = out, said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer cmd.Process.Kill()
			eventually(t, "the cure", func() bool { return strings.Contains(said.String(), "none of curl, wget and busybox wget") })
			curl, err := exec.LookPath("curl")
			if err != nil {
				t.Skip("SKIPPED: there is no curl on this machine")
			}
			os.Symlink(curl, filepath.Join(path, "curl"))
			eventually(t, "the agent", func() bool { return strings.Contains(out.String(), "args:agent") })
			if !strings.Contains(out.String(), "/made/.berth-agent.") {
				t.Errorf("%s", out.String())
			}
		})
	}
}

// A page in place of the agent, as portals and proxies send it, is not run.
func TestInitScriptDistrusts(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<html>please log in")) }))
	defer s.Close()
	cmd := exec.Command("sh", "-c", initScript(t, s.URL+"/"))
	cmd.Env = []string{"PATH=" + toolbox(t, "curl"), "TMPDIR=" + t.TempDir()}
	said := &syncBuffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	eventually(t, "a second try", func() bool { return strings.Contains(said.String(), "(try 2)") })
	if !strings.Contains(said.String(), "does not run here") {
		t.Errorf("%s", said.String())
	}
}

// Templates write the script between single quotes, and the plugin replaces
// two placeholders in it.
func TestInitScriptText(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../workspaces/init.sh")
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexByte(string(text), '\''); i >= 0 {
		t.Errorf("a single quote at byte %d", i)
	}
	for _, placeholder := range []string{"${ACCESS_URL}bin/@BINARY@", "${AUTH_TYPE}"} {
		if !strings.Contains(string(text), placeholder) {
			t.Errorf("no %s", placeholder)
		}
	}
}
