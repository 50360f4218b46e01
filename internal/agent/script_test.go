package agent

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// scriptAgent is an agent that is ready to run scripts, with its server.
func scriptAgent(t *testing.T) (*agent, *fake) {
	t.Helper()
	f := newFake(berth.AgentSpec{Name: "main"})
	a := testAgent(t, f)
	a.manifest.Store(&f.manifest)
	a.settle()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.lines.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return a, f
}

func (a *agent) flushed(t *testing.T, f *fake, source string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if !a.lines.Flush(ctx) {
		t.Fatal("the log was not sent")
	}
	return f.text(source)
}

func TestScriptsRun(t *testing.T) {
	t.Parallel()
	long := "echo " + strings.Repeat("x", 150<<10) + " | wc -c"
	tests := []struct {
		name, script string
		result       outcome
		want         string
	}{
		{"both outputs in order", "echo a; echo b >&2; echo c", succeeded, "a\nb\nc\n"},
		{"exit status", "echo a; exit 4", exitFailure, "a\nThe script failed: exit status 4.\n"},
		{"killed", "kill -9 $$", exitFailure, "The script failed: signal: killed.\n"},
		{"last line without end", "printf a", succeeded, "a\n"},
		{"progress bar", `printf '1%%\r50%%\r100%%\r\ndone\n'`, succeeded, "100%\ndone\n"},
		{"not text", `printf 'a\000b\377c\n'`, succeeded, "ab\uFFFDc\n"},
		{"interpreter", "\n#!/usr/bin/env -S bash -e\n[[ 1 == 1 ]] && echo $BASH_VERSION | wc -l\nfalse\necho not reached", exitFailure, "1\nThe script failed: exit status 1.\n"},
		{"interpreter that is missing", "#!/does/not/exist\necho", exitFailure, "The script cannot be started: fork/exec /does/not/exist: no such file or directory\n"},
		{"too long for an argument", long, succeeded, "153601\n"},
		{"no input", "cat; echo end", succeeded, "end\n"},
		{"empty", "", succeeded, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, f := scriptAgent(t)
			got := a.runScript(t.Context(), berth.Script{ID: "i", DisplayName: "n", Script: tt.script}, "n", "start")
			if text := a.flushed(t, f, "n"); got.outcome != tt.result || text != tt.want {
				t.Errorf("%v, %q; want %v, %q", got.outcome, text, tt.result, tt.want)
			}
		})
	}
}

func TestScriptEnvironment(t *testing.T) {
	t.Parallel()
	a, f := scriptAgent(t)
	a.runScript(t.Context(), berth.Script{ID: "i", DisplayName: "n", Script: `echo $CODER $BERTH $CODER_WORKSPACE_NAME $BERTH_WORKSPACE_OWNER_NAME $CODER_WORKSPACE_AGENT_NAME $CODER_AGENT_URL $CODER_AGENT_TOKEN
ls $CODER_SCRIPT_BIN_DIR; echo $PATH | cut -d: -f1; [ -d $CODER_SCRIPT_DATA_DIR ] && touch $CODER_SCRIPT_DATA_DIR/x && echo kept`}, "n", "start")
	want := "true true ws ann main http://server secret\nberth\nberth-askpass\ncoder\n" + a.binDir() + "\nkept\n"
	if got := a.flushed(t, f, "n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestScriptTimeout(t *testing.T) {
	t.Parallel()
	a, f := scriptAgent(t)
	a.patience = patience{kill: 200 * time.Millisecond, leftovers: 200 * time.Millisecond}
	begin := time.Now()
	// Deaf to the interrupt, with a child that is too.
	got := a.runScript(t.Context(), berth.Script{ID: "i", DisplayName: "n", Timeout: 1, Script: "trap '' INT; sleep 60; sleep 60"}, "n", "start")
	if text := a.flushed(t, f, "n"); got.outcome != timedOut || !strings.Contains(text, "longer than its timeout of 1 s") {
		t.Errorf("%v %q", got, text)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestLeftovers(t *testing.T) {
	t.Parallel()
	a, f := scriptAgent(t)
	a.patience = patience{kill: time.Second, leftovers: 200 * time.Millisecond}
	got := a.runScript(t.Context(), berth.Script{ID: "i", DisplayName: "n", Script: "(sleep 1; echo late; sleep 1; echo $BASHPID >&2; kill -9 $BASHPID) & echo early"}, "n", "start")
	text := a.flushed(t, f, "n")
	if got.outcome != succeeded || !strings.HasPrefix(text, "early\n") || !strings.Contains(text, "still holds its output open") {
		t.Errorf("%v %q", got, text)
	}
	eventually(t, "what it says later", func() bool { return strings.Contains(f.text("n"), "late") })
}

func TestLogFile(t *testing.T) {
	t.Parallel()
	a, _ := scriptAgent(t)
	home := filepath.Join(t.TempDir(), "h")
	f := a.manifest.Load()
	f.Agent.Env = map[string]string{"LOGS": home}
	run := func(path, script string) {
		a.runScript(t.Context(), berth.Script{ID: "i", Script: script, LogPath: path}, "n", "start")
	}
	run("relative.log", "echo a; printf b")
	if got, _ := os.ReadFile(filepath.Join(a.config.LogDir, "relative.log")); string(got) != "a\nb" {
		t.Errorf("%q", got)
	}
	run("$LOGS/deep/x.log", "echo c")
	if got, _ := os.ReadFile(filepath.Join(home, "deep/x.log")); string(got) != "c\n" {
		t.Errorf("%q", got)
	}
	run("/proc/nope/x.log", "echo d") // cannot be made; costs the file alone
	run("big.log", "head -c 7000000 /dev/zero")
	if info, err := os.Stat(filepath.Join(a.config.LogDir, "big.log")); err != nil || info.Size() > maxLogFile+100 || info.Size() < maxLogFile {
		t.Errorf("%v %v", info, err)
	}
	// Another user's link in the temporary directory is not followed.
	os.Symlink(filepath.Join(home, "victim"), filepath.Join(a.config.LogDir, "linked.log"))
	run("linked.log", "echo e")
	if _, err := os.Stat(filepath.Join(home, "victim")); err == nil {
		t.Error("followed a link")
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("SKIPPED: there is no /dev/full")
	}
	a, f := scriptAgent(t)
	got := a.runScript(t.Context(), berth.Script{ID: "i", DisplayName: "n", Script: "echo a; sleep 0.1; echo b", LogPath: "/dev/full"}, "n", "start")
	if text := a.flushed(t, f, "n"); got.outcome != succeeded || text != "a\nb\n" {
		t.Errorf("%v %q", got, text)
	}
}

func TestOwnDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := ownDir(filepath.Join(dir, "a")); err != nil {
		t.Error(err)
	}
	if err := ownDir(filepath.Join(dir, "a")); err != nil {
		t.Error("again:", err)
	}
	os.Symlink(dir, filepath.Join(dir, "link"))
	if ownDir(filepath.Join(dir, "link")) == nil {
		t.Error("took a link")
	}
	os.Mkdir(filepath.Join(dir, "open"), 0o777)
	os.Chmod(filepath.Join(dir, "open"), 0o777)
	if ownDir(filepath.Join(dir, "open")) == nil {
		t.Error("took a folder that everybody can write")
	}
	if os.Getuid() == 0 {
		os.Mkdir(filepath.Join(dir, "other"), 0o700)
		os.Chown(filepath.Join(dir, "other"), 12345, -1)
		if ownDir(filepath.Join(dir, "other")) == nil {
			t.Error("took somebody else's folder")
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	env := []string{"HOME=/home/ann", "DIR=/srv", "DIR=/data"}
	for in, want := range map[string]string{
		"~": "/home/ann", "~/x": "/home/ann/x", "$HOME/y": "/home/ann/y", "${DIR}/z": "/data/z", "rel/a": "/home/ann/rel/a",
		"/abs": "/abs", "/a/../b": "/b", "~other": "/home/ann/~other", "$NONE/q": "/q",
	} {
		if got := expand(in, env); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
