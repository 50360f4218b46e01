package terminal

import (
	"strings"
	"sync/atomic"
	"testing"
)

const news = "Berth stops this workspace at 18:00."

// A line comes between the lines of the program; what was typed is there again
// behind it, and is still typed once. Nobody takes it for use.
func TestAnnounceAtThePrompt(t *testing.T) {
	t.Parallel()
	var shown atomic.Int64
	s := newTerminals(t, func(o *Options) { o.Shown = func(n int) { shown.Add(int64(n)) } })
	p := attach(t, s, "a", "", Size{80, 24})
	p.until("the prompt", func() bool { return strings.Contains(p.seen.String(), "$ ") })
	p.Type([]byte("echo hel"))
	p.until("what was typed", func() bool { return strings.HasSuffix(p.seen.String(), "echo hel") })
	before := shown.Load()
	if n := s.Announce(news); n != 1 {
		t.Errorf("in %d terminals", n)
	}
	at := func() (rest string) {
		_, rest, _ = strings.Cut(p.seen.String(), "\r\n"+news+"\r\n")
		return rest
	}
	p.until("the line, and the prompt again", func() bool { return strings.Contains(at(), "$ echo hel") })
	if more := shown.Load() - before; more >= int64(len(news)) {
		t.Errorf("the line counts as %d bytes shown", more)
	}
	p.Type([]byte("lo\n"))
	p.until("the command's output", func() bool { return strings.Contains(at(), "\rhello\r") })
	if strings.Contains(at(), "not found") {
		t.Errorf("something of it was typed: %q", p.seen.String())
	}
	// Who comes later sees it too.
	late := attach(t, s, "a", "", Size{80, 24})
	late.until("the line", func() bool { return strings.Contains(late.seen.String(), news) })
}

// A program that has the screen for itself has it on its last row, and its lines
// stay; the shell shows it when the program has left.
func TestAnnounceOnTheWholeScreen(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	p := attach(t, s, "a", `printf '\033[?1049hdrawn'; read x; printf '\033[?1049lleft'; read x`, Size{20, 5})
	p.until("the program", func() bool { return strings.Contains(p.seen.String(), "drawn") })
	s.Announce(news)
	p.until("the last row", func() bool { return strings.Contains(p.seen.String(), "\x1b[9999;1H\x1b[0;7m"+news[:19]+"\x1b[K\x1b8") })
	if strings.Contains(p.seen.String(), "\r\n"+news) {
		t.Errorf("among the program's lines: %q", p.seen.String())
	}
	p.Type([]byte("\n"))
	p.until("the line", func() bool { return strings.Contains(p.seen.String(), "\r\n"+news+"\r\n") })
	if n := strings.Count(p.seen.String(), news); n != 1 {
		t.Errorf("%d times: %q", n, p.seen.String())
	}
}

// A sequence that is half written is not broken up, unless its other half does
// not come.
func TestAnnounceInASequence(t *testing.T) {
	t.Parallel()
	s := newTerminals(t)
	p := attach(t, s, "a", `printf 'a\033[3'; read x; printf '1mred'; read x; printf '\033[3'; read x`, Size{80, 24})
	p.until("half of it", func() bool { return strings.HasSuffix(p.seen.String(), "a\x1b[3") })
	terminal := func() *terminal { s.mu.Lock(); defer s.mu.Unlock(); return s.all["a"] }()
	terminal.mu.Lock()
	terminal.lines.Announce(news)
	terminal.announceDue(false)
	terminal.mu.Unlock()
	p.Type([]byte("\n"))
	p.until("the line", func() bool { return strings.Contains(p.seen.String(), news) })
	if i := strings.Index(p.seen.String(), "\r\n"+news); i < 0 || !strings.Contains(p.seen.String()[:i], "1mred") {
		t.Errorf("in the middle: %q", p.seen.String())
	}
	p.Type([]byte("\n"))
	p.until("the next half", func() bool { return strings.HasSuffix(p.seen.String(), "\x1b[3") })
	s.Announce(news)
	p.until("the line after all", func() bool { return strings.Contains(p.seen.String(), "\x18\r\n"+news+"\r\n") })
}
