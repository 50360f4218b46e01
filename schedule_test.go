package berth_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"pgregory.net/rapid"
)

func TestParseSchedule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, canonical, people string }{
		{"30 9 * * 1-5", "CRON_TZ=UTC 30 9 * * 1-5", "09:30 on Monday to Friday (UTC)"},
		{"CRON_TZ=Europe/Dublin 30 9 * * mon-fri", "CRON_TZ=Europe/Dublin 30 9 * * 1-5", "09:30 on Monday to Friday (Europe/Dublin)"},
		{"TZ=Asia/Kathmandu  5,10 7 * * Saturday", "CRON_TZ=Asia/Kathmandu 5,10 7 * * 6", "07:05 and 07:10 on Saturday (Asia/Kathmandu)"},
		{"0 0 * * *", "CRON_TZ=UTC 0 0 * * *", "00:00 every day (UTC)"},
		{"0 0 * * 0-7", "CRON_TZ=UTC 0 0 * * *", "00:00 every day (UTC)"},
		{"0 8 * * 7", "CRON_TZ=UTC 0 8 * * 0", "08:00 on Sunday (UTC)"},
		{"0 8 * * fri-mon", "CRON_TZ=UTC 0 8 * * 0,1,5,6", "08:00 on Monday and Friday to Sunday (UTC)"},
		{"*/15 9-17/4 * * 1,3,5", "CRON_TZ=UTC 0,15,30,45 9,13,17 * * 1,3,5", "12 times from 09:00 to 17:45 on Monday, Wednesday and Friday (UTC)"},
		{"50/5 23 * * sun", "CRON_TZ=UTC 50,55 23 * * 0", "23:50 and 23:55 on Sunday (UTC)"},
		{"* * * * *", "CRON_TZ=UTC * * * * *", "1440 times from 00:00 to 23:59 every day (UTC)"},
	} {
		s, err := berth.ParseSchedule("autostart", c.text)
		if err != nil || s.String() != c.canonical || s.Describe() != c.people {
			t.Errorf("%q is %q, %q, %v; want %q, %q", c.text, s, s.Describe(), err, c.canonical, c.people)
		}
		if again, err := berth.ParseSchedule("autostart", s.String()); err != nil || again != s {
			t.Errorf("%q is not what it reads as: %v, %v", s, again, err)
		}
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"":                                "is not a schedule",
		"CRON_TZ=Europe/Dublin":           "is not a schedule",
		"30 9 * *":                        "is not a schedule",
		"0 30 9 * * 1-5":                  "is not a schedule",
		"@daily":                          "is not a schedule",
		"30 9 1 * *":                      "is for a week",
		"30 9 * 6 *":                      "is for a week",
		"60 9 * * *":                      `"60" is not a number from 0 to 59`,
		"-1 9 * * *":                      "is not a number",
		"+1 9 * * *":                      "is not a number",
		"0 24 * * *":                      "the hour of the schedule",
		"0 9 * * 8":                       "the day of the week of the schedule",
		"0 9 * * someday":                 "is not a number",
		"0 17-9 * * *":                    "ends before it begins",
		"*/0 9 * * *":                     "has no step",
		"*/ 9 * * *":                      "has no step",
		"1,,2 9 * * *":                    "is not a number",
		"CRON_TZ=Local 0 9 * * *":         "is not a time zone",
		"CRON_TZ=local 0 9 * * *":         "is not a time zone",
		"CRON_TZ= 0 9 * * *":              "is not a time zone",
		"CRON_TZ=Mars/Base 0 9 * * *":     "is not a time zone",
		"CRON_TZ=../../etc/x 0 9 * * *":   "is not a time zone",
		"ZONE=UTC 0 9 * * *":              "is not known before a schedule",
		strings.Repeat("1,", 200) + "2 9": "at most",
	} {
		if _, err := berth.ParseSchedule("autostart", text); berth.ErrorCode(err) != berth.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want one that says %q", text, err, says)
		}
	}
}

func TestParseQuietHours(t *testing.T) {
	t.Parallel()
	if s, err := berth.ParseQuietHours("quiet_hours", "CRON_TZ=Europe/Dublin 0 22 * * *"); err != nil || s.Describe() != "22:00 every day (Europe/Dublin)" {
		t.Error(s.Describe(), err)
	}
	for _, text := range []string{"0 22 * * 1", "0 21,22 * * *", "*/30 22 * * *", "nonsense"} {
		if _, err := berth.ParseQuietHours("quiet_hours", text); berth.ErrorCode(err) != berth.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestScheduleClocksChange has the days on which clocks are changed.
func TestScheduleClocksChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schedule, after, next string }{
		// Dublin skips 01:00 to 02:00 on 29 March 2026, and has it twice on 25 October.
		{"CRON_TZ=Europe/Dublin 30 1 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"CRON_TZ=Europe/Dublin 30 1 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		{"CRON_TZ=Europe/Dublin 10,20,30 1 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:10:00Z"},
		{"CRON_TZ=Europe/Dublin 30 1 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		{"CRON_TZ=Europe/Dublin 30 1 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		// Havana skips 00:00 to 01:00.
		{"CRON_TZ=America/Havana 0 0 * * *", "2026-03-07T12:00:00Z", "2026-03-08T05:00:00Z"},
		// Lord Howe is put forward by half an hour.
		{"CRON_TZ=Australia/Lord_Howe 15 2 * * *", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z"},
		// Apia had no 30 December 2011, which was a Friday.
		{"CRON_TZ=Pacific/Apia 0 9 * * 5", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00Z"},
	} {
		s, err := berth.ParseSchedule("", c.schedule)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := time.Parse(time.RFC3339, c.after)
		if got := s.Next(after).UTC().Format(time.RFC3339); got != c.next {
			t.Errorf("%s after %s is %s, want %s", c.schedule, c.after, got, c.next)
		}
	}
}

var someZones = []string{"UTC", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Havana", "America/Sao_Paulo", "Africa/Casablanca",
	"Asia/Gaza", "Asia/Tehran", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Antarctica/Troll"}

// TestScheduleAgainstClocks compares with somebody who looks at the clocks of
// the zone each minute: a time happens when the clocks first show it, or first
// show a later one.
func TestScheduleAgainstClocks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(someZones).Draw(t, "zone")
		minute, hour := rapid.SampledFrom([]string{"0", "30", "*/20", "59", "1,31"}).Draw(t, "minute"), rapid.SampledFrom([]string{"*", "0", "1", "2", "3", "23", "0-4", "9,17"}).Draw(t, "hour")
		days := rapid.SampledFrom([]string{"*", "0", "6", "1-5", "5-7"}).Draw(t, "days")
		s, err := berth.ParseSchedule("", "CRON_TZ="+zone+" "+minute+" "+hour+" * * "+days)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Unix(60*rapid.Int64Range(1975*365*24*60-1970*365*24*60, 66*365*24*60).Draw(t, "start"), 0)
		if rapid.Bool().Draw(t, "at a change") { // of the clocks
			if _, end := start.In(s.Location()).ZoneBounds(); !end.IsZero() {
				start = end.Truncate(time.Minute).Add(-26 * time.Hour)
			}
		}
		var want []time.Time
		in := func(list []int, n int) bool { return slices.Contains(list, n) }
		minutes, hours, weekdays := slotsOf(minute, 60), slotsOf(hour, 24), slotsOf(days, 7)
		var shown time.Time
		wall := func(at time.Time) time.Time {
			l := at.In(s.Location())
			return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
		}
		for at := start.Add(-4 * time.Hour); !at.After(start); at = at.Add(time.Minute) {
			if w := wall(at); w.After(shown) {
				shown = w
			}
		}
		for at := start.Add(time.Minute); at.Before(start.Add(50 * time.Hour)); at = at.Add(time.Minute) {
			happens := false
			for w := wall(at); shown.Before(w); {
				shown = shown.Add(time.Minute)
				happens = happens || in(minutes, shown.Minute()) && in(hours, shown.Hour()) && in(weekdays, int(shown.Weekday()))
			}
			if happens {
				want = append(want, at)
			}
		}
		last := start
		for i, w := range want {
			if got := s.Next(last); !got.Equal(w) {
				t.Fatalf("%s: after %s is %s, want %s", s, last.In(s.Location()), got.In(s.Location()), w.In(s.Location()))
			}
			if got := s.Next(w.Add(-time.Second)); !got.Equal(w) {
				t.Fatalf("%s: just before %s is %s", s, w.In(s.Location()), got.In(s.Location()))
			}
			if i > 0 {
				if got := s.Previous(w); !got.Equal(last) {
					t.Fatalf("%s: before %s is %s, want %s", s, w.In(s.Location()), got.In(s.Location()), last.In(s.Location()))
				}
			}
			last = w
		}
	})
}

func slotsOf(text string, n int) (list []int) {
	sets := map[string][]int{"0": {0}, "30": {30}, "59": {59}, "1,31": {1, 31}, "*/20": {0, 20, 40}, "1": {1}, "2": {2}, "3": {3}, "23": {23}, "6": {6},
		"0-4": {0, 1, 2, 3, 4}, "9,17": {9, 17}, "1-5": {1, 2, 3, 4, 5}, "5-7": {5, 6, 0}}
	if text == "*" {
		for i := range n {
			list = append(list, i)
		}
		return list
	}
	return sets[text]
}

func FuzzParseSchedule(f *testing.F) {
	f.Add("CRON_TZ=Europe/Dublin 30 9 * * mon-fri")
	f.Add("*/5 1-3,7/2 * * fri-mon/2")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := berth.ParseSchedule("autostart", text)
		if err != nil {
			return
		}
		if again, err := berth.ParseSchedule("autostart", s.String()); err != nil || again != s {
			t.Fatalf("%q is %q, which is %q: %v", text, s, again, err)
		}
		at := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
		next := s.Next(at)
		if !next.After(at) || next.After(at.AddDate(0, 0, 9)) || !s.Previous(next.Add(time.Nanosecond)).Equal(next) {
			t.Fatalf("%q is next at %s", text, next)
		}
	})
}
