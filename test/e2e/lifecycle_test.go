package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/berthdev/berth/test/harness"
)

// acts are the reasons of what Berth did by itself to a workspace, the newest
// first, as the record has them.
func acts(s *harness.Server, target string) (list []string) {
	var rows []struct{ Action, Reason string }
	s.JSON(&rows, "audit", "list", "class:automatic", "target:"+target)
	for _, r := range rows {
		list = append(list, r.Action+": "+r.Reason)
	}
	return list
}

// becomes waits until a workspace has a status by a build of a reason.
func becomes(t *testing.T, s *harness.Server, name, status, reason string) {
	t.Helper()
	harness.Eventually(t, 4*time.Minute, func() string {
		if w := look(s, name); w.Status != status || w.Build.Reason != reason {
			return fmt.Sprintf("%s is %s by %s, not %s by %s", name, w.Status, w.Build.Reason, status, reason)
		}
		return ""
	})
}

// A workspace stops by its time to live and starts by its schedule; each says
// why.
func TestStopsAndStartsByItself(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "brief", "-d", starter("process"))
	s.Berth("templates", "edit", "brief", "--default-ttl", "1m", "--activity-bump", "0s", "-y")
	s.Berth("create", "web", "-t", "brief", "-y")
	began := time.Now()
	s.Berth("ssh", "web", "--", "echo kept > note; echo used") // use does not move it
	becomes(t, s, "web", "stopped", "autostop")
	if took := time.Since(began); took < 50*time.Second {
		t.Errorf("it was stopped %v after its start", took)
	}
	if got := acts(s, "admin/web"); len(got) != 1 || !strings.HasPrefix(got[0], "stop: ") || !strings.Contains(got[0], "time to live") {
		t.Errorf("why it stopped: %q", got)
	}
	s.Berth("schedule", "start", "web", time.Now().Add(80*time.Second).UTC().Format("15:04"), "UTC")
	becomes(t, s, "web", "running", "autostart")
	if got := acts(s, "admin/web"); !strings.HasPrefix(got[0], "start: Its schedule starts it") {
		t.Errorf("why it started: %q", got)
	}
	if got := s.Berth("ssh", "web", "--", "cat note"); got != "kept\n" {
		t.Errorf("the home: %q", got)
	}
}

// The workspaces of a suspended user stop, and nobody starts them until that is
// lifted.
func TestSuspendedOwnersWorkspaceStops(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{Args: []string{"--allow-host-processes"}})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	mel := s.Person("mel")
	mel.Berth("create", "box", "-t", "process", "-y")
	s.Berth("users", "suspend", "mel")
	becomes(t, s, "mel/box", "stopped", "suspended")
	s.Fails([]string{"suspended"}, "start", "mel/box")
	s.Berth("users", "activate", "mel")
	s.Berth("start", "mel/box")
}

// A workspace that nobody used sleeps; its owner is told when it is deleted,
// a day at least before that happens; and who wakes it keeps it.
func TestForgottenWorkspaces(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Template("t", careless(`"home"`))
	for _, name := range []string{"kept", "lost"} {
		s.Berth("create", name, "-t", "t", "-y")
	}
	home := homeOf(t, s, "lost")
	s.Berth("stop", "kept")
	s.Berth("templates", "edit", "t", "--dormancy-threshold", "1h", "--dormancy-auto-deletion", "24h", "-y")
	// The server is away while time passes, as its database sees it.
	pass := func(d time.Duration) {
		t.Helper()
		s.Signal(syscall.SIGTERM)
		db, err := sql.Open("sqlite", filepath.Join(s.Data, "db", "berth.db"))
		if err != nil {
			t.Fatal(err)
		}
		for table, columns := range map[string]string{
			"workspaces": "created_at last_used_at dormant_at deleting_at noticed_at next_look",
			"builds":     "created_at started_at completed_at",
			"activity":   "since at",
			"templates":  "tightened_at",
			"users":      "created_at updated_at",
		} {
			for _, c := range strings.Fields(columns) {
				if _, err := db.Exec(fmt.Sprintf(`UPDATE %s SET %s = %s - %d WHERE %s IS NOT NULL`, table, c, c, d.Microseconds(), c)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		s.Run()
	}
	type shown struct {
		Status     string
		DormantAt  *time.Time `json:"dormant_at"`
		DeletingAt *time.Time `json:"deleting_at"`
	}
	dormant := func(name string) {
		t.Helper()
		harness.Eventually(t, 2*time.Minute, func() string {
			var w shown
			if s.JSON(&w, "show", name); w.Status != "stopped" || w.DormantAt == nil || w.DeletingAt == nil || time.Until(*w.DeletingAt) < 23*time.Hour {
				return fmt.Sprintf("%s: %+v", name, w)
			}
			return ""
		})
	}
	pass(2 * time.Hour)
	dormant("kept")
	dormant("lost")
	s.Fails([]string{"dormant", "berth dormancy wake"}, "start", "kept")
	s.Berth("dormancy", "wake", "kept")
	s.Berth("start", "kept")
	if _, err := os.Stat(home); err != nil {
		t.Fatalf("the home of what is dormant: %v", err)
	}

	pass(25 * time.Hour)
	harness.Eventually(t, 2*time.Minute, func() string {
		if _, err := os.Stat(home); !os.IsNotExist(err) {
			return fmt.Sprintf("the home of what was to be deleted: %v", err)
		}
		return ""
	})
	harness.Eventually(t, time.Minute, func() string {
		if _, _, code := s.Try("show", "lost"); code != 4 {
			return fmt.Sprintf("show of what was deleted: exit %d", code)
		}
		return ""
	})
	dormant("kept") // nobody used it since
}
