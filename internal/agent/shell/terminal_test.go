package shell

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// onTerminal runs ssh on a terminal of its own, with a size, and gives what is
// shown.
func onTerminal(t *testing.T, p *place, rows, cols uint16, args ...string) (*os.File, *output, func() error) {
	t.Helper()
	cmd := p.ssh(args...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: cols})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	shown := &output{}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := tty.Read(buffer)
			shown.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	return tty, shown, func() error {
		err := cmd.Wait()
		<-read
		return err
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	_, shown, wait := onTerminal(t, p, 43, 101, "-t", "ws", "stty size; echo $TERM; tty; echo $SSH_TTY; exit 9")
	if got := exitCode(wait()); got != 9 {
		t.Errorf("status %d", got)
	}
	lines := strings.Fields(shown.String())
	if len(lines) != 5 || lines[0] != "43" || lines[1] != "101" || lines[2] != "xterm-256color" ||
		!strings.HasPrefix(lines[3], "/dev/pts/") || lines[3] != lines[4] {
		t.Errorf("%q", shown.String())
	}
}

func TestWindowChange(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	tty, shown, wait := onTerminal(t, p, 24, 80, "-t", "ws", "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.1; done")
	eventually(t, "first size", func() bool { return strings.Contains(shown.String(), "24 80") })
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 50, Cols: 132}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "new size", func() bool { return strings.Contains(shown.String(), "50 132") })
	wait()
}

func TestInteractive(t *testing.T) {
	t.Parallel()
	motd := t.TempDir() + "/motd"
	os.WriteFile(motd, []byte("Welcome\naboard\n"), 0o600)
	p := newPlace(t, func(o *Options) {
		o.MOTD = func() string { return motd }
		o.Banner = func() string { return "Down on\nSunday" }
	})
	tty, shown, wait := onTerminal(t, p, 24, 80, "ws")
	eventually(t, "message of the day", func() bool {
		return strings.HasPrefix(shown.String(), "Down on\r\nSunday\r\nWelcome\r\naboard\r\n")
	})
	tty.WriteString("echo up$((1+1)); sleep 100\n")
	eventually(t, "the command", func() bool { return strings.Contains(shown.String(), "up2\r\n") })
	tty.WriteString("\x03") // Ctrl-C goes through the terminal
	tty.WriteString("echo $((6*7))\n")
	eventually(t, "answer after the interrupt", func() bool { return strings.Contains(shown.String(), "42\r\n") })
	tty.WriteString("\x04")
	if err := wait(); exitCode(err) != 130 && exitCode(err) != 0 {
		t.Errorf("%v", err)
	}

	os.WriteFile(p.home+"/.hushlogin", nil, 0o600)
	tty, shown, wait = onTerminal(t, p, 24, 80, "ws")
	tty.WriteString("exit\n")
	wait()
	if strings.Contains(shown.String(), "Welcome") || strings.Contains(shown.String(), "Sunday") {
		t.Error("greeted a person who does not want that")
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	mode := func(n byte, v uint32) []byte { return binary.BigEndian.AppendUint32([]byte{n}, v) }
	var tio unix.Termios
	tio.Lflag, tio.Cc[unix.VERASE] = unix.ECHO, 127
	modes := bytes.Join([][]byte{mode(53, 0), mode(50, 1), mode(3, 8), mode(1, 255), mode(91, 1), mode(42, 1), mode(128, 38400), mode(77, 1), {0}}, nil)
	if err := applyModes(&tio, modes); err != nil {
		t.Fatal(err)
	}
	if tio.Lflag != unix.ISIG || tio.Cc[unix.VERASE] != 8 || tio.Cc[unix.VINTR] != 0 || tio.Cflag != unix.CS8 || tio.Iflag != unix.IUTF8 {
		t.Errorf("%+v", tio)
	}
	rapid.Check(t, func(t *rapid.T) {
		var tio unix.Termios
		applyModes(&tio, rapid.SliceOf(rapid.Byte()).Draw(t, "modes")) // does not panic
	})
}

func TestSignals(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	// The OpenSSH client passes no signals on, so the library's client does.
	client := p.client()
	for name, want := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1} {
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		shown := &output{}
		s.Stdout = shown
		if err := s.Start("trap 'echo got " + want.String() + "; exit 3' " + name + "; echo set; while :; do sleep 0.1; done"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "trap", func() bool { return strings.Contains(shown.String(), "set") })
		if err := s.Signal(sshSignal(name)); err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(); err == nil || !strings.Contains(shown.String(), "got "+want.String()) {
			t.Errorf("%v: %q", err, shown.String())
		}
	}
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := exitSignal(s.Run("kill -KILL $$")); err != "KILL" {
		t.Errorf("ended by %q", err)
	}
}
