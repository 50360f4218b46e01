package shell

import (
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestClientOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"", "", ""},
		{"", "make test", ""},
		{"ssh", "bash ~/.vscode-server/x", ""},
		{"VSCode", "", "vscode"},
		{"jetbrains", "make", "jetbrains"},
		{"a b", "", ""},
		{strings.Repeat("a", 33), "", ""},
		{"", `export VSCODE_AGENT_FOLDER="$HOME/.vscode-server"`, "vscode"},
		{"", "ls ~/.vscode-server-insiders/bin", "vscode"},
		{"", "sh -c 'DIR=~/.cursor-server; VSCODE_AGENT_FOLDER=$DIR'", "cursor"},
		{"", "$HOME/.windsurf-server/bin/x/bin/windsurf-server", "windsurf"},
		{"", "~/.vscodium-server/bin/x/codium-server", "vscodium"},
		{"", ".zed_server/zed-remote-server-stable-0.150.0 proxy", "zed"},
		{"", "/home/a/.cache/JetBrains/RemoteDev/dist/x_ideaIU/bin/remote-dev-server.sh run /p", "jetbrains"},
	} {
		if got := clientOf(c.name, c.text); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.name, c.text, got, c.want)
		}
	}
	for _, m := range marks {
		if len(m.text) > longestMark {
			t.Errorf("the mark %s is too long to be found across reads", m.text)
		}
	}
}

func TestBareShell(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{"": true, "sh": true, " bash -s": true, "/bin/sh": true, "make": false, "bash2": false} {
		if got := bareShell(command); got != want {
			t.Errorf("%q: %v", command, got)
		}
	}
}

// A mark is found however a script is cut into reads, and only near its
// beginning; the script passes unchanged.
func TestScriptIsKnown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.IntRange(0, maxScript+100).Draw(t, "before")
		text := strings.Repeat("x", before) + "cd .cursor-server" + strings.Repeat("y", rapid.IntRange(0, 50).Draw(t, "after"))
		var r io.Reader = strings.NewReader(text)
		step := rapid.IntRange(1, 2000).Draw(t, "step")
		found := ""
		s := &script{Reader: r, found: func(c string) { found += c }}
		var got strings.Builder
		p := make([]byte, step)
		for {
			n, err := s.Read(p)
			got.Write(p[:n])
			if err != nil {
				break
			}
		}
		if got.String() != text {
			t.Fatal("the script changed on its way")
		}
		if near := before+len("cd .cursor-server") <= maxScript; near && found != "cursor" || before > maxScript+len(p) && found != "" {
			t.Fatalf("after %d bytes: found %q", before, found)
		}
	})
	s := &script{Reader: iotest.ErrReader(io.ErrUnexpectedEOF), found: func(string) {}}
	if _, err := s.Read(make([]byte, 1)); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
}

// opens notes which streams were opened, and for whom.
type opens struct {
	NoEvidence
	mu   sync.Mutex
	seen []Opened
}

func (o *opens) Open(s Opened) Use {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, s)
	return o.NoEvidence.Open(s)
}

func (o *opens) has(s Opened) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.seen {
		if one == s {
			return true
		}
	}
	return false
}

// What an editor runs makes its connection known, forwards of it too.
func TestEditorIsKnown(t *testing.T) {
	t.Parallel()
	seen := &opens{}
	p := newPlace(t, func(o *Options) { o.Evidence = seen })
	client := p.client()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	s.Stdin = strings.NewReader("export VSCODE_AGENT_FOLDER=$HOME/.vscode-server\necho in\n")
	if out, err := s.Output("bash"); string(out) != "in\n" || err != nil {
		t.Fatalf("%q %v", out, err)
	}
	target := echo(t, "tcp", "127.0.0.1:0")
	conn, err := client.Dial("tcp", target.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for _, want := range []Opened{{KindCommand, ""}, {KindCommand, "vscode"}, {KindForward, "vscode"}} {
		eventually(t, string(want.Kind)+" of "+want.Client, func() bool { return seen.has(want) })
	}
	p.out(p.ssh("-o", "SetEnv=CODER_SSH_SESSION_TYPE=JetBrains", "ws", "test -z \"$CODER_SSH_SESSION_TYPE\""))
	if !seen.has(Opened{KindCommand, "jetbrains"}) {
		t.Errorf("%v", seen.seen)
	}
}
