//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// cell is how long builds are made at one degree of parallelism.
const cell = 12 * time.Second

// TestParallel: stops and starts of 1 to 8 workspaces at a time, against as many
// directories of plain terraform, and the memory that ours take.
func TestParallel(t *testing.T) {
	for _, warm := range []string{"auto", "off"} {
		s, dir, push, vars := bench(t, "docker", warm)
		s.Berth(append([]string{"templates", "push", "docker", "-d", dir}, push...)...)
		name := map[string]string{"auto": "docker warm", "off": "docker cold"}[warm]
		var plains []*plain
		for i := range 8 {
			s.Berth("create", fmt.Sprint("w", i), "-t", "docker", "-y")
			p := newPlain(t, s, dir, vars)
			for j, kv := range p.env { // each a workspace of its own
				if strings.HasPrefix(kv, "CODER_WORKSPACE_ID=") {
					p.env[j] = kv[:len(kv)-1] + fmt.Sprint(i)
				}
			}
			p.apply("start")
			plains = append(plains, p)
		}
		for _, n := range []int{1, 2, 4, 8} {
			peak := make(chan float64, 1)
			stop := make(chan struct{})
			go func() { peak <- highest(s.Data, stop) }()
			ours := perMinute(n, func(i int, verb string) { s.Berth(verb, fmt.Sprint("w", i), "-y") })
			close(stop)
			memory := <-peak
			theirs := perMinute(n, func(i int, verb string) { plains[i].apply(verb) })
			row(fmt.Sprintf("%s, %d at a time, builds a minute", name, n), []float64{ours}, []float64{theirs}, "")
			row(fmt.Sprintf("%s, %d at a time, memory of builds and plugins", name, n), []float64{memory}, nil, "MB")
		}
		row(name+", memory between builds", []float64{memoryUnder(s.Data)}, nil, "MB")
		for i, p := range plains {
			p.destroy()
			s.Berth("delete", fmt.Sprint("w", i), "-y")
		}
	}
}

// perMinute lets n workers stop and start for a while.
func perMinute(n int, build func(i int, verb string)) float64 {
	var all sync.WaitGroup
	var mu sync.Mutex
	count, began := 0, time.Now()
	for i := range n {
		all.Go(func() {
			for time.Since(began) < cell {
				for _, verb := range []string{"stop", "start"} {
					build(i, verb)
					mu.Lock()
					count++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return float64(count) / time.Since(began).Minutes()
}

// highest is the most memory seen until stop.
func highest(dir string, stop <-chan struct{}) (most float64) {
	for {
		most = max(most, memoryUnder(dir))
		select {
		case <-stop:
			return most
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// memoryUnder is the memory, in MB and each shared page divided among those that
// have it, of what works below a server's directory: keepers, terraform, plugins.
func memoryUnder(dir string) float64 {
	var sum float64
	for _, proc := range below(dir) {
		text, _ := os.ReadFile(filepath.Join(proc, "smaps_rollup"))
		for line := range strings.Lines(string(text)) {
			var kb float64
			if _, err := fmt.Sscanf(line, "Pss: %f kB", &kb); err == nil {
				sum += kb / 1024
			}
		}
	}
	return sum
}

// below lists the processes that work in dir, or were told of it, but not the
// server.
func below(dir string) (list []string) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range procs {
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		env, _ := os.ReadFile(filepath.Join(proc, "environ"))
		if strings.HasPrefix(cwd, dir) || bytes.Contains(env, []byte(dir)) {
			list = append(list, proc)
		}
	}
	return list
}

// spent is the processor time of a server, of all its builds that are over, and
// of the plugins that wait for the next.
func spent(t testing.TB, s *harness.Server) float64 {
	sum := cpu(t, s.PID())
	for _, proc := range below(filepath.Join(s.Data, "work", "warm")) {
		var pid int
		fmt.Sscan(filepath.Base(proc), &pid)
		if _, err := os.Stat(proc + "/stat"); err == nil {
			sum += cpu(t, pid)
		}
	}
	return sum
}
