package notices

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/berthdev/berth"
)

// words is what a notice is made of.
type words struct {
	data map[string]string
	zone *time.Location // of who reads it
}

// of is a word on one line.
func (w words) of(name string) string { return line(w.data[name]) }

// workspace is OWNER/NAME; short is NAME, for titles.
func (w words) workspace() string { return w.of("workspace") }

func (w words) short() string {
	_, name, found := strings.Cut(w.workspace(), "/")
	if !found {
		return w.workspace()
	}
	return name
}

// moment is a time as its reader's clock shows it, with the zone.
func (w words) moment(name string) string {
	return w.format(name, "Monday, 2 January 2006, 15:04")
}

// clock is moment within the day.
func (w words) clock(name string) string { return w.format(name, "15:04") }

func (w words) format(name, layout string) string {
	t, err := time.Parse(time.RFC3339, w.data[name])
	if err != nil {
		return ""
	}
	return t.In(w.zone).Format(layout) + " (" + w.zone.String() + ")"
}

// day is a date without the time.
func (w words) day(name string) string {
	t, err := time.Parse(time.RFC3339, w.data[name])
	if err != nil {
		return ""
	}
	return t.In(w.zone).Format("2 January 2006")
}

// why is a sentence that came from a rule, as a paragraph of its own.
func (w words) why() string { return sentence(w.of("why")) }

// by names who did something: "by ben", or nothing.
func (w words) by() string {
	if by := w.of("by"); by != "" {
		return " by " + by
	}
	return ""
}

// quoted is a text that somebody else wrote, or a program, marked as such.
func (w words) quoted(name string) string {
	text := strings.TrimSpace(plain(w.data[name]))
	if text == "" {
		return ""
	}
	if len(text) > maxQuote {
		text = strings.ToValidUTF8(text[:maxQuote], "") + " …"
	}
	return "> " + strings.ReplaceAll(text, "\n", "\n> ")
}

// maxQuote bounds what is repeated of an error, in bytes: the rest is in the log.
const maxQuote = 1500

// paragraphs joins those that say something.
func paragraphs(all ...string) string {
	var said []string
	for _, p := range all {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, "\n\n")
}

// command is a line to type.
func command(about, line string) string { return about + "\n  " + line }

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

// plain takes out what could steer a terminal or turn a line around; lines and
// tabs stay.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == 0x2028, r == 0x2029, r == 0xfeff, r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}

// line is plain on one line.
func line(s string) string { return strings.Join(strings.Fields(plain(s)), " ") }

// zoneOf is the zone in which somebody reads times: that of their quiet hours,
// else that of the site's.
func zoneOf(u berth.User, site string) *time.Location {
	for _, text := range []string{u.QuietHours, site} {
		if schedule, err := berth.ParseQuietHours("", text); err == nil {
			return schedule.Location()
		}
	}
	return time.UTC
}
