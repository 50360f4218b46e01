package usage

import (
	"strconv"
	"strings"
	"time"
)

// Memory is that of the container, or of the machine where there is none.
func (r Reader) Memory() (Memory, error) {
	host, err := r.HostMemory()
	g, ok := r.groups("memory")
	if !ok {
		return host, err
	}
	limit, current, reclaimable := "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
	if g.two {
		limit, current, reclaimable = "memory.max", "memory.current", "inactive_file"
	}
	at, lowest, ok := g.tightest(func(dir string) (float64, bool) {
		n, err := r.number(dir, limit) // "max" is no number
		return float64(n), err == nil && (host.Total == 0 || n < host.Total)
	})
	if !ok {
		return host, err
	}
	used, usedErr := r.number(g.dirs[at], current)
	if usedErr != nil {
		return host, err
	}
	if cache, err := r.field(reclaimable, g.dirs[at], "memory.stat"); err == nil {
		used = max(used-cache, 0)
	}
	m := Memory{Used: used, Total: int64(lowest)}
	if m.Total == 0 {
		m.Total = host.Total
	}
	return m, nil
}

// Processor is that of the container, or of the machine where there is none.
func (r Reader) Processor() (Processor, error) {
	limits, ok := r.groups("cpu")
	if !ok {
		return r.HostProcessor()
	}
	at, lowest, ok := limits.tightest(func(dir string) (float64, bool) { return r.quota(dir, limits.two) })
	if !ok {
		return r.HostProcessor()
	}
	used, err := r.processorTime(limits, at)
	if err != nil {
		return r.HostProcessor()
	}
	cores := float64(r.cores)
	if lowest > 0 && lowest < cores {
		cores = lowest
	}
	return Processor{Used: used, Cores: cores}, nil
}

// quota is how many processors a group may use, if that is limited.
func (r Reader) quota(dir string, two bool) (cores float64, limited bool) {
	if two {
		text, _ := r.text(dir, "cpu.max")
		f := strings.Fields(text)
		if len(f) != 2 {
			return 0, false
		}
		quota, err := strconv.ParseFloat(f[0], 64) // or "max"
		period, err2 := strconv.ParseFloat(f[1], 64)
		return quota / period, err == nil && err2 == nil && quota > 0 && period > 0
	}
	quota, err := r.number(dir, "cpu.cfs_quota_us") // or -1
	period, err2 := r.number(dir, "cpu.cfs_period_us")
	return float64(quota) / float64(period), err == nil && err2 == nil && quota > 0 && period > 0
}

// processorTime is what a group used. Version 1 counts it in a hierarchy of its
// own, which may be mounted elsewhere.
func (r Reader) processorTime(limits groups, at int) (time.Duration, error) {
	if limits.two {
		n, err := r.field("usage_usec", limits.dirs[at], "cpu.stat")
		return time.Duration(n) * time.Microsecond, err
	}
	counts, ok := r.groups("cpuacct")
	if !ok || counts.two || at >= len(counts.dirs) {
		return 0, errUnknown
	}
	n, err := r.number(counts.dirs[at], "cpuacct.usage")
	return time.Duration(n), err
}
