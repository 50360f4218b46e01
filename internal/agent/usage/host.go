package usage

import (
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of /proc/stat, on every platform that we run on.
const tick = time.Second / 100

// HostMemory is that of the machine.
func (r Reader) HostMemory() (Memory, error) {
	const file = "proc/meminfo"
	total, err := r.field("MemTotal:", file)
	if err != nil {
		return Memory{}, err
	}
	available, err := r.field("MemAvailable:", file)
	if err != nil { // kernels before 3.14
		if available, err = r.field("MemFree:", file); err != nil {
			return Memory{}, err
		}
	}
	return Memory{Used: (total - available) << 10, Total: total << 10}, nil
}

// HostProcessor is that of the machine.
func (r Reader) HostProcessor() (Processor, error) {
	text, err := r.text("proc/stat")
	if err != nil {
		return Processor{}, err
	}
	p := Processor{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) < 5 || !strings.HasPrefix(f[0], "cpu"):
		case f[0] == "cpu":
			p.Used = busy(f[1:])
		default:
			p.Cores++
		}
	}
	if p.Cores == 0 {
		return p, errUnknown
	}
	return p, nil
}

// busy adds up the fields of a line of /proc/stat that are not idle (4th), not
// waiting (5th) and not a part of another (guests, 9th and 10th).
func busy(fields []string) time.Duration {
	var sum time.Duration
	for i, f := range fields[:min(len(fields), 8)] {
		if n, err := strconv.ParseInt(f, 10, 64); err == nil && i != 3 && i != 4 {
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// Disk is the volume that a path is on, in bytes. Total is what those can use
// who are not root.
type Disk struct{ Used, Total int64 }

// Percent is how much of it is in use.
func (d Disk) Percent() int { return percent(d.Used, d.Total) }

// Volume is the volume that a path of this computer is on.
func Volume(path string) (Disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return Disk{}, err
	}
	used := int64(s.Blocks-s.Bfree) * int64(s.Bsize)
	return Disk{Used: used, Total: used + int64(s.Bavail)*int64(s.Bsize)}, nil
}
