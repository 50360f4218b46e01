package cli

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEditorLinks(t *testing.T) {
	t.Parallel()
	folder := place{host: "ana--web.main.berth", folder: "/srv/my app#1", ide: "GO"}
	none := place{host: "web.berth", ide: "IU"}
	gateway := place{host: "web.berth", folder: "/srv/a b", ide: "IU", gateway: true}
	for _, c := range []struct {
		editor string
		place  place
		link   string
		args   []string
	}{
		{"vscode", folder, "vscode://vscode-remote/ssh-remote+ana--web.main.berth/srv/my%20app%231", []string{"--folder-uri", "vscode-remote://ssh-remote+ana--web.main.berth/srv/my%20app%231"}},
		{"vscode", none, "vscode://vscode-remote/ssh-remote+web.berth", []string{"--remote", "ssh-remote+web.berth"}},
		{"cursor", none, "cursor://vscode-remote/ssh-remote+web.berth", []string{"--remote", "ssh-remote+web.berth"}},
		{"windsurf", folder, "windsurf://vscode-remote/ssh-remote+ana--web.main.berth/srv/my%20app%231", []string{"--folder-uri", "vscode-remote://ssh-remote+ana--web.main.berth/srv/my%20app%231"}},
		{"zed", folder, "zed://ssh/ana--web.main.berth/srv/my%20app%231", []string{"ssh://ana--web.main.berth/srv/my%20app%231"}},
		{"jetbrains", folder, "jetbrains://gateway/ssh/environment?h=ana--web.main.berth&ideHint=GO&launchIde=true&projectHint=%2Fsrv%2Fmy%20app%231", nil},
		{"jetbrains", none, "jetbrains://gateway/ssh/environment?h=web.berth&ideHint=IU&launchIde=true", nil},
		{"jetbrains", gateway, "jetbrains-gateway://connect#deploy=true&host=web.berth&port=22&productCode=IU&projectPath=%2Fsrv%2Fa%20b&type=ssh&user=berth", nil},
	} {
		e := editorNamed(c.editor)
		if got := e.link(c.place); got != c.link {
			t.Errorf("%s: %s, want %s", c.editor, got, c.link)
		}
		if e.args == nil {
			continue
		}
		if got := e.args(c.place); !slices.Equal(got, c.args) {
			t.Errorf("%s: %q, want %q", c.editor, got, c.args)
		}
	}
}

func TestEditorLaunch(t *testing.T) {
	t.Parallel()
	p := place{host: "web.berth", ide: "IU"}
	for _, c := range []struct {
		editor, system, path string
		want                 []string
	}{
		{"vscode", "linux", "code xdg-open", []string{"/bin/code", "--remote", "ssh-remote+web.berth"}},
		{"vscode", "linux", "xdg-open gio", []string{"/bin/xdg-open", "vscode://vscode-remote/ssh-remote+web.berth"}},
		{"zed", "linux", "zeditor", []string{"/bin/zeditor", "ssh://web.berth"}},
		{"zed", "darwin", "open", []string{"/bin/open", "zed://ssh/web.berth"}},
		{"jetbrains", "linux", "gio", []string{"/bin/gio", "open", "jetbrains://gateway/ssh/environment?h=web.berth&ideHint=IU&launchIde=true"}},
		{"cursor", "windows", "rundll32", []string{"/bin/rundll32", "url.dll,FileProtocolHandler", "cursor://vscode-remote/ssh-remote+web.berth"}},
		{"cursor", "linux", "", nil},
		{"cursor", "plan9", "xdg-open", nil},
	} {
		got, ok := editorNamed(c.editor).launch(p, c.system, func(name string) (string, error) {
			if slices.Contains(strings.Fields(c.path), name) {
				return "/bin/" + name, nil
			}
			return "", errors.New("not there")
		})
		if ok != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// programs puts scripts into a folder that note how they were called.
func programs(t *testing.T, names ...string) (dir string, calls func() string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		script := fmt.Sprintf("#!/bin/sh\necho %s \"$@\" >>%s/calls\n", name, dir)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func() string {
		b, _ := os.ReadFile(filepath.Join(dir, "calls"))
		os.Remove(filepath.Join(dir, "calls"))
		return string(b)
	}
}

// The whole way: OpenSSH is set up when the person agrees, the workspace is
// started, the folder is one that is there, and the editor gets it.
func TestOpen(t *testing.T) {
	f := newFake(t)
	b, _ := building("start", "succeeded", "")
	f.serveStopped(t, func(w http.ResponseWriter) bool { respond(w, b); return true })
	dir, calls := programs(t, "code", "xdg-open")
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	config := filepath.Join(t.TempDir(), "config")
	open := func(args ...string) (string, string, int) {
		t.Helper()
		return f.run(t, append([]string{"open"}, append(args, "--ssh-config-file", config)...)...)
	}
	if out, errs, code := open("vscode", "bo/web", "--link"); code != 0 || out != "vscode://vscode-remote/ssh-remote+bo--web.berth\n" {
		t.Errorf("--link of a stopped one: exit %d %q %q", code, out, errs)
	}
	if _, errs, code := open("vscode", "bo/web"); code != 2 || !strings.Contains(errs, "-y") || calls() != "" {
		t.Errorf("unasked: exit %d %q", code, errs)
	}
	out, errs, code := open("vscode", "bo/web", "/tmp/", "-y")
	if code != 0 || !strings.Contains(errs, "bo/web is stopped; starting it") {
		t.Fatalf("exit %d %q %q", code, out, errs)
	}
	if got := calls(); got != "code --folder-uri vscode-remote://ssh-remote+bo--web.berth/tmp\n" {
		t.Errorf("called %q", got)
	}
	asked := `POST /workspaces/` + web().ID + `/builds {"transition":"start","reason":"vscode_connection"}`
	if !slices.Contains(f.requests(), asked) {
		t.Errorf("asked %q", f.requests())
	}
	if written, _ := os.ReadFile(config); !strings.Contains(string(written), "Host *.berth") {
		t.Errorf("the configuration is %q", written)
	}

	if out, errs, code := open("jetbrains", "web.main", "/", "--ide", "PY"); code != 0 {
		t.Fatalf("exit %d %q %q", code, out, errs)
	}
	if got := calls(); got != "xdg-open jetbrains://gateway/ssh/environment?h=web.main.berth&ideHint=PY&launchIde=true&projectHint=%2F\n" {
		t.Errorf("called %q", got)
	}
	if _, errs, code := open("vscode", "web", "no/such/folder"); code != 4 || !strings.Contains(errs, "web has no folder no/such/folder") {
		t.Errorf("a folder that is not there: exit %d %q", code, errs)
	}
	if _, errs, code := open("vscode", "web", "~"); code != 0 || !strings.Contains(calls(), "ssh-remote+web.berth/") {
		t.Errorf("home: exit %d %q", code, errs)
	}
	if _, errs, code := open("vscode", "web", "src", "--link"); code != 2 || !strings.Contains(errs, "absolute") {
		t.Errorf("--link with a relative folder: exit %d %q", code, errs)
	}
	t.Setenv("PATH", t.TempDir())
	if _, errs, code := open("cursor", "web", "/srv"); code != 8 || !strings.Contains(errs, "cursor://vscode-remote/ssh-remote+web.berth/srv") {
		t.Errorf("without programs: exit %d %q", code, errs)
	}
}
