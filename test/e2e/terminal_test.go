package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// The terminal's page in a real browser: it survives reloads and the server's
// sudden end, two pages share it, and other sites' pages do not get in.
func TestTerminalInABrowser(t *testing.T) {
	t.Parallel()
	harness.NeedBrowser(t)
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	var w struct{ ID string }
	s.JSON(&w, "show", "hello")
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<!doctype html><title>hostile</title>")
	}))
	defer hostile.Close()
	dir := harness.Dir(t)
	os.Chmod(dir, 0o777)
	marker := filepath.Join(dir, "kill")
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			if _, err := os.Stat(marker); err == nil {
				s.Signal(syscall.SIGKILL)
				if err := s.Launch(); err != nil {
					t.Error(err)
				}
				return
			}
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	var got struct {
		ID, Red, Socket string
		Full            bool
		Violations      []string
		Ran             struct {
			Disabled, Asked, SameID bool
			Hiding                  string
			Command                 *string
		}
	}
	unasked, ran := filepath.Join(dir, "unasked"), filepath.Join(dir, "ran")
	harness.Browser(t, "terminal.mjs", map[string]string{
		"url": s.URL, "username": "admin", "password": harness.Password, "workspace": "hello", "workspaceID": w.ID,
		"hostile": hostile.URL, "marker": marker, "unasked": unasked, "ran": ran, "shot": os.Getenv("BERTH_SHOT"),
	}, &got)
	if got.Red != "rgb(255, 0, 0)" {
		t.Errorf("what is to be red has colour %q", got.Red)
	}
	if got.Full {
		t.Error("the alternate screen shows what is on the usual one")
	}
	if got.Socket != "refused" {
		t.Errorf("a page of another origin opens the terminal: %s", got.Socket)
	}
	if _, err := os.Stat(unasked); err == nil || !got.Ran.Asked || !got.Ran.Disabled {
		t.Errorf("the command of a link runs before anybody said so (%v): %+v", err, got.Ran)
	}
	if got.Ran.Hiding != `echo \u{202e}b\u{200b}` {
		t.Errorf("the page shows a command that hides something as %q", got.Ran.Hiding)
	}
	if got.Ran.Command != nil || got.Ran.SameID {
		t.Errorf("after a command the address still has it, or the id that a stranger chose: %+v", got.Ran)
	}
	if lines, _ := os.ReadFile(ran); string(lines) != "x\n" {
		t.Errorf("a command that was run once, and its page loaded again, ran as often as there are lines in %q", lines)
	}
	if len(got.Violations) > 0 {
		t.Errorf("the page breaks its policy: %q", got.Violations)
	}
}
