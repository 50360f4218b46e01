package agent

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/terminal"
)

// What the server announces is read by who is in the workspace, by SSH and in the
// browser, and by no program. Here an editor has the screen of the SSH session.
func TestAnnouncement(t *testing.T) {
	t.Parallel()
	a, _ := startAgent(t, newFake(berth.AgentSpec{Name: "main"}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go a.sessions.Serve(listener)
	ours, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, channels, requests, err := ssh.NewClientConn(ours, "workspace", &ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	client := ssh.NewClient(conn, channels, requests)
	defer client.Close()
	begin := func(pty bool) (shown *syncBuffer, in io.Writer) {
		t.Helper()
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if pty {
			if err := s.RequestPty("xterm-256color", 24, 80, nil); err != nil {
				t.Fatal(err)
			}
		}
		shown = &syncBuffer{}
		s.Stdout = shown
		if in, err = s.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(`printf '\033[?1049hready'; read x; printf '\033[?1049lgot=%s=' "$x"; read x`); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the session", func() bool { return strings.Contains(shown.String(), "ready") })
		return shown, in
	}
	editor, keys := begin(true)
	data, pipe := begin(false)
	viewer, err := a.terminals.Attach(string(berth.NewID[berth.Agent]()), "echo here; read x", terminal.Size{Columns: 80, Rows: 24})
	if err != nil {
		t.Fatal(err)
	}
	defer viewer.Close()
	browser := &syncBuffer{}
	go func() {
		for {
			e, err := viewer.Next(t.Context())
			if err != nil {
				return
			}
			browser.Write(e.Output)
		}
	}()
	eventually(t, "the terminal", func() bool { return strings.Contains(browser.String(), "here") })

	post := func(body string) int {
		w := httptest.NewRecorder()
		a.offers().HTTP.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/announcement", strings.NewReader(body)))
		return w.Code
	}
	for _, bad := range []string{"", "{", "{}", `{"text":" \n\t"}`, `{"text":"` + strings.Repeat("x", maxAnnouncement) + `"}`} {
		if code := post(bad); code != http.StatusBadRequest {
			t.Errorf("%.20q is answered with %d", bad, code)
		}
	}
	if code := post(`{"text":"Stops at \u001b[31m18:00\n."}`); code != http.StatusNoContent {
		t.Errorf("answered with %d", code)
	}
	const line = "Stops at [31m18:00 ."
	eventually(t, "the last row of the editor", func() bool { return strings.Contains(editor.String(), "\x1b[0;7m"+line+"\x1b[K\x1b8") })
	eventually(t, "the line in the browser", func() bool { return strings.Contains(browser.String(), "\r\n"+line+"\r\n") })
	io.WriteString(keys, "k\n")
	io.WriteString(pipe, "p\n")
	eventually(t, "the line behind the editor", func() bool { return strings.Contains(editor.String(), "\r\n"+line+"\r\n") })
	eventually(t, "what was typed", func() bool {
		return strings.Contains(editor.String(), "got=k=") && strings.Contains(data.String(), "got=p=")
	})
	if strings.Contains(data.String(), "Stops") {
		t.Errorf("a program read it: %q", data.String())
	}
}
