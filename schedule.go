package berth

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Schedule is when something happens each week: at some minutes of some hours,
// on some days, by the clocks of a zone. The zero Schedule never happens.
type Schedule struct {
	minutes uint64 // a bit for each
	hours   uint64
	days    Weekdays
	zone    *time.Location
}

// MaxScheduleLength bounds the text of a schedule, in bytes.
const MaxScheduleLength = 200

// ParseSchedule reads a weekly schedule in the words of cron: minute, hour, *, *
// and day of the week, with "CRON_TZ=Zone " before them; UTC without it.
func ParseSchedule(field, text string) (Schedule, error) {
	if len(text) > MaxScheduleLength {
		return Schedule{}, InvalidField(field, "a schedule has at most %d characters", MaxScheduleLength)
	}
	words := strings.Fields(text)
	s := Schedule{zone: time.UTC}
	if len(words) > 0 && strings.Contains(words[0], "=") {
		key, name, _ := strings.Cut(words[0], "=")
		if key != "CRON_TZ" && key != "TZ" {
			return s, InvalidField(field, "%q is not known before a schedule: use CRON_TZ=Europe/Dublin", words[0])
		}
		zone, err := loadZone(name)
		if err != nil {
			return s, InvalidField(field, "%q is not a time zone: use a name such as Europe/Dublin, or UTC", name)
		}
		s.zone, words = zone, words[1:]
	}
	if len(words) != 5 {
		return s, InvalidField(field, "%q is not a schedule: it has a minute, an hour, *, * and days of the week, as in \"CRON_TZ=Europe/Dublin 30 9 * * 1-5\"", text)
	}
	if words[2] != "*" || words[3] != "*" {
		return s, InvalidField(field, "a schedule is for a week: its day of the month and its month are *, not %q and %q", words[2], words[3])
	}
	var err error
	if s.minutes, err = minuteField.parse(words[0]); err != nil {
		return s, InvalidField(field, "the minute of the schedule: %s", err)
	}
	if s.hours, err = hourField.parse(words[1]); err != nil {
		return s, InvalidField(field, "the hour of the schedule: %s", err)
	}
	days, err := dayField.parse(words[4])
	if err != nil {
		return s, InvalidField(field, "the day of the week of the schedule: %s", err)
	}
	s.days = Weekdays(days)
	return s, nil
}

// ParseQuietHours reads a schedule that happens once a day.
func ParseQuietHours(field, text string) (Schedule, error) {
	s, err := ParseSchedule(field, text)
	if err != nil {
		return s, err
	}
	if s.days != EveryDay || bits.OnesCount64(s.minutes) != 1 || bits.OnesCount64(s.hours) != 1 {
		return s, InvalidField(field, "quiet hours begin at one time of every day, as in \"CRON_TZ=Europe/Dublin 0 22 * * *\"")
	}
	return s, nil
}

// String is the schedule in the words of cron; each schedule has one such text.
func (s Schedule) String() string {
	if s.IsZero() {
		return ""
	}
	return fmt.Sprintf("CRON_TZ=%s %s %s * * %s", s.zone, minuteField.text(s.minutes), hourField.text(s.hours), dayField.text(uint64(s.days)))
}

// IsZero tells whether it never happens.
func (s Schedule) IsZero() bool { return s.zone == nil }

// On is the schedule on those of its days alone that a set has.
func (s Schedule) On(days Weekdays) Schedule {
	s.days &= days
	if s.days == 0 {
		return Schedule{}
	}
	return s
}

// Location is the zone by whose clocks it happens.
func (s Schedule) Location() *time.Location {
	if s.zone == nil {
		return time.UTC
	}
	return s.zone
}

// Next is the first time after t at which it happens. A time that the clocks
// skip on a day happens as soon as they have; one that they show twice happens
// the first time.
func (s Schedule) Next(t time.Time) time.Time {
	if s.IsZero() {
		return time.Time{}
	}
	now := clocks(t.In(s.zone))
	// What the clocks showed up to now has happened by now; so it is later today,
	// or on one of the seven days that follow.
	for ahead := range 8 {
		date := now.AddDate(0, 0, ahead)
		if !s.days.Has(date.Weekday()) {
			continue
		}
		for hours := s.hours; hours != 0; hours &= hours - 1 {
			hour := bits.TrailingZeros64(hours)
			if ahead == 0 && hour < now.Hour() {
				continue
			}
			for minutes := s.minutes; minutes != 0; minutes &= minutes - 1 {
				if at := instant(s.zone, date, hour, bits.TrailingZeros64(minutes)); at.After(t) {
					return at
				}
			}
		}
	}
	return time.Time{}
}

// Previous is the last time before t at which it happened.
func (s Schedule) Previous(t time.Time) time.Time {
	if s.IsZero() {
		return time.Time{}
	}
	now := clocks(t.In(s.zone))
	// Clocks that were put back showed a later time than now.
	for back := -1; back < 9; back++ {
		date := now.AddDate(0, 0, -back)
		if !s.days.Has(date.Weekday()) {
			continue
		}
		first := bits.TrailingZeros64(s.minutes)
		for hour := 23; hour >= 0; hour-- {
			if s.hours&(1<<hour) == 0 || !instant(s.zone, date, hour, first).Before(t) {
				continue
			}
			for minute := 59; minute >= 0; minute-- {
				if s.minutes&(1<<minute) == 0 {
					continue
				}
				if at := instant(s.zone, date, hour, minute); at.Before(t) {
					return at
				}
			}
		}
	}
	return time.Time{}
}

// instant is when the clocks of a zone show a time of a day: the first time if
// they do so twice, and the end of the gap if they skip it.
func instant(zone *time.Location, date time.Time, hour, minute int) time.Time {
	year, month, day := date.Date()
	t := time.Date(year, month, day, hour, minute, 0, 0, zone)
	wanted := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	shown := clocks(t)
	begin, end := t.ZoneBounds()
	switch {
	case shown.After(wanted): // the clocks skip it, and t is what came of it behind the gap
		return begin
	case shown.Before(wanted): // or before it
		return end
	case begin.IsZero():
		return t
	}
	_, before := begin.Add(-time.Second).Zone()
	if earlier := wanted.Add(-time.Duration(before) * time.Second).In(zone); earlier.Before(begin) && clocks(earlier).Equal(wanted) {
		return earlier
	}
	return t
}

// clocks is what the clocks show at t, as if it were in UTC.
func clocks(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// zones keeps what was read of the time zone database; it has some hundred names.
var zones sync.Map

func loadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("%q is the zone of a machine, which differs from one to the next", name)
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, zone)
	}
	return zone, err
}

// Describe is the schedule for people: "09:30 on Monday to Friday
// (Europe/Dublin)".
func (s Schedule) Describe() string {
	if s.IsZero() {
		return "never"
	}
	days := "on " + s.days.Describe()
	if s.days == EveryDay {
		days = s.days.Describe()
	}
	return fmt.Sprintf("%s %s (%s)", s.times(), days, s.zone)
}

// times is the times of the day for people.
func (s Schedule) times() string {
	const few = 4
	n := bits.OnesCount64(s.minutes) * bits.OnesCount64(s.hours)
	if n > few {
		first := clock(bits.TrailingZeros64(s.hours), bits.TrailingZeros64(s.minutes))
		last := clock(bits.Len64(s.hours)-1, bits.Len64(s.minutes)-1)
		return fmt.Sprintf("%d times from %s to %s", n, first, last)
	}
	var list []string
	for hours := s.hours; hours != 0; hours &= hours - 1 {
		for minutes := s.minutes; minutes != 0; minutes &= minutes - 1 {
			list = append(list, clock(bits.TrailingZeros64(hours), bits.TrailingZeros64(minutes)))
		}
	}
	return enumerate(list)
}

func clock(hour, minute int) string { return fmt.Sprintf("%02d:%02d", hour, minute) }

// Describe is the set for people: "Monday to Friday".
func (w Weekdays) Describe() string {
	switch w & EveryDay {
	case 0:
		return "no day"
	case EveryDay:
		return "every day"
	}
	var list []string
	name := func(i int) string { return time.Weekday((i + 1) % 7).String() } // Monday is 0
	for i := 0; i < 7; i++ {
		if !w.Has(time.Weekday((i + 1) % 7)) {
			continue
		}
		last := i
		for last < 6 && w.Has(time.Weekday((last+2)%7)) {
			last++
		}
		if last-i < 2 {
			list = append(list, name(i))
			continue
		}
		list = append(list, name(i)+" to "+name(last))
		i = last
	}
	return enumerate(list)
}

// enumerate is "a", "a and b", "a, b and c".
func enumerate(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// cronField is one column of a schedule.
type cronField struct {
	whole int // how many there are
	most  int // the highest number that may be said: 7 is Sunday, as 0 is
	names []string
	wraps bool // a range may go over the end: fri-mon
}

var (
	minuteField = cronField{whole: 60, most: 59}
	hourField   = cronField{whole: 24, most: 23}
	dayField    = cronField{whole: 7, most: 7, names: weekdayNames, wraps: true}
)

// parse reads a list of numbers, names, ranges and steps into a set.
func (c cronField) parse(text string) (set uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		every := 1
		if stepped {
			if every, err = strconv.Atoi(step); err != nil || every < 1 || every > c.most {
				return 0, fmt.Errorf("%q has no step from 1 to %d behind its /", part, c.most)
			}
		}
		from, to, ranged := strings.Cut(span, "-")
		low, high := 0, c.whole-1
		if span != "*" {
			if low, err = c.number(from); err != nil {
				return 0, err
			}
			switch {
			case ranged:
				if high, err = c.number(to); err != nil {
					return 0, err
				}
			case !stepped:
				high = low
			}
		}
		if high < low && c.wraps {
			high += c.whole
		}
		if high < low {
			return 0, fmt.Errorf("%q ends before it begins", part)
		}
		for n := low; n <= high; n += every {
			set |= 1 << (n % c.whole)
		}
	}
	return set, nil
}

// number reads one number or name.
func (c cronField) number(text string) (int, error) {
	for i, name := range c.names {
		if strings.EqualFold(text, name) || strings.EqualFold(text, name[:3]) {
			return i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > c.most || text[0] == '+' || text[0] == '-' {
		return 0, fmt.Errorf("%q is not a number from 0 to %d", text, c.most)
	}
	return n, nil
}

// text is a set as parse reads it, the shortest way without steps.
func (c cronField) text(set uint64) string {
	if bits.OnesCount64(set) == c.whole {
		return "*"
	}
	var list []string
	for n := 0; n < c.whole; n++ {
		if set&(1<<n) == 0 {
			continue
		}
		last := n
		for last+1 < c.whole && set&(1<<(last+1)) != 0 {
			last++
		}
		switch last - n {
		case 0:
			list = append(list, strconv.Itoa(n))
		case 1:
			list = append(list, strconv.Itoa(n), strconv.Itoa(last))
		default:
			list = append(list, fmt.Sprintf("%d-%d", n, last))
		}
		n = last
	}
	return strings.Join(list, ",")
}
