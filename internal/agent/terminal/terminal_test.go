package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		// Safety: terminals that ended leave nothing that runs.
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// bash starts shells whose prompt is "$ ".
func bash(command string) (*exec.Cmd, string, error) {
	args := []string{"--norc", "--noprofile"}
	if command != "" {
		args = append(args, "-c", command)
	}
	cmd := exec.Command("bash", args...)
	cmd.Env = append(os.Environ(), "PS1=$ ", "TERM=xterm-256color", "HISTFILE=/dev/null")
	return cmd, "", nil
}

func newTerminals(t *testing.T, change ...func(*Options)) *Terminals {
	t.Helper()
	o := Options{Start: bash}
	for _, f := range change {
		f(&o)
	}
	s := New(o)
	t.Cleanup(s.Close)
	return s
}

// page is a viewer that takes all it is shown.
type page struct {
	t *testing.T
	*Viewer
	seen strings.Builder
	size Size
	end  *End
}

func attach(t *testing.T, s *Terminals, id, command string, size Size) *page {
	t.Helper()
	v, err := s.Attach(id, command, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return &page{t: t, Viewer: v}
}

// until takes what is shown until ok, a minute at most.
func (p *page) until(what string, ok func() bool) {
	p.t.Helper()
	late := time.AfterFunc(time.Minute, p.Close)
	defer late.Stop()
	for !ok() {
		e, err := p.Next(p.t.Context())
		if err != nil {
			p.t.Fatalf("waited in vain for %s: %v; it shows %q", what, err, p.seen.String())
		}
		p.seen.Write(e.Output)
		if e.Size != nil {
			p.size = *e.Size
		}
		if e.End != nil {
			p.end = e.End
		}
	}
}

func (p *page) sees(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%q", text), func() bool { return strings.Contains(p.seen.String(), text) })
}

func (p *page) types(text string) {
	p.t.Helper()
	if err := p.Type([]byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

var usual = Size{80, 24}

func TestATerminalOutlivesItsViewers(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	a := attach(t, s, "1", "", usual)
	a.types("x=kept; echo one-$((1+1))\n")
	a.sees("one-2")
	a.Close()
	b := attach(t, s, "1", "", usual)
	b.sees("one-2")
	if !strings.HasPrefix(b.seen.String(), "\x1bc") {
		t.Errorf("a replay that begins with %q", b.seen.String()[:10])
	}
	b.types("echo it is $x\n")
	b.sees("it is kept")
	b.types("exit 7\n")
	b.until("the end", func() bool { return b.end != nil })
	if *b.end != (End{Code: 7}) {
		t.Errorf("ended with %+v", b.end)
	}
	eventually(t, "the end of the terminal", func() bool { return s.Count() == 0 })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestViewersShareATerminal(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	a := attach(t, s, "1", "", Size{100, 30})
	a.sees("$ ")
	b := attach(t, s, "1", "", Size{70, 20})
	a.until("the size of the last who came", func() bool { return a.size == Size{70, 20} })
	a.types("stty size\n")
	a.sees("30 100")
	b.sees("30 100")
	b.until("the size of the last who typed", func() bool { return b.size == Size{100, 30} })
	b.types("exit\n")
	a.until("the end", func() bool { return a.end != nil })
	b.until("the end", func() bool { return b.end != nil })
}

// One asks, one answers: a question reaches the active viewer alone, and no
// replay.
func TestQuestionsAreAnsweredOnce(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	a := attach(t, s, "1", "", usual)
	a.sees("$ ")
	b := attach(t, s, "1", "", usual)
	a.types(`printf '\033[6n\033]11;?\007\033P$qm\033\\asked\n'` + "\n")
	a.sees("asked\r\n")
	b.sees("asked\r\n")
	c := attach(t, s, "1", "", usual)
	c.sees("asked\r\n")
	for name, p := range map[string]*page{"active": a, "other": b, "new": c} {
		if got := strings.Contains(p.seen.String(), "\x1b[6n"); got != (name == "active") {
			t.Errorf("the %s viewer was asked: %v: %q", name, got, p.seen.String())
		}
	}
}

func TestAnIdleTerminalEnds(t *testing.T) {
	t.Parallel()
	s := newTerminals(t, func(o *Options) { o.Idle, o.Again = 100*time.Millisecond, 50*time.Millisecond })
	gate := filepath.Join(t.TempDir(), "gate") // what runs ends when it opens
	if err := unix.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	attach(t, s, "idle", "", usual).Close()
	busy := attach(t, s, "busy", "", usual)
	busy.types("sh -c 'echo begun-$((1+1)); cat " + gate + "'\n")
	busy.sees("begun-2")
	busy.Close()
	job := attach(t, s, "job", "", usual)
	job.types("cat " + gate + " & echo star''ted\n")
	job.sees("started")
	job.Close()
	command := attach(t, s, "command", "sleep 100; exit 4", usual)
	command.Close()
	eventually(t, "the end of the idle one", func() bool { return s.Count() <= 3 })
	time.Sleep(500 * time.Millisecond) // several looks
	if got := s.Count(); got != 3 {
		t.Errorf("%d terminals, want the three in which something runs", got)
	}
	eventually(t, "the end of what became idle", func() bool {
		if w, err := os.OpenFile(gate, os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil { // somebody waits
			w.Close()
		}
		return s.Count() <= 1
	})
	time.Sleep(500 * time.Millisecond)
	if _, found := s.all["command"]; !found || s.Count() != 1 {
		t.Errorf("the command was ended: %d terminals", s.Count())
	}
}

// The one who comes back late hears how it ended.
func TestAnEndIsKept(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	a := attach(t, s, "1", "sleep 0.3; echo last words; kill -9 $$", usual)
	a.Close()
	time.Sleep(time.Second)
	b := attach(t, s, "1", "", usual)
	b.until("the end", func() bool { return b.end != nil })
	if !strings.Contains(b.seen.String(), "last words") || *b.end != (End{Code: 137, Signal: "SIGKILL"}) {
		t.Errorf("%q, %+v", b.seen.String(), b.end)
	}
}

// A viewer that takes nothing holds nobody up, and is brought up to date.
func TestAViewerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	lazy := attach(t, s, "1", "", usual)
	lazy.sees("$ ")
	eager := attach(t, s, "1", "", usual)
	eager.types("head -c 20000000 /dev/zero | tr '\\0' x | fold -w 79; echo all of'' it\n")
	began := time.Now()
	late := time.AfterFunc(time.Minute, eager.Close)
	defer late.Stop()
	for tail := ""; !strings.Contains(tail, "all of it"); {
		e, err := eager.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tail += string(e.Output)
		tail = tail[max(0, len(tail)-100):]
	}
	t.Logf("20 MB in %v", time.Since(began))
	lazy.of.mu.Lock()
	queued := lazy.queued
	lazy.of.mu.Unlock()
	if queued > maxQueue {
		t.Errorf("%d bytes wait for one who takes nothing", queued)
	}
	lazy.sees("all of it")
	if got := lazy.seen.Len(); got > 2*maxUsual {
		t.Errorf("the lazy viewer was shown %d bytes", got)
	}
}

func TestManyTerminals(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	for i := range Max {
		command := "sleep 30"
		if i == 17 {
			command = ""
		}
		p := attach(t, s, fmt.Sprint(i), command, usual)
		if i == 17 {
			p.sees("$ ")
			p.Close()
		}
	}
	attach(t, s, "one more", "sleep 30", usual) // in place of the idle shell
	if _, err := s.Attach("and one", "", usual); err != ErrTooMany {
		t.Errorf("%v", err)
	}
	if s.Count() != Max {
		t.Errorf("%d terminals", s.Count())
	}
}

// Whoever comes to a terminal that is there gets what it shows, and no command
// of theirs runs.
func TestACommandIsForANewTerminalAlone(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	made := filepath.Join(t.TempDir(), "made")
	a := attach(t, s, "1", "", usual)
	b := attach(t, s, "1", "touch "+made, usual)
	a.types("echo one-$((1+1))\n")
	b.sees("one-2")
	if _, err := os.Stat(made); err == nil {
		t.Error("the command ran beside the terminal that was there")
	}
}
