package cli

import (
	"net/url"
	"runtime"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// editor is a program that opens folders of other machines over plain SSH.
type editor struct {
	name     string // as a command of berth open
	title    string
	programs []string // of its command line, the first that is on the PATH
	reason   berth.Reason
	link     func(p place) string   // for the desktop
	args     func(p place) []string // for the program; nil: it has none
}

// place is what an editor opens.
type place struct {
	host    string // as OpenSSH's configuration knows it
	folder  string // absolute, empty: the editor asks
	ide     string // JetBrains' code of the product
	gateway bool   // JetBrains' Gateway instead of its Toolbox
}

// editors are those that berth open knows.
var editors = []editor{
	ofVSCode("vscode", "Visual Studio Code", "vscode", "code"),
	ofVSCode("vscode-insiders", "Visual Studio Code Insiders", "vscode-insiders", "code-insiders"),
	ofVSCode("vscodium", "VSCodium", "vscodium", "codium"),
	ofVSCode("cursor", "Cursor", "cursor", "cursor"),
	ofVSCode("windsurf", "Windsurf", "windsurf", "windsurf"),
	{name: "zed", title: "Zed", programs: []string{"zed", "zeditor", "zedit"}, reason: berth.ReasonSSH,
		link: func(p place) string { return "zed://ssh/" + p.host + escapePath(p.folder) },
		args: func(p place) []string { return []string{"ssh://" + p.host + escapePath(p.folder)} },
	},
	{name: "jetbrains", title: "a JetBrains IDE", reason: berth.ReasonJetBrains, link: jetbrainsLink},
}

// ofVSCode is an editor made from Visual Studio Code.
func ofVSCode(name, title, scheme, program string) editor {
	return editor{name: name, title: title, programs: []string{program}, reason: berth.ReasonVSCode,
		link: func(p place) string { return scheme + "://vscode-remote/ssh-remote+" + p.host + escapePath(p.folder) },
		args: func(p place) []string {
			if p.folder == "" {
				return []string{"--remote", "ssh-remote+" + p.host}
			}
			return []string{"--folder-uri", "vscode-remote://ssh-remote+" + p.host + escapePath(p.folder)}
		},
	}
}

// jetbrainsLink is for the Toolbox, which takes user and port from OpenSSH's
// configuration, or for the older Gateway, which wants them said. Our server
// takes any user.
func jetbrainsLink(p place) string {
	if p.gateway {
		q := url.Values{"type": {"ssh"}, "host": {p.host}, "port": {"22"}, "user": {"berth"}, "deploy": {"true"}, "productCode": {p.ide}}
		if p.folder != "" {
			q.Set("projectPath", p.folder)
		}
		return "jetbrains-gateway://connect#" + query(q)
	}
	q := url.Values{"h": {p.host}, "launchIde": {"true"}, "ideHint": {p.ide}}
	if p.folder != "" {
		q.Set("projectHint", p.folder)
	}
	return "jetbrains://gateway/ssh/environment?" + query(q)
}

// query is q with spaces as %20: what takes these links is no web server.
func query(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// launch is the command that opens a place: the editor's own program where it
// is on the PATH, else the desktop's for links.
func (e editor) launch(p place, system string, find func(string) (string, error)) ([]string, bool) {
	for _, name := range e.programs {
		if program, err := find(name); err == nil {
			return append([]string{program}, e.args(p)...), true
		}
	}
	for _, opener := range openers[system] {
		if program, err := find(opener[0]); err == nil {
			return append(append([]string{program}, opener[1:]...), e.link(p)), true
		}
	}
	return nil, false
}

// openers are the desktops' programs for links.
var openers = map[string][][]string{
	"linux":   {{"xdg-open"}, {"gio", "open"}, {"wslview"}},
	"darwin":  {{"open"}},
	"windows": {{"rundll32", "url.dll,FileProtocolHandler"}},
}

func thisSystem() string { return runtime.GOOS }

func editorNamed(name string) editor {
	return editors[slices.IndexFunc(editors, func(e editor) bool { return e.name == name })]
}
