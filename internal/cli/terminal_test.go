package cli

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/berthdev/berth/api"
)

// screen is a terminal with a person in front of it.
type screen struct {
	person *os.File
	tty    *os.File
	mu     sync.Mutex
	shown  bytes.Buffer
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	person, tty, err := pty.Open()
	if err != nil {
		t.Skipf("SKIPPED: no terminals here: %v", err)
	}
	pty.Setsize(tty, &pty.Winsize{Rows: 30, Cols: 100})
	s := &screen{person: person, tty: tty}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := person.Read(buf)
			s.mu.Lock()
			s.shown.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { person.Close(); tty.Close() })
	return s
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// answer waits until the screen shows a question and types.
func (s *screen) answer(t *testing.T, question, keys string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(clean(s.text()), question) {
			time.Sleep(50 * time.Millisecond)
			io.WriteString(s.person, keys)
			return
		}
	}
	t.Fatalf("the question %q did not come; the screen shows %q", question, clean(s.text()))
}

// start runs the command line on the screen; the channel gives its exit code.
func (f *fake) start(t *testing.T, s *screen, args ...string) <-chan int {
	t.Helper()
	code := make(chan int, 1)
	go func() {
		code <- Main(t.Context(), append([]string{"--config-dir", f.dir}, args...), s.tty, s.tty, s.tty)
	}()
	return code
}

func wants(t *testing.T, s *screen, code <-chan int, want int) {
	t.Helper()
	select {
	case got := <-code:
		if got != want {
			t.Errorf("exit %d, want %d; the screen shows %q", got, want, clean(s.text()))
		}
	case <-time.After(time.Minute):
		t.Fatalf("it did not end; the screen shows %q", clean(s.text()))
	}
}

func TestDeleteAsks(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]int{"y": 0, "n": 1, "\x03": 130} {
		f, s := newFake(t), newScreen(t)
		f.serveWeb("delete", "succeeded", "")
		code := f.start(t, s, "delete", "web")
		s.answer(t, "Delete web?", key)
		wants(t, s, code, want)
		deleted := strings.Contains(strings.Join(f.requests(), "\n"), `"transition":"delete"`)
		if deleted != (want == 0) {
			t.Errorf("%q: deleted: %v", key, deleted)
		}
	}
}

func TestCreateAsksForWhatIsMissing(t *testing.T) {
	t.Parallel()
	f, s := newFake(t), newScreen(t)
	b, ended := building("start", "succeeded", "")
	w := web()
	w.Build = b
	f.answer("GET /templates", api.Page[api.Template]{Items: []api.Template{{Name: "docker", ActiveVersion: "v1"}}})
	f.answer("GET /organizations/default/templates/docker/versions/active", api.TemplateVersion{Template: "docker", Name: "v1"})
	f.answer("GET /organizations/default/templates/docker/last-parameters", api.LastParameters{Parameters: map[string]string{"repo": "git@x:"}})
	f.serveForm()
	f.answer("POST /workspaces", w)
	f.events("GET /builds/"+b.ID+"/events", "build", ended)
	code := f.start(t, s, "create", "web")
	s.answer(t, "Repository", "y\r") // what was answered last is there already
	s.answer(t, "Large", "\x1b[B\r")
	wants(t, s, code, 0)
	if asked := strings.Join(f.requests(), "\n"); !strings.Contains(asked, `"parameters":{"repo":"git@x:y","size":"l"}`) {
		t.Error(asked)
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	f, s := newFake(t), newScreen(t)
	f.answer("GET /version", api.Version{})
	f.answer("POST /login", api.LoggedIn{Token: "t", User: api.User{Username: "ana"}})
	code := f.start(t, s, "login", f.URL, "--username", "ana")
	s.answer(t, "Password:", "hunter2 hunter2\r")
	wants(t, s, code, 0)
	if strings.Contains(s.text(), "hunter2") {
		t.Error("the password is on the screen")
	}
	if asked := strings.Join(f.requests(), "\n"); !strings.Contains(asked, `"password":"hunter2 hunter2"`) {
		t.Error(asked)
	}
}

// On a terminal the shell gets one too, of its size, and ours is put back.
func TestSSHTerminal(t *testing.T) {
	t.Parallel()
	f, s := newFake(t), newScreen(t)
	f.serveSSH(t)
	code := f.start(t, s, "ssh", "web")
	io.WriteString(s.person, "stty size; echo is-$((1+1))-there\r")
	s.answer(t, "is-2-there", "exit 5\r")
	wants(t, s, code, 5)
	if !strings.Contains(s.text(), "30 100") {
		t.Errorf("the size of the terminal: %q", s.text())
	}
}
