//go:build bench

package bench

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// TestServer: from start with data to healthy, and memory when idle.
func TestServer(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			var o harness.Options
			if engine == "postgres" {
				o.Args = []string{"--database-url", harness.Postgres(t)}
			}
			s := harness.Start(t, o)
			var healthy []float64
			for range 5 {
				s.Signal(syscall.SIGTERM)
				healthy = append(healthy, seconds(s.Run))
			}
			time.Sleep(5 * time.Second)
			row("server start to healthy, "+engine, healthy, nil, "s")
			row("server idle memory (resident), "+engine, []float64{rss(t, s.PID())}, nil, "MB")
		})
	}
}

func rss(t *testing.T, pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}

func TestSizes(t *testing.T) {
	for _, name := range []string{"berth", "berth-agent-linux-amd64", "berth-plugin"} {
		b, err := os.ReadFile(harness.Bin(t, name))
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, 9)
		w.Write(b)
		w.Close()
		row("size of "+name, []float64{float64(len(b)) / 1e6}, nil, "MB")
		row("size of "+name+", compressed", []float64{float64(packed.Len()) / 1e6}, nil, "MB")
	}
}

var result = regexp.MustCompile(`^(Benchmark\S+)\s+\d+\s+([\d.]+) ns/op`)

// TestPackages runs the packages' own benchmarks: the queue, the first page of
// 10,000 workspaces and who sees what of them on both engines, the tunnel, a tick
// of the lifecycle loop among 100,000.
func TestPackages(t *testing.T) {
	for _, p := range []string{"./internal/builds", "./internal/store", "./internal/links", "./internal/schedules"} {
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-benchtime", "1s", "-count", "3", p)
		cmd.Dir = harness.Root()
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", p, err, out)
		}
		values := map[string][]float64{}
		var names []string
		for line := range strings.Lines(string(out)) {
			if m := result.FindStringSubmatch(line); m != nil {
				ns, _ := strconv.ParseFloat(m[2], 64)
				if values[m[1]] == nil {
					names = append(names, m[1])
				}
				values[m[1]] = append(values[m[1]], ns/1e6)
			}
		}
		for _, n := range names {
			row(strings.TrimPrefix(p, "./internal/")+": "+strings.TrimPrefix(n, "Benchmark"), values[n], nil, "ms")
		}
	}
}
