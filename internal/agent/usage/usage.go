package usage

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Memory is memory in bytes. Used leaves out what the kernel gives back when
// somebody needs it.
type Memory struct{ Used, Total int64 }

// Percent is how much of it is in use.
func (m Memory) Percent() int { return percent(m.Used, m.Total) }

// Processor is the processor time that was used since some moment, which is the
// same at each reading, and how many processors there are at the most: 1.5 is
// one and a half.
type Processor struct {
	Used  time.Duration
	Cores float64
}

// Since is how many processors were in use, on average, since an earlier
// reading that is elapsed ago.
func (p Processor) Since(earlier Processor, elapsed time.Duration) float64 {
	if elapsed <= 0 || p.Used < earlier.Used {
		return 0
	}
	return float64(p.Used-earlier.Used) / float64(elapsed)
}

// Reader reads from the files of one computer.
type Reader struct {
	root  string // in which /proc and /sys are
	cores int    // that this process may use
}

// New reads this computer.
func New() Reader { return Reader{root: "/", cores: runtime.NumCPU()} }

// At reads the computer whose /proc and /sys are below root.
func At(root string, cores int) Reader { return Reader{root, cores} }

// errUnknown says that no file tells.
var errUnknown = errors.New("this computer does not tell")

// text is the contents of a file, without space around it.
func (r Reader) text(path ...string) (string, error) {
	b, err := os.ReadFile(filepath.Join(append([]string{r.root}, path...)...))
	return strings.TrimSpace(string(b)), err
}

// number is the number in a file that has no other.
func (r Reader) number(path ...string) (int64, error) {
	text, err := r.text(path...)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// field is the number behind a name in a file of lines "name number".
func (r Reader) field(name string, path ...string) (int64, error) {
	text, err := r.text(path...)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == name {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, errUnknown
}

func percent(used, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(float64(used)/float64(total)*100 + 0.5)
}
