package activity

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/retry"
	"github.com/berthdev/berth/internal/agent/usage"
)

// What a template sets in the agent's environment to keep a workspace awake
// while nobody looks.
const (
	keepAwakeProcessor = "BERTH_KEEP_AWAKE_PROCESSOR" // "20%" of what the computer may use
	keepAwakeProcesses = "BERTH_KEEP_AWAKE_PROCESSES" // "python*,cargo build"
)

const (
	// keepAwakeEvery is how often it is looked. The processor has to be busy for
	// two looks one after the other.
	keepAwakeEvery = 30 * time.Second
	maxWanted      = 32 // processes that a template may name
)

// KeepAwake looks for work that the template says keeps a workspace awake.
type KeepAwake struct {
	activity  *Collector
	env       func() map[string]string // what the template sets now
	warn      func(text string)        // into the log that people see
	reader    usage.Reader
	processes func() []process
	said      string // the last that was said of a template's mistake

	last   usage.Processor
	lastAt time.Time
	busy   int // looks that found the processor busy, in a row
}

// NewKeepAwake makes one for the workspace of the agent with this token.
func NewKeepAwake(a *Collector, token string, env func() map[string]string, warn func(text string)) *KeepAwake {
	reader := usage.New()
	return &KeepAwake{activity: a, env: env, warn: warn, reader: reader, processes: processesOf(reader, token)}
}

// Run looks until ctx ends.
func (k *KeepAwake) Run(ctx context.Context) {
	for retry.Pause(ctx, keepAwakeEvery) {
		k.look(time.Now())
	}
}

// look looks once.
func (k *KeepAwake) look(now time.Time) {
	env := k.env()
	if limit := k.limit(env[keepAwakeProcessor]); limit > 0 {
		k.lookAtProcessor(limit, now)
	}
	if wanted := wantedProcesses(env[keepAwakeProcesses]); len(wanted) > 0 {
		if name, ok := running(k.processes(), wanted); ok {
			k.activity.Note(berth.EvidenceProcess, name, now)
		}
	}
}

// limit reads the share of the processor from which on it is busy, in percent.
func (k *KeepAwake) limit(text string) float64 {
	if text = strings.TrimSpace(text); text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(n > 0 && n <= 100) {
		if k.said != text {
			k.said = text
			k.warn(fmt.Sprintf("The template's %s is %q; it has to be a share of the processor, such as 20%%. It is ignored.", keepAwakeProcessor, text[:min(len(text), 40)]))
		}
		return 0
	}
	return n
}

func (k *KeepAwake) lookAtProcessor(limit float64, now time.Time) {
	read, err := k.reader.Processor()
	if err != nil {
		return
	}
	before, elapsed := k.last, now.Sub(k.lastAt)
	first := k.lastAt.IsZero()
	k.last, k.lastAt = read, now
	if first || read.Cores <= 0 {
		return
	}
	share := read.Since(before, elapsed) / read.Cores * 100
	if share < limit {
		k.busy = 0
		return
	}
	if k.busy++; k.busy >= 2 {
		k.activity.NoteSince(berth.EvidenceProcessor, fmt.Sprintf("%.0f%%", share), now.Add(-2*keepAwakeEvery), now)
	}
}

// wantedProcesses reads the names of processes: each is a word, or words that
// follow each other in a command line; * stands for anything within a word.
func wantedProcesses(text string) (wanted [][]string) {
	for name := range strings.SplitSeq(text, ",") {
		if words := strings.Fields(name); len(words) > 0 && len(wanted) < maxWanted {
			wanted = append(wanted, words)
		}
	}
	return wanted
}

// running is the first wanted name of which there is a process.
func running(all []process, wanted [][]string) (name string, ok bool) {
	for _, words := range wanted {
		if slices.ContainsFunc(all, func(p process) bool { return p.is(words) }) {
			return strings.Join(words, " "), true
		}
	}
	return "", false
}

// process is what is known of a running process.
type process struct {
	comm string   // its name, as the kernel keeps it
	args []string // its command line; of paths the last element
}

// is tells whether the process is the one of these words.
func (p process) is(words []string) bool {
	if len(words) == 1 && match(words[0], p.comm) {
		return true
	}
	for i := range len(p.args) - len(words) + 1 {
		if slices.EqualFunc(words, p.args[i:i+len(words)], match) {
			return true
		}
	}
	return false
}

func match(pattern, word string) bool {
	ok, err := path.Match(pattern, word)
	return err == nil && ok || pattern == word
}
