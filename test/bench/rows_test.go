//go:build bench

package bench

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// row prints one line: what, ours and the reference as median (min to max),
// and the ratio of the medians.
func row(what string, ours, ref []float64, unit string) {
	line := fmt.Sprintf("%-52s %s", what, spread(ours, unit))
	if len(ref) > 0 {
		line += fmt.Sprintf("   against %s   ratio %.2f", spread(ref, unit), median(ours)/median(ref))
	}
	fmt.Println(line)
	if f, err := os.OpenFile(os.Getenv("BERTH_BENCH_FILE"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
		fmt.Fprintln(f, line)
		f.Close()
	}
}

func spread(v []float64, unit string) string {
	if len(v) == 0 {
		return "not measured"
	}
	s := slices.Sorted(slices.Values(v))
	if len(s) == 1 {
		return fmt.Sprintf("%.4g %s", s[0], unit)
	}
	return fmt.Sprintf("%.4g %s (%.4g-%.4g, n=%d)", median(s), unit, s[0], s[len(s)-1], len(s))
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

func seconds(f func()) float64 {
	began := time.Now()
	f()
	return time.Since(began).Seconds()
}

// cpuTicks of the process and of all its children that have ended, in seconds.
func cpu(t testing.TB, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var sum float64
	for _, f := range fields[11:15] { // utime stime cutime cstime
		var n float64
		fmt.Sscan(f, &n)
		sum += n
	}
	return sum / 100
}
