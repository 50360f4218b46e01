package lifecycle

import (
	"fmt"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// quietAfter is when a time of day comes next after t.
func quietAfter(t time.Time, zone *time.Location, hour, minute int) time.Time {
	year, month, day := t.In(zone).AddDate(0, 0, -2).Date()
	for i := 0; ; i++ {
		if at := time.Date(year, month, day+i, hour, minute, 0, 0, zone); at.After(t) {
			return at
		}
	}
}

// weekOfDate is how many weeks after 2 January 2023 a date is, counted in steps of
// a week.
var weekOfDate = func() map[string]int {
	weeks := map[string]int{}
	for n, day := 0, time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC); day.Year() < 2029; n++ {
		for range 7 {
			weeks[day.Format(time.DateOnly)] = n
			day = day.AddDate(0, 0, 1)
		}
	}
	return weeks
}()

// requiredByDays finds a required stop from the day on: the first day in two
// hours that counts and whose quiet hours are not too near.
func requiredByDays(p berth.Policy, zone *time.Location, hour, minute int, from time.Time) time.Time {
	year, month, day := from.Add(2 * time.Hour).In(zone).Date()
	for i := 0; ; i++ {
		start := time.Date(year, month, day+i, 0, 0, 0, 0, zone)
		if !p.AutostopDays.Has(start.Weekday()) || weekOfDate[start.Format(time.DateOnly)]%max(p.AutostopWeeks, 1) != 0 {
			continue
		}
		if at := quietAfter(start.Add(-15*time.Minute-time.Second), zone, hour, minute); at.Sub(from) >= 2*time.Hour {
			return at
		}
	}
}

func TestRequiredStops(t *testing.T) {
	t.Parallel()
	days := []berth.Weekdays{berth.EveryDay, 1<<time.Saturday | 1<<time.Sunday}
	for _, d := range []time.Weekday{time.Sunday, time.Monday, time.Thursday, time.Saturday} {
		days = append(days, 1<<d)
	}
	for _, name := range []string{"UTC", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		var begins []time.Time
		for i := range 12 {
			begins = append(begins, time.Date(2026, 1, 1, 7*i, 37*i, 0, 0, zone).AddDate(0, 0, 31*i))
		}
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, zone); at.Year() == 2026; { // around each change of the clocks
			_, end := at.ZoneBounds()
			if end.IsZero() || end.Year() > 2026 {
				break
			}
			for h := -30; h <= 6; h += 4 {
				begins = append(begins, end.Add(time.Duration(h)*time.Hour))
			}
			at = end
		}
		for _, quiet := range [][2]int{{0, 0}, {4, 30}, {22, 0}, {23, 44}, {23, 45}} {
			for _, set := range days {
				for _, weeks := range []int{0, 1, 2, 5, 16} {
					p := berth.Policy{AutostopDays: set, AutostopWeeks: weeks, QuietHours: fmt.Sprintf("CRON_TZ=%s %d %d * * *", name, quiet[1], quiet[0])}
					for _, begin := range begins {
						got, want := requiredStop(p, begin), requiredByDays(p, zone, quiet[0], quiet[1], begin)
						if !got.Equal(want) {
							t.Fatalf("%s, %s of one week in %d, from %s: %s, want %s", p.QuietHours, set.Describe(), weeks, begin, got.In(zone), want)
						}
					}
				}
			}
		}
	}
}

func BenchmarkNext(b *testing.B) {
	f := world(ttl(8*time.Hour), bump(time.Hour), autoOff(2*time.Hour), schedule("CRON_TZ=Europe/Dublin 0 9 * * 1-5"), asItStands)
	f.Template.Policy.AutostopDays, f.Template.Policy.AutostopWeeks = 1<<time.Saturday, 2
	f.Run.Policy.AutostopDays, f.Run.Policy.AutostopWeeks = 1<<time.Saturday, 2
	f.Template.Policy.DormancyThreshold, f.Template.Policy.AutostopNotify = 30*day, 15*time.Minute
	b.ReportAllocs()
	for b.Loop() {
		Next(f, monday.Add(time.Hour))
	}
}

func BenchmarkForecast(b *testing.B) {
	f := world(ttl(8*time.Hour), schedule("CRON_TZ=Europe/Dublin 0 9 * * 1-5"), asItStands)
	for b.Loop() {
		Forecast(f, monday.Add(time.Hour), 14*day)
	}
}
