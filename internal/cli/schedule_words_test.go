package cli

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

func TestWeekly(t *testing.T) {
	t.Setenv("TZ", "Europe/Madrid")
	for text, want := range map[string]string{
		"9:30AM Mon-Fri Europe/Dublin":       "CRON_TZ=Europe/Dublin 30 9 * * 1-5",
		"9:30 AM Mon-Fri Europe/Dublin":      "CRON_TZ=Europe/Dublin 30 9 * * 1-5",
		"9:30am monday-friday Europe/Dublin": "CRON_TZ=Europe/Dublin 30 9 * * 1-5",
		"21:05 UTC sat,sun":                  "CRON_TZ=UTC 5 21 * * 0,6",
		"12AM daily UTC":                     "CRON_TZ=UTC 0 0 * * *",
		"12PM UTC":                           "CRON_TZ=UTC 0 12 * * *",
		"08:00 weekdays":                     "CRON_TZ=Europe/Madrid 0 8 * * 1-5",
		"8AM weekends":                       "CRON_TZ=Europe/Madrid 0 8 * * 0,6",
		"7:00 fri-mon":                       "CRON_TZ=Europe/Madrid 0 7 * * 0,1,5,6",
		"7:00 tue-thu,sat UTC":               "CRON_TZ=UTC 0 7 * * 2-4,6",
		"manual":                             "",
		"Off":                                "",
		"30 9 * * 1-5":                       "30 9 * * 1-5",
		"CRON_TZ=Asia/Tokyo 0 8 * * MON":     "CRON_TZ=Asia/Tokyo 0 8 * * MON",
	} {
		got, err := weekly([]string{text})
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
		if again, err := weekly(strings.Fields(text)); err != nil || again != got {
			t.Errorf("%q in words: %q, %v", text, again, err)
		}
		if want != "" {
			if _, err := berth.ParseSchedule("", got); err != nil {
				t.Errorf("%q: the server refuses %q: %v", text, got, err)
			}
		}
	}
	for text, cure := range map[string]string{
		"":                       "say when",
		"25:00":                  "21:30",
		"9":                      "9:30AM",
		"0AM":                    "9:30AM",
		"13PM":                   "9:30AM",
		"9:5":                    "9:30",
		"9:30 mon-nonday":        "mon-fri",
		"9:30 mon,nonday":        "mon-fri",
		"9:30 mon tue":           "Mon,Wed",
		"9:30 UTC Europe/Dublin": "neither a day nor a time zone",
	} {
		if got, err := weekly([]string{text}); err == nil || !strings.Contains(err.Error(), cure) {
			t.Errorf("%q: %q, %v; want a word of %q", text, got, err, cure)
		}
	}
}

func TestDaily(t *testing.T) {
	for text, want := range map[string]string{"22:00 Europe/Dublin": "CRON_TZ=Europe/Dublin 0 22 * * *", "default": "", "11PM daily UTC": "CRON_TZ=UTC 0 23 * * *"} {
		if got, err := daily(strings.Fields(text)); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := daily([]string{"22:00 mon-fri UTC"}); err == nil {
		t.Error("quiet hours on some days were taken")
	}
	for text, want := range map[string][2]string{"": {"me", ""}, "ana": {"ana", ""}, "ana 22:00 UTC": {"ana", "22:00 UTC"}, "default": {"me", "default"}, "22:00": {"me", "22:00"}, "ana default": {"ana", "default"}} {
		if user, words := quietArgs(strings.Fields(text)); user != want[0] || strings.Join(words, " ") != want[1] {
			t.Errorf("%q: %s, %q; want %q", text, user, words, want)
		}
	}
}

func TestLocalZone(t *testing.T) {
	none := errors.New("there is none")
	for _, c := range []struct{ env, link, file, want string }{
		{"", "", "", ""},
		{":Europe/Dublin", "/usr/share/zoneinfo/Asia/Tokyo", "America/Lima\n", "Europe/Dublin"},
		{"CET-1CEST", "/usr/share/zoneinfo/Asia/Tokyo", "", "Asia/Tokyo"},
		{"", "/var/db/timezone/zoneinfo/Europe/Paris", "", "Europe/Paris"},
		{"", "../usr/share/zoneinfo/Etc/UTC", "", "UTC"},
		{"/etc/somewhere", "", "America/Lima\n", "America/Lima"},
		{"", "", "Etc/UTC\n", "UTC"},
	} {
		got := localZone(func(string) string { return c.env },
			func(string) ([]byte, error) {
				if c.file == "" {
					return nil, os.ErrNotExist
				}
				return []byte(c.file), nil
			},
			func(string) (string, error) {
				if c.link == "" {
					return "", none
				}
				return c.link, nil
			})
		if got != c.want && c.want != "" {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestLength(t *testing.T) {
	for text, want := range map[string]string{"8h": "8 h", "90m": "1 h 30 min", "2d": "2 days", "1d12h": "1 day 12 h", "1w": "7 days", "0s": "0 s", "30D": "30 days"} {
		if got, err := length(text); err != nil || inWords(got) != want {
			t.Errorf("%s: %s, %v; want %s", text, inWords(got), err, want)
		}
	}
	for _, text := range []string{"", "8", "-8h", "xd", "d", "1h2d", "99999999999w", "1.5d"} {
		if got, err := length(text); err == nil {
			t.Errorf("%q was taken for %v", text, got)
		}
	}
	if got, err := lengthOr("Manual", "manual"); err != nil || got != 0 {
		t.Errorf("manual: %v, %v", got, err)
	}
}
