package lifecycle

import (
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// length is a length of time for people: "8 h", "1 h 30 min", "30 days".
func length(d time.Duration) string {
	const day = 24 * time.Hour
	var parts []string
	add := func(size time.Duration, one, many string) {
		n := d / size
		d -= n * size
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	d = d.Round(time.Second)
	if d >= 2*day {
		add(day, "day", "days")
	}
	add(time.Hour, "h", "h")
	add(time.Minute, "min", "min")
	add(time.Second, "s", "s")
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts[:min(len(parts), 2)], " ")
}

// moment is a time for people, in a zone that it names: "Saturday 21 November
// 02:00 (Europe/Dublin)".
func moment(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	return fmt.Sprintf("%s (%s)", t.Format("Monday 2 January 15:04"), zone)
}

// zoneOf is the zone that the owner's times are told in: of their quiet hours.
func zoneOf(f Facts) *time.Location {
	s, err := berth.ParseSchedule("", QuietHoursOf(f))
	if err != nil {
		return time.UTC
	}
	return s.Location()
}

func holdEnds(h berth.Hold) string {
	who := ""
	if h.By != "" {
		who = " of " + h.By
	}
	if h.Reason != "" {
		who += " (" + h.Reason + ")"
	}
	return "the hold" + who + " ends"
}

// requiredWhy says what requires a stop.
func requiredWhy(p berth.Policy) string {
	quiet, err := berth.ParseQuietHours("", p.QuietHours)
	if err != nil {
		return ""
	}
	days := "on " + p.AutostopDays.Describe()
	if p.AutostopDays&berth.EveryDay == berth.EveryDay {
		days = "every day"
	}
	if p.AutostopWeeks > 1 {
		days += fmt.Sprintf(" of one week in %d", min(p.AutostopWeeks, maxWeeks))
	}
	at := strings.Replace(quiet.Describe(), " every day", "", 1)
	return fmt.Sprintf("a stop is required %s, when quiet hours begin: %s", days, at)
}

// sentence makes one of words.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}
