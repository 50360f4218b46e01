package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// maxMetadata is how long a value gets, in bytes.
const maxMetadata = 2 << 10

// metadataPatience is what the script of a value is given at its end.
var metadataPatience = patience{kill: 500 * time.Millisecond, leftovers: 500 * time.Millisecond}

// runMetadata runs the script of one item to its end. What it started ends with
// it: a value is asked for again and again, and leftovers would pile up.
func (a *agent) runMetadata(ctx context.Context, item berth.AgentMetadata) api.MetadataValue {
	v := api.MetadataValue{Key: item.Key, DisplayName: item.DisplayName}
	timeout := item.Timeout
	if timeout <= 0 {
		timeout = item.Interval
	}
	timeout = max(timeout, 1)
	env := a.environment()
	out := &firstBytes{}
	cmd, err := a.scriptCommand(berth.Script{ID: "metadata-" + item.Key, Script: item.Script}, env)
	var copied <-chan struct{}
	if err == nil {
		copied, err = startWith(cmd, out)
	}
	if err != nil {
		v.Error, v.CollectedAt = fmt.Sprintf("The script cannot be started: %v.", err), time.Now().UTC()
		return v
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	result := await(ctx, cmd, exited, time.Duration(timeout)*time.Second, metadataPatience)
	select {
	case <-copied:
	case <-time.After(metadataPatience.leftovers):
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group is there while any of them is
	}
	v.Value, v.CollectedAt = a.lines.cover(out.text()), time.Now().UTC()
	switch {
	case result == timedOut:
		v.Error = fmt.Sprintf("The script was ended: it took longer than %d s.", timeout)
	case !cmd.ProcessState.Success():
		v.Error = fmt.Sprintf("The script failed: %v.", cmd.ProcessState)
	}
	return v
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct {
	mu   sync.Mutex
	kept []byte
}

func (f *firstBytes) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = append(f.kept, p[:min(len(p), maxMetadata+utf8.UTFMax-len(f.kept))]...)
	return len(p), nil
}

func (f *firstBytes) Close() error { return nil }

// text is what was kept, as text of at most maxMetadata bytes.
func (f *firstBytes) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	cut := f.kept
	if len(cut) > maxMetadata {
		cut = cut[:maxMetadata]
		for len(cut) > 0 && !utf8.RuneStart(f.kept[len(cut)]) {
			cut = cut[:len(cut)-1]
		}
	}
	return strings.TrimRight(strings.ToValidUTF8(string(cut), "�"), "\r\n")
}
