package cli

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// length reads a length of time: 8h, 90m, 1h30m, 2d, 1d12h, 2w.
func length(text string) (time.Duration, error) {
	rest, total := strings.ToLower(text), time.Duration(0)
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, behind, found := strings.Cut(rest, u.name)
		if !found {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > 100_000 {
			return 0, notALength(text)
		}
		rest, total = behind, total+time.Duration(n)*u.size
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil {
			return 0, notALength(text)
		}
		total += d
	}
	if total < 0 || text == "" {
		return 0, notALength(text)
	}
	return total, nil
}

func notALength(text string) error {
	return usagef("%q is not a length of time: give for example 8h, 90m or 2d", text)
}

// lengthOr is length, or 0 for words such as manual that mean never.
func lengthOr(text string, never ...string) (time.Duration, error) {
	if slices.Contains(never, strings.ToLower(text)) {
		return 0, nil
	}
	return length(text)
}

// inWords is a length of time as sentences have it: 8 h, 1 h 30 min, 2 days.
func inWords(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		one, many string
		size      time.Duration
	}{{"day", "days", 24 * time.Hour}, {"h", "h", time.Hour}, {"min", "min", time.Minute}, {"s", "s", time.Second}} {
		n := int64(d / u.size)
		if n == 0 {
			continue
		}
		d -= time.Duration(n) * u.size
		name := u.many
		if n == 1 {
			name = u.one
		}
		parts = append(parts, strconv.FormatInt(n, 10)+" "+name)
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts, " ")
}
