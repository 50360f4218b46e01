package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/berthdev/berth/test/harness"
)

// careless is a template whose home is replaced when NAME changes: the mistake
// that the persistence rule is there for.
func careless(name string) map[string]string {
	return map[string]string{"main.tf": `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_parameter" "disk" {
  name    = "disk"
  default = "a"
  mutable = true
}
resource "berth_directory" "home" {
  name = ` + name + `
}
resource "terraform_data" "computer" {
  count            = data.coder_workspace.me.start_count
  triggers_replace = [data.coder_workspace.me.name, data.coder_parameter.disk.value]
}
output "home" {
  value = berth_directory.home.path
}
`}
}

func TestNothingPersistentIsDestroyed(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	for _, c := range []struct {
		what   string
		name   string // expression of the home's name
		before func(*harness.Server)
		args   []string // of the start that would destroy
	}{
		{"rename", `"home-${data.coder_workspace.me.name}"`, func(s *harness.Server) { s.Berth("rename", "w", "v") }, []string{"start", "v"}},
		{"update", `"home"`, func(s *harness.Server) { s.Template("t", careless(`"data"`)) }, []string{"update", "w"}},
		{"dropped by an update", `"home"`, func(s *harness.Server) {
			files := careless(`"home"`)
			files["main.tf"] = strings.Split(files["main.tf"], `resource "berth_directory"`)[0]
			s.Template("t", files)
		}, []string{"update", "w"}},
		{"changed owner's e-mail", `"home-${replace(data.coder_workspace_owner.me.email, "@", ".")}"`, moveAdmin, []string{"start", "w"}},
		{"changed parameter", `"home-${data.coder_parameter.disk.value}"`, func(*harness.Server) {}, []string{"start", "w", "--parameter", "disk=b"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, harness.Options{})
			s.Template("t", careless(c.name))
			s.Berth("create", "w", "-t", "t", "-y")
			home := homeOf(t, s, "w")
			if err := os.WriteFile(home+"/thesis", []byte("four years"), 0o644); err != nil {
				t.Fatal(err)
			}
			s.Berth("stop", "w", "-y")
			c.before(s)

			s.Fails([]string{"berth_directory.home", "--allow-destroy"}, c.args...)
			if b, err := os.ReadFile(home + "/thesis"); err != nil || string(b) != "four years" {
				t.Fatalf("the refused build touched the home: %v", err)
			}
			ws := c.args[1]
			var w struct {
				Build struct {
					Refused []struct {
						Address, Action string
						Because         []string
					}
				}
			}
			s.JSON(&w, "show", ws)
			if len(w.Build.Refused) != 1 || w.Build.Refused[0].Address != "berth_directory.home" {
				t.Errorf("the build refused %+v", w.Build.Refused)
			} else if r := w.Build.Refused[0]; r.Action == "replace" && (len(r.Because) != 1 || r.Because[0] != "name") {
				t.Errorf("what forces the replacement: %+v", r)
			}

			// A person who gives it up in so many words may have it.
			s.Berth(append(c.args, "--allow-destroy", "berth_directory.home")...)
			if _, err := os.Stat(home + "/thesis"); !os.IsNotExist(err) {
				t.Errorf("with --allow-destroy the home is still there: %v", err)
			}
			s.Berth("delete", ws, "-y")
		})
	}
}

// moveAdmin gives the first user another e-mail address, for which there is no
// call yet.
func moveAdmin(s *harness.Server) {
	s.Signal(syscall.SIGTERM)
	db, err := sql.Open("sqlite", filepath.Join(s.Data, "db", "berth.db"))
	if err == nil {
		_, err = db.Exec(`UPDATE users SET email = 'moved@example.com' WHERE username = 'admin'`)
		db.Close()
	}
	if err != nil {
		panic(err)
	}
	s.Run()
}

// homeOf reads the path of berth_directory.home from the state.
func homeOf(t *testing.T, s *harness.Server, ws string) string {
	t.Helper()
	var state struct {
		Outputs struct{ Home struct{ Value string } }
	}
	out := s.Berth("state", "pull", ws)
	if err := jsonDecode(out, &state); err != nil || state.Outputs.Home.Value == "" {
		t.Fatalf("state pull: %v\n%s", err, out)
	}
	return state.Outputs.Home.Value
}

func TestStatePullPushVersions(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Template("t", careless(`"home"`))
	s.Berth("create", "w", "-t", "t", "-y")
	before := s.Berth("state", "pull", "w")
	var state struct {
		Serial  int
		Lineage string
	}
	if err := jsonDecode(before, &state); err != nil {
		t.Fatal(err)
	}

	next := strings.Replace(before, fmt.Sprintf(`"serial": %d`, state.Serial), fmt.Sprintf(`"serial": %d`, state.Serial+1), 1)
	file := harness.Files(t, map[string]string{"next": next, "old": before, "foreign": strings.Replace(next, state.Lineage, "another", 1), "junk": "{"})
	for _, bad := range []string{"old", "foreign", "junk"} {
		s.Fails(nil, "state", "push", "w", file+"/"+bad)
	}
	s.Berth("state", "push", "w", file+"/next")
	if got := s.Berth("state", "pull", "w"); got != next {
		t.Errorf("pulled after push:\n%s", got)
	}
	var versions []struct {
		Serial    int
		Current   bool
		CreatedBy string `json:"created_by"`
	}
	s.JSON(&versions, "state", "versions", "w")
	if len(versions) < 2 || !versions[0].Current || versions[0].Serial != state.Serial+1 || versions[0].CreatedBy != "admin" || versions[1].Current {
		t.Errorf("versions: %+v", versions)
	}
	s.Berth("delete", "w", "-y")
}
