package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
	"github.com/spf13/cobra"
)

// looks are the few colours that there are. Each is for one of the two
// streams: plain where that is not a terminal or NO_COLOR is set.
type looks struct {
	head, ok, busy, off, warn func(...string) string // standard output
	bad, dim, note, caution   func(...string) string // standard error
}

func newLooks(out, err io.Writer, outTTY, errTTY bool) looks {
	o, e := renderer(out, outTTY), renderer(err, errTTY)
	color := func(r *lipgloss.Renderer, c string) func(...string) string {
		return byLine(r.NewStyle().Foreground(lipgloss.Color(c)))
	}
	return looks{
		head: byLine(o.NewStyle().Bold(true)), ok: color(o, "2"), busy: color(o, "6"), off: color(o, "8"), warn: color(o, "1"),
		bad: color(e, "1"), dim: color(e, "8"), note: color(e, "6"), caution: color(e, "3"),
	}
}

// byLine paints each line for itself: as a whole they would be padded to the
// width of the longest.
func byLine(style lipgloss.Style) func(...string) string {
	style = style.TabWidth(lipgloss.NoTabConversion)
	return func(s ...string) string {
		lines := strings.Split(strings.Join(s, " "), "\n")
		for i, l := range lines {
			lines[i] = style.Render(l)
		}
		return strings.Join(lines, "\n")
	}
}

func renderer(w io.Writer, tty bool) *lipgloss.Renderer {
	r := lipgloss.NewRenderer(w)
	if !tty || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		r.SetColorProfile(termenv.Ascii)
	} else {
		r.SetColorProfile(termenv.ANSI)
	}
	return r
}

// jsonFlag gives cmd the flag --json.
func jsonFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("json", false, "print as JSON, in the API's own types")
}

func (a *app) json(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// tell says something beside the result. What others wrote is cleaned before.
func (a *app) tell(format string, args ...any) { fmt.Fprintf(a.err, format+"\n", args...) }

// table prints rows in columns. Nothing is printed of an empty one but none.
func (a *app) table(none string, header []string, rows [][]string) {
	if len(rows) == 0 {
		a.tell("%s", none)
		return
	}
	var heads []string
	for _, h := range header {
		heads = append(heads, a.look.head(h))
	}
	a.columns(append([][]string{heads}, rows...))
}

func (a *app) columns(rows [][]string) {
	var width []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], lipgloss.Width(cell))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, cell := range r {
			b.WriteString(cell)
			if i < len(r)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-lipgloss.Width(cell)+2))
			}
		}
		fmt.Fprintln(a.out, strings.TrimRight(b.String(), " "))
	}
}

// field prints one line of a thing that is shown; empty ones are left out.
func (a *app) field(name, value string) {
	if value != "" {
		fmt.Fprintf(a.out, "%s %s\n", a.look.head(fmt.Sprintf("%-13s", name)), value)
	}
}

// clean takes what could steer a terminal out of text that others wrote.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x2066 || r == 0x2067 {
			return -1
		}
		return r
	}, ansi.Strip(s))
}

// cell is clean on one line.
func cell(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// short cuts s to at most n characters, the last of which then tells of it.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// ago says how long before now t was.
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "never"
	case d < 2*time.Second && d > -2*time.Second:
		return "just now"
	case d < 0:
		return "in " + roughly(-d)
	default:
		return roughly(d) + " ago"
	}
}

func agoPtr(t *time.Time, now time.Time) string {
	if t == nil {
		return "never"
	}
	return ago(*t, now)
}

func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		name  string
		size  time.Duration
		least time.Duration
	}{
		{"year", 365 * day, 365 * day}, {"month", 30 * day, 60 * day}, {"week", 7 * day, 14 * day},
		{"day", day, 2 * day}, {"hour", time.Hour, 2 * time.Hour}, {"minute", time.Minute, 2 * time.Minute},
		{"second", time.Second, 0},
	} {
		if d >= u.least {
			n := int(d / u.size)
			if n == 1 {
				return "1 " + u.name
			}
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return "0 seconds"
}
