package terminal

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/hinshun/vt10x"
	"pgregory.net/rapid"
)

// emulator is a reference terminal that notes what it would answer.
type emulator struct {
	vt10x.Terminal
	answers bytes.Buffer
}

func newEmulator() *emulator {
	e := &emulator{}
	e.Terminal = vt10x.New(vt10x.WithSize(40, 12), vt10x.WithWriter(&e.answers))
	return e
}

// looks is all that can be seen of an emulator, but for where the cursor is.
func (e *emulator) looks() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mode %b, cursor %v, title %q\n", e.Mode()&^vt10x.ModeFocus, e.CursorVisible(), e.Title())
	for y := range 12 {
		for x := range 40 {
			c := e.Cell(x, y)
			fmt.Fprintf(&b, "%c", c.Char)
			if c.Mode != 0 || c.FG != vt10x.DefaultFG || c.BG != vt10x.DefaultBG {
				fmt.Fprintf(&b, "<%d %d %d>", c.Mode, c.FG, c.BG)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// pieces are what programs print, of the kinds that the reference terminal
// knows.
var pieces = rapid.OneOf(
	rapid.StringMatching(`[a-zA-Z ]{1,30}`),
	rapid.SampledFrom([]string{
		"\r\n", "\n", "\r", "\b", "\t", "äöü", "日本", "€", "\x07",
		"\x1b[1m", "\x1b[31;44m", "\x1b[38;5;200m", "\x1b[48;2;1;2;3m", "\x1b[7m", "\x1b[27;39m", "\x1b[4m", "\x1b[m", "\x1b[0m",
		"\x1b[H", "\x1b[3;4H", "\x1b[2J", "\x1b[K", "\x1b[1A", "\x1b[5C", "\x1b[L", "\x1b[M", "\x1b[2P", "\x1b[3@",
		"\x1b7", "\x1b8", "\x1bM",
		"\x1b[?1h", "\x1b[?1l", "\x1b[?25l", "\x1b[?25h", "\x1b[?7l", "\x1b[?7h", "\x1b[?1000h", "\x1b[?1000l", "\x1b[?1002;1006h", "\x1b[?1006;1002l",
		"\x1b[4h", "\x1b[4l", "\x1b=", "\x1b>", "\x1b(0", "\x1b(B", "\x1b]0;a title\x07", "\x1b]2;another\x1b\\",
		"\x1b[c", "\x1b[6n", "\x1b[5n", "\x1b]11;?\x07", "\x1bZ", "\x1bP$qm\x1b\\", "\x1b[>c", "\x05", "\x1b]52;c;?\x07", "\x1b_Gi=1;x\x1b\\",
		"\x1b[2;9r", "\x1b[r",
	}),
)

func written(t *rapid.T, h *history, stream string) {
	for len(stream) > 0 {
		n := rapid.IntRange(1, len(stream)).Draw(t, "split")
		h.write([]byte(stream[:n]))
		stream = stream[n:]
	}
}

// Nothing was dropped: a replay leads to the same screen and the same modes,
// and the emulator answers nothing.
func TestReplayShowsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stream := strings.Join(rapid.SliceOfN(pieces, 0, 60).Draw(t, "pieces"), "")
		h, original, again := newHistory(), newEmulator(), newEmulator()
		written(t, h, stream)
		original.Write([]byte(stream))
		again.Write(h.replay())
		if got, want := again.looks(), original.looks(); got != want {
			t.Fatalf("of %q\n%q shows\n%s\nwant\n%s", stream, h.replay(), got, want)
		}
		if again.answers.Len() > 0 {
			t.Fatalf("a replay was answered with %q", again.answers.String())
		}
	})
}

// The beginning was dropped: after the program has drawn its screen anew, a
// replay leads to the same screen and the same modes.
func TestReplayOfACutStream(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		leave := "" // the reference goes to the alternate screen when it is told to leave it on the usual one
		for _, part := range rapid.SliceOfN(pieces, 50, 120).Draw(t, "pieces") {
			if leave != "" && (part == "\x1b7" || part == "\x1b8") {
				part = "" // the reference has one place for both screens
			}
			b.WriteString(part)
			b.WriteString(strings.Repeat("x", rapid.IntRange(0, 60).Draw(t, "length")))
			if rapid.IntRange(0, 9).Draw(t, "switch") == 0 && leave == "" {
				b.WriteString("\x1b[?1049h")
				leave = "\x1b[?1049l"
			} else if rapid.IntRange(0, 9).Draw(t, "switch") == 0 {
				b.WriteString(leave)
				leave = ""
			}
		}
		b.WriteString("\x1b[r\x1b[H\x1b[2Jdrawn \x1b[35manew\x1b[3;3H")
		h, original, again := newHistory(), newEmulator(), newEmulator()
		h.usual.max, h.usual.chunk = 1500, 100
		stream := b.String()
		written(t, h, stream)
		original.Write([]byte(stream))
		replay := h.replay()
		again.Write(replay)
		if got, want := again.looks(), original.looks(); got != want {
			t.Fatalf("of %q\n%q shows\n%s\nwant\n%s", stream, replay, got, want)
		}
		if again.answers.Len() > 0 {
			t.Fatalf("a replay was answered with %q", again.answers.String())
		}
	})
}

// settled has no difference between what was never set and what was set to what
// a fresh terminal has: after a soft reset a replay can only do the latter.
func settled(m modes) modes {
	for i, mode := range privateModes {
		if onWhenFresh(mode) == (m.private[i] == on) {
			m.private[i] = untouched
		}
	}
	for i := range m.ansi {
		if m.ansi[i] == off {
			m.ansi[i] = untouched
		}
	}
	if m.keypad == off {
		m.keypad = untouched
	}
	return m
}

// What the reference terminal does not know of is judged by the tracker: after
// a replay it is in the modes of the original.
func checkReplay(t interface {
	Helper()
	Fatalf(string, ...any)
}, h *history) {
	t.Helper()
	replay := h.replay()
	again := newHistory()
	again.usual.max, again.alternate.max = 10<<20, 10<<20
	quiet := append([]byte(nil), again.write(replay)...)
	want, got := settled(h.head.modes), settled(again.head.modes)
	got.saved, want.saved = [2]*style{}, [2]*style{}
	if want.alternate != 0 {
		got.margins[0], want.margins[0] = margins{}, margins{}
	} else {
		got.margins[1], want.margins[1] = margins{}, margins{}
	}
	if got != want {
		t.Fatalf("a replay leads to\n%+v, not\n%+v: %q", got, want, replay)
	}
	if !again.between() {
		t.Fatalf("a replay ends within a token: %q", replay)
	}
	if !bytes.Contains(replay, []byte("\x1b[?1049")) && !bytes.Contains(replay, []byte("\x1b[?47")) && !bytes.Contains(replay, []byte("\x1b[?1047")) && !bytes.Equal(quiet, replay) {
		t.Fatalf("a replay holds what nobody is to be shown: %q, not %q", replay, quiet)
	}
	if len(h.head.token) > maxToken || h.usual.size > h.usual.max || h.alternate.size > maxAlternate {
		t.Fatalf("held %d, usual %d, alternate %d bytes", len(h.head.token), h.usual.size, h.alternate.size)
	}
}

func TestReplayKeepsModes(t *testing.T) {
	t.Parallel()
	more := rapid.OneOf(pieces, rapid.SampledFrom([]string{
		"\x1b", "\x1b[", "\x1b[3", "\x1b]0;never ended", "\xe2\x82", "\x9b", "\x18",
		"\x1b[?2004h", "\x1b[?2004l", "\x1b[?1049h", "\x1b[?1049l", "\x1b[?47;25h", "\x1b[?1048h\x1b[?1048l", "\x1b[!p", "\x1bc", "\x1b[4 q", "\x1b[0 q",
		"\x1b)0\x0e", "\x0f", "\x1bn", "\x1b*A\x1b+<", "\x1b[38:2::1:2:3m", "\x1b[4:3m", "\x1b[58;5;9m", "\x1b[53;9;8;5;3;2m", "\x1b[22;23;24m",
		"\x1b[s\x1b[1m\x1b[u", "\xc2\x9b31m", "\x1b[1\n;4m", "\x1b[?1003;1015;1004h", "\x1b[?66h", "\x1b[20h", "\x1b[" + strings.Repeat("1;", 3000) + "m",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "\x1b]1337;File=x\x07", "\x1bP" + strings.Repeat("q", 9000), "\x1b\\",
	}))
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory()
		h.usual.max, h.usual.chunk = 8000, 4100
		written(t, h, strings.Join(rapid.SliceOfN(more, 0, 300).Draw(t, "pieces"), ""))
		checkReplay(t, h)
	})
}

func FuzzHistory(f *testing.F) {
	f.Add([]byte("plain\x1b[31mred\x1b[?1049h\x1b[c\xc2\x9b6n\x1b]0;t\x07\xf0\x9f\x92\xa9\x1bP\x1b\\\x1bc"), 3)
	f.Fuzz(func(t *testing.T, data []byte, every int) {
		h := newHistory()
		if every < 1 {
			every = 1
		}
		for len(data) > 0 {
			n := min(every, len(data))
			h.write(data[:n])
			data = data[n:]
		}
		checkReplay(t, h)
		e := newEmulator()
		func() {
			defer func() { _ = recover() }() // the reference is not as careful as we are
			e.Write(h.replay())
		}()
		if e.answers.Len() > 0 {
			t.Fatalf("a replay was answered with %q", e.answers.String())
		}
	})
}

func BenchmarkHistory(b *testing.B) {
	for name, text := range map[string]string{
		"plain":   strings.Repeat(strings.Repeat("x", 79)+"\r\n", 400),
		"colours": strings.Repeat("\x1b[31mred\x1b[m and \x1b[1;38;5;9mbold\x1b[m ", 1000),
	} {
		b.Run(name, func(b *testing.B) {
			h := newHistory()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				h.write([]byte(text))
			}
		})
	}
}
