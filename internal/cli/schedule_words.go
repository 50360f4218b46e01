package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// weekly makes the text of a weekly schedule of what people write: "manual",
// "9:30AM Mon-Fri Europe/Dublin", or the fields of cron. Empty is none. A zone
// that is left out is the one of this computer.
func weekly(words []string) (string, error) {
	words = split(words)
	if len(words) == 1 && slices.Contains([]string{"manual", "off", "never", "none"}, strings.ToLower(words[0])) {
		return "", nil
	}
	if text, ok := cronText(words); ok {
		return text, nil
	}
	w, err := parseWhen(words)
	if err != nil {
		return "", err
	}
	zone, err := w.inZone()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("CRON_TZ=%s %d %d * * %s", zone, w.minute, w.hour, cronDays(w.days)), nil
}

// daily is weekly for a time of each day: "22:00 Europe/Dublin", or "default",
// which is empty.
func daily(words []string) (string, error) {
	words = split(words)
	if len(words) == 1 && strings.EqualFold(words[0], "default") {
		return "", nil
	}
	if text, ok := cronText(words); ok {
		return text, nil
	}
	w, err := parseWhen(words)
	if err != nil {
		return "", err
	}
	if w.days != berth.EveryDay {
		return "", usagef("quiet hours are at one time every day: leave the days out, as in 22:00 Europe/Dublin")
	}
	zone, err := w.inZone()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("CRON_TZ=%s %d %d * * *", zone, w.minute, w.hour), nil
}

// split takes apart what a shell kept together.
func split(words []string) []string { return strings.Fields(strings.Join(words, " ")) }

// cronText tells whether words are the five fields of cron, maybe behind a zone.
func cronText(words []string) (string, bool) {
	zoned := len(words) > 0 && strings.HasPrefix(words[0], "CRON_TZ=")
	if zoned || len(words) == 5 && words[2] == "*" && words[3] == "*" {
		return strings.Join(words, " "), true
	}
	return "", false
}

// when is a time of day on some days, in a zone.
type when struct {
	hour, minute int
	days         berth.Weekdays
	zone         string // empty: not given
}

func parseWhen(words []string) (w when, err error) {
	const how = "write it as 9:30AM Mon-Fri Europe/Dublin"
	if len(words) == 0 {
		return w, usagef("say when: " + how)
	}
	text := words[0]
	words = words[1:]
	if len(words) > 0 && (strings.EqualFold(words[0], "AM") || strings.EqualFold(words[0], "PM")) {
		text, words = text+words[0], words[1:]
	}
	if w.hour, w.minute, err = timeOfDay(text); err != nil {
		return w, err
	}
	for _, word := range words {
		days, known, err := parseDays(word)
		switch {
		case err != nil:
			return w, err
		case known && w.days != 0:
			return w, usagef("%q: the days are given twice; join them with commas, as in Mon,Wed", word)
		case known:
			w.days = days
		case w.zone != "":
			return w, usagef("%q is neither a day nor a time zone: "+how, word)
		default:
			w.zone = word
		}
	}
	if w.days == 0 {
		w.days = berth.EveryDay
	}
	return w, nil
}

// timeOfDay reads 9:30, 09:30, 9:30AM, 9AM, 21:30.
func timeOfDay(text string) (hour, minute int, err error) {
	t := strings.ToUpper(text)
	clock, half := t, ""
	for _, h := range []string{"AM", "PM"} {
		if rest, ok := strings.CutSuffix(t, h); ok {
			clock, half = rest, h
		}
	}
	hours, minutes, colon := strings.Cut(clock, ":")
	h, err := strconv.Atoi(hours)
	m := 0
	if err == nil && colon {
		m, err = strconv.Atoi(minutes)
	}
	most, least := 23, 0
	if half != "" {
		most, least = 12, 1
	}
	if err != nil || h < least || h > most || m < 0 || m > 59 || colon && len(minutes) != 2 || !colon && half == "" {
		return 0, 0, usagef("%q is not a time of day: write 9:30, 21:30 or 9:30AM", text)
	}
	switch {
	case half == "AM" && h == 12:
		h = 0
	case half == "PM" && h < 12:
		h += 12
	}
	return h, m, nil
}

// parseDays reads mon, monday, mon-fri, sat,sun, weekdays, weekends and daily.
// known tells whether word is about days at all.
func parseDays(word string) (days berth.Weekdays, known bool, err error) {
	switch strings.ToLower(word) {
	case "daily", "everyday", "*":
		return berth.EveryDay, true, nil
	case "weekdays":
		return parseDays("mon-fri")
	case "weekends":
		return parseDays("sat,sun")
	}
	for part := range strings.SplitSeq(word, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, ok := weekday(from)
		if !ok && !known && !strings.Contains(word, ",") {
			return 0, false, nil
		}
		last := first
		if ok && isRange {
			last, ok = weekday(to)
		}
		if !ok {
			return 0, true, usagef("%q is not a day of the week: write mon, tue, wed, thu, fri, sat, sun, or mon-fri", part)
		}
		known = true
		for d := first; ; d = (d + 1) % 7 {
			days |= 1 << d
			if d == last {
				break
			}
		}
	}
	return days, true, nil
}

func weekday(name string) (time.Weekday, bool) {
	set, err := berth.ParseWeekdays("", []string{name})
	for d := range time.Weekday(7) {
		if err == nil && set.Has(d) {
			return d, true
		}
	}
	return 0, false
}

// cronDays is a set of days as cron writes it.
func cronDays(days berth.Weekdays) string {
	if days == berth.EveryDay {
		return "*"
	}
	var parts []string
	for d := 0; d < 7; d++ {
		if !days.Has(time.Weekday(d)) {
			continue
		}
		from := d
		for d < 6 && days.Has(time.Weekday(d+1)) {
			d++
		}
		switch d - from {
		case 0:
			parts = append(parts, strconv.Itoa(from))
		case 1:
			parts = append(parts, strconv.Itoa(from), strconv.Itoa(d))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", from, d))
		}
	}
	return strings.Join(parts, ",")
}

// inZone is the zone that was given, or the one of this computer.
func (w when) inZone() (string, error) {
	if w.zone != "" {
		return w.zone, nil
	}
	if zone := localZone(os.Getenv, os.ReadFile, os.Readlink); zone != "" {
		return zone, nil
	}
	return "", usagef("this computer does not say which time zone it is in: give it behind the time, such as Europe/Dublin or UTC")
}

// localZone is the name of this computer's time zone; empty where it has none.
func localZone(getenv func(string) string, readFile func(string) ([]byte, error), readLink func(string) (string, error)) string {
	named := func(zone string) bool {
		return zone == "UTC" || strings.Contains(zone, "/") && !strings.HasPrefix(zone, "/")
	}
	if zone := strings.TrimPrefix(getenv("TZ"), ":"); named(zone) {
		return zone
	}
	if target, err := readLink("/etc/localtime"); err == nil {
		if _, zone, ok := strings.Cut(target, "zoneinfo/"); ok && zone != "" {
			return strings.TrimPrefix(zone, "Etc/")
		}
	}
	if text, err := readFile("/etc/timezone"); err == nil {
		if zone := strings.TrimPrefix(strings.TrimSpace(string(text)), "Etc/"); named(zone) {
			return zone
		}
	}
	if zone := time.Local.String(); named(zone) {
		return zone
	}
	return ""
}
