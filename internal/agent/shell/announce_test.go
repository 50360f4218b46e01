package shell

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// plain is a screen on which bytes are characters, but for an ESC, which is
// half of a sequence, and the words that switch screens.
type plain struct{ seen bytes.Buffer }

func (p *plain) Write(data []byte) { p.seen.Write(data) }
func (p *plain) Between() bool     { return !bytes.HasSuffix(p.seen.Bytes(), []byte{0x1b}) }
func (p *plain) Full() bool {
	return bytes.LastIndex(p.seen.Bytes(), []byte("ENTER")) > bytes.LastIndex(p.seen.Bytes(), []byte("LEAVE"))
}

// A line reaches the sessions that have a terminal, and no byte of it those that
// carry data.
func TestAnnounceInSessions(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	tty, shown, wait := onTerminal(t, p, 24, 80, "-t", "ws", "echo here; read x; echo got=$x=")
	data := p.ssh("ws", "echo here; read x; echo got=$x=")
	in, err := data.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out output
	data.Stdout = &out
	if err := data.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it", func() bool {
		return strings.Contains(shown.String(), "here") && strings.Contains(out.String(), "here")
	})
	if n := p.server.Announce("The workspace stops."); n != 1 {
		t.Errorf("in %d terminals", n)
	}
	eventually(t, "it", func() bool { return strings.Contains(shown.String(), "\r\nThe workspace stops.\r\n") })
	tty.WriteString("a\n")
	in.Write([]byte("b\n"))
	if err := wait(); err != nil {
		t.Error(err)
	}
	if err := data.Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(shown.String(), "got=a=") || out.String() != "here\ngot=b=\n" {
		t.Errorf("%q, %q", shown.String(), out.String())
	}
	eventually(t, "the end of the session", func() bool { return p.server.Announce("Nobody is here.") == 0 })
}

func TestAnnouncements(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		output  []string // an announcement is made after the first
		columns int
		force   bool
		want    string
	}{
		{"between lines", []string{"a", "b"}, 80, false, "a\r\nSTOPS\r\nb"},
		{"half a sequence", []string{"a\x1b", "b"}, 80, false, "a\x1bb\r\nSTOPS\r\n"},
		{"half a sequence for ever", []string{"a\x1b"}, 80, true, "a\x1b\x18\r\nSTOPS\r\n"},
		{"the whole screen", []string{"ENTER", "b", "LEAVE", "c"}, 4, false,
			"ENTER\x1b7\x1b[?6l\x1b[9999;1H\x1b[0;7mSTO\x1b[K\x1b8bLEAVE\r\nSTOPS\r\nc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var a Announcements
			screen := &plain{}
			for i, text := range tt.output {
				screen.Write([]byte(text))
				if i == 0 {
					a.Announce("STOPS")
				}
				screen.Write(a.Take(screen, tt.columns, tt.force))
			}
			if got := screen.seen.String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// A person who does not read keeps no one who announces.
func TestAnnounceToNobodyWhoReads(t *testing.T) {
	t.Parallel()
	stuck := make(chan struct{})
	v := &view{to: writer(func(p []byte) (int, error) { <-stuck; return len(p), nil }), columns: func() int { return 80 }, shown: func() {}}
	go v.Write([]byte("x"))
	done := make(chan struct{})
	go func() { defer close(done); v.announce("STOPS") }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("it waits for the reader")
	}
	close(stuck)
	eventually(t, "it", func() bool { return !v.waiting() })
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestOneLine(t *testing.T) {
	t.Parallel()
	if got := OneLine(" stops\nat \x1b[31m18:00\u009b2J\u202e\u202d\u061c\u2028, ü\r "); got != "stops at [31m18:002J, ü" {
		t.Errorf("%q", got)
	}
}
