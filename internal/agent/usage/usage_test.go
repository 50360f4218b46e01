package usage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/internal/agent/usage"
)

const (
	mib = 1 << 20
	gib = 1 << 30

	// what version 1 says where there is no limit
	noLimit = "9223372036854771712"

	twoMount = "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
)

// machine is what every computer here has: 4 processors, 8 GiB, half of it in use.
var machine = map[string]string{
	"proc/meminfo": "MemTotal:        8388608 kB\nMemFree:          1048576 kB\nMemAvailable:    4194304 kB\n",
	"proc/stat":    "cpu  100 20 30 4000 500 6 7 8 90 9\ncpu0 1 2 3 4 5\ncpu1 1 2 3 4 5\ncpu2 1 2 3 4 5\ncpu3 1 2 3 4 5\nintr 1 2 3\n",
}

// computer makes a computer of files. A name that ends in @ is a link.
func computer(t *testing.T, parts ...map[string]string) usage.Reader {
	t.Helper()
	root := t.TempDir()
	for _, part := range append(parts, machine) {
		for name, text := range part {
			link := strings.HasSuffix(name, "@")
			path := filepath.Join(root, strings.TrimSuffix(name, "@"))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if link {
				os.Symlink(text, path)
			} else if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return usage.At(root, 4)
}

// own is a namespace of its own, as containers have.
var own = map[string]string{"proc/self/ns/cgroup@": "cgroup:[4026532000]", "proc/self/ns/pid@": "pid:[4026532001]"}

func TestContainers(t *testing.T) {
	t.Parallel()
	half := usage.Memory{Used: 4 * gib, Total: 8 * gib}
	hostTime := 1710 * time.Millisecond // 100+20+30+6+7+8 ticks
	for name, c := range map[string]struct {
		files     []map[string]string
		memory    usage.Memory
		processor usage.Processor
		contained bool
	}{
		"no groups at all": {memory: half, processor: usage.Processor{Used: hostTime, Cores: 4}},
		"a machine with version 2": {
			files: []map[string]string{{
				"proc/self/cgroup":    "0::/user.slice/session.scope\n",
				"proc/self/mountinfo": twoMount, "proc/self/ns/cgroup@": "cgroup:[4026531835]", "proc/self/ns/pid@": "pid:[4026531836]",
				"sys/fs/cgroup/user.slice/session.scope/memory.max":     "max\n",
				"sys/fs/cgroup/user.slice/session.scope/memory.current": "1000\n",
				"sys/fs/cgroup/user.slice/session.scope/cpu.max":        "max 100000\n",
				"sys/fs/cgroup/user.slice/session.scope/cpu.stat":       "usage_usec 5\n",
			}},
			memory: half, processor: usage.Processor{Used: hostTime, Cores: 4},
		},
		"a service with a limit on its slice": {
			files: []map[string]string{{
				"proc/self/cgroup":    "0::/work.slice/berth.service\n",
				"proc/self/mountinfo": twoMount, "proc/self/ns/cgroup@": "cgroup:[4026531835]",
				"sys/fs/cgroup/work.slice/memory.max":                   "1073741824\n",
				"sys/fs/cgroup/work.slice/memory.current":               "536870912\n",
				"sys/fs/cgroup/work.slice/berth.service/memory.max":     "max\n",
				"sys/fs/cgroup/work.slice/berth.service/memory.current": "7\n",
				"sys/fs/cgroup/work.slice/cpu.max":                      "150000 100000\n",
				"sys/fs/cgroup/work.slice/cpu.stat":                     "usage_usec 2000000\nuser_usec 1\n",
			}},
			memory: usage.Memory{Used: gib / 2, Total: gib}, processor: usage.Processor{Used: 2 * time.Second, Cores: 1.5},
		},
		"Docker, version 2": {
			files: []map[string]string{own, {
				"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": twoMount,
				"sys/fs/cgroup/memory.max": "2147483648\n", "sys/fs/cgroup/memory.current": "1073741824\n",
				"sys/fs/cgroup/memory.stat": "anon 5\ninactive_file 536870912\n",
				"sys/fs/cgroup/cpu.max":     "50000 100000\n", "sys/fs/cgroup/cpu.stat": "usage_usec 3000000\n",
			}},
			memory: usage.Memory{Used: gib / 2, Total: 2 * gib}, processor: usage.Processor{Used: 3 * time.Second, Cores: .5}, contained: true,
		},
		"Docker, version 2, no limit": {
			files: []map[string]string{own, {
				"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": twoMount,
				"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "1073741824\n",
				"sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/cpu.stat": "usage_usec 3000000\n",
			}},
			memory: usage.Memory{Used: gib, Total: 8 * gib}, processor: usage.Processor{Used: 3 * time.Second, Cores: 4}, contained: true,
		},
		"systemd within Docker": {
			files: []map[string]string{own, {
				"proc/self/cgroup": "0::/init.scope\n", "proc/self/mountinfo": twoMount,
				"sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.current": "104857600\n",
				"sys/fs/cgroup/init.scope/memory.max": "max\n", "sys/fs/cgroup/init.scope/memory.current": "5\n",
			}},
			memory: usage.Memory{Used: 100 * mib, Total: gib}, processor: usage.Processor{Used: hostTime, Cores: 4}, contained: true,
		},
		"Docker, version 1, named as the machine does": {
			files: []map[string]string{{
				"proc/self/ns/pid@": "pid:[4026532001]",
				"proc/self/cgroup":  "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n",
				"proc/self/mountinfo": "40 30 0:30 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n" +
					"41 30 0:31 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "536870912\n",
				"sys/fs/cgroup/memory/memory.stat":             "inactive_file 1\ntotal_inactive_file 268435456\n",
				"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":   "200000\n",
				"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":  "100000\n",
				"sys/fs/cgroup/cpu,cpuacct/cpuacct.usage":      "4000000000\n",
				"sys/fs/cgroup/cpu,cpuacct/docker/abc/ignored": "",
			}},
			memory: usage.Memory{Used: gib / 4, Total: gib}, processor: usage.Processor{Used: 4 * time.Second, Cores: 2}, contained: true,
		},
		"version 1 without limits beside an empty version 2": {
			files: []map[string]string{{
				"proc/self/ns/pid@": "pid:[4026532001]",
				"proc/self/cgroup":  "4:memory:/box/one\n2:cpuacct:/box\n1:cpu:/box\n0::/\n",
				"proc/self/mountinfo": "31 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
					"33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
				"proc/self/ns/cgroup@":                               "cgroup:[4026531835]",
				"sys/fs/cgroup/memory/box/one/memory.limit_in_bytes": noLimit, "sys/fs/cgroup/memory/box/one/memory.usage_in_bytes": "5",
				"sys/fs/cgroup/memory/box/memory.limit_in_bytes": "2147483648", "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1073741824",
				"sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000",
				"sys/fs/cgroup/cpuacct/box/cpuacct.usage": "1",
			}},
			memory: usage.Memory{Used: gib, Total: 2 * gib}, processor: usage.Processor{Used: hostTime, Cores: 4}, contained: true,
		},
		"files of nonsense": {
			files: []map[string]string{own, {
				"proc/self/cgroup": "nonsense\n0::/../../elsewhere\n::\n", "proc/self/mountinfo": "x - y\n" + twoMount,
				"sys/fs/cgroup/memory.max": "many", "sys/fs/cgroup/memory.current": "few", "sys/fs/cgroup/cpu.max": "0 0", "sys/fs/cgroup/cpu.stat": "usage_usec",
			}},
			memory: half, processor: usage.Processor{Used: hostTime, Cores: 4}, contained: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := computer(t, c.files...)
			if m, err := r.Memory(); err != nil || m != c.memory {
				t.Errorf("memory %+v, %v; want %+v", m, err, c.memory)
			}
			if p, err := r.Processor(); err != nil || p != c.processor {
				t.Errorf("processor %+v, %v; want %+v", p, err, c.processor)
			}
			if m, err := r.HostMemory(); err != nil || m != half || m.Percent() != 50 {
				t.Errorf("the machine's memory %+v, %v", m, err)
			}
			if got := r.Contained(); got != c.contained {
				t.Errorf("contained: %v", got)
			}
		})
	}
}

func TestProcessorOverTime(t *testing.T) {
	t.Parallel()
	before := usage.Processor{Used: time.Second, Cores: 2}
	if got := (usage.Processor{Used: 4 * time.Second, Cores: 2}).Since(before, 2*time.Second); got != 1.5 {
		t.Errorf("%v processors", got)
	}
	if got := (usage.Processor{}).Since(before, time.Second); got != 0 {
		t.Errorf("a counter that began anew: %v processors", got)
	}
}

// This computer, whatever it is, tells something that can be.
func TestThisComputer(t *testing.T) {
	t.Parallel()
	r := usage.New()
	if m, err := r.Memory(); err != nil || m.Used <= 0 || m.Used > m.Total {
		t.Errorf("memory %+v, %v", m, err)
	}
	p, err := r.Processor()
	if err != nil || p.Used <= 0 || p.Cores <= 0 {
		t.Errorf("processor %+v, %v", p, err)
	}
	began := time.Now()
	for time.Since(began) < 200*time.Millisecond {
	}
	after, err := r.Processor()
	if used := after.Since(p, time.Since(began)); err != nil || used < 0.1 {
		t.Errorf("a busy loop used %v processors, %v", used, err)
	}
	if d, err := usage.Volume(t.TempDir()); err != nil || d.Used <= 0 || d.Percent() > 100 {
		t.Errorf("volume %+v, %v", d, err)
	}
}
