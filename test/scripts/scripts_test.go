// Package scripts drives the built binary as an admin, a user and an attacker
// would. Each .txtar here is one story; `exits N berth …` wants that exit code.
package scripts

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/berthdev/berth/test/harness"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestScripts(t *testing.T) {
	t.Parallel()
	bin := harness.Bin(t, "berth")
	files, err := filepath.Glob("*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Files:               []string{file},
				RequireExplicitExec: true,
				UpdateScripts:       *update,
				Setup:               func(e *testscript.Env) error { return setUp(e, bin) },
				Condition:           condition,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"server":  func(ts *testscript.TestScript, neg bool, args []string) { startServer(t, ts, args) },
					"exits":   exits,
					"capture": capture,
				},
			})
		})
	}
}

// setUp gives a script a home of its own and no server.
func setUp(e *testscript.Env, bin string) error {
	e.Setenv("PATH", filepath.Dir(bin)+string(os.PathListSeparator)+e.Getenv("PATH"))
	e.Setenv("HOME", e.WorkDir)
	e.Setenv("BERTH_CONFIG_DIR", filepath.Join(e.WorkDir, "config"))
	e.Setenv("NO_COLOR", "1")
	e.Setenv("ROOT", harness.Root())
	return os.WriteFile(filepath.Join(e.WorkDir, "password"), []byte(harness.Password+"\n"), 0o600)
}

func condition(name string) (bool, error) {
	if what, found := strings.CutPrefix(name, "has:"); found {
		_, err := exec.LookPath(what)
		return err == nil, nil
	}
	return false, errors.New("unknown condition " + name)
}

// startServer runs a server on fresh data: URL names it afterwards. Its first
// user admin is there and nobody is signed in, but with -empty.
func startServer(t *testing.T, ts *testscript.TestScript, args []string) {
	empty := len(args) > 0 && args[0] == "-empty"
	if empty {
		args = args[1:]
	}
	// t is not the test that runs here: in a goroutine of its own, a failure of
	// t ends that and is told to the script.
	started := make(chan *harness.Server)
	go func() {
		defer close(started)
		s := harness.Start(t, harness.Options{Args: args, NoSignIn: empty})
		if !empty {
			s.Berth("logout")
		}
		started <- s
	}()
	s, ok := <-started
	if !ok {
		ts.Fatalf("the server did not start")
	}
	ts.Setenv("URL", s.URL)
	ts.Setenv("DATA", s.Data)
}

// exits runs a program that must end with an exit code: exits N program args…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N program args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%s: exit %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// capture keeps the last standard output, without its line end, in a variable.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: capture NAME")
	}
	ts.Setenv(args[0], strings.TrimRight(ts.ReadFile("stdout"), "\n"))
}
