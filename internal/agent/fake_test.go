package agent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/tunnel"
)

// fake is a server in memory. Its answers can be made to fail.
type fake struct {
	mu       sync.Mutex
	manifest api.Manifest
	away     error // every call fails with it
	hellos   []api.AgentHello
	states   []string
	lines    []berth.Log
	apps     []map[string]string
	steps    []berth.Step // as last reported
	troubles [][]berth.Check
	links    int
	activity []api.AgentActivity
	pressure []api.AgentPressure
	relays   []string      // where links were asked for
	lastBoot int64         // hello of an older process is a conflict
	end      chan struct{} // closing it ends the present link
	serving  chan struct{} // end as it was when the present link was made
}

func newFake(spec berth.AgentSpec) *fake {
	return &fake{end: make(chan struct{}), manifest: api.Manifest{
		Protocol: api.AgentProtocol, AgentID: "a1", WorkspaceName: "ws", OwnerName: "ann", Agent: spec,
		Hooks: []api.Hook{{Kind: "scripts", Name: "scripts"}},
	}}
}

func (f *fake) AgentHello(_ context.Context, in api.AgentHello) (api.Manifest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hellos = append(f.hellos, in)
	if in.Boot < f.lastBoot {
		return api.Manifest{}, berth.Errorf(berth.Conflict, "a newer process of this agent is running")
	}
	return f.manifest, f.away
}

func (f *fake) AgentLifecycle(_ context.Context, in api.AgentState) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.states = append(f.states, in.Lifecycle)
	}
	return f.away
}

func (f *fake) AgentLogs(_ context.Context, in api.AgentLogs) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.lines = append(f.lines, in.Lines...)
	}
	return f.away
}

func (f *fake) AgentApps(_ context.Context, in api.AgentApps) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.apps = append(f.apps, in.Health)
	}
	return f.away
}

func (f *fake) AgentActivity(_ context.Context, in api.AgentActivity) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.activity = append(f.activity, in)
	}
	return f.away
}

func (f *fake) AgentPressure(_ context.Context, in api.AgentPressure) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.pressure = append(f.pressure, in)
	}
	return f.away
}

func (f *fake) AgentSteps(_ context.Context, in api.AgentSteps) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.steps = in.Steps
	}
	return f.away
}

func (f *fake) AgentTrouble(_ context.Context, in api.AgentTrouble) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.troubles = append(f.troubles, in.Checks)
	return f.away
}

func (f *fake) AgentLink(_ context.Context, relay string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.relays = append(f.relays, relay)
	if f.away != nil {
		return nil, f.away
	}
	f.links++
	f.serving = f.end
	conn, _ := net.Pipe()
	return conn, nil
}

// serve holds a link until the fake ends it.
func (f *fake) serve(ctx context.Context, _ net.Conn, _ tunnel.Handler) error {
	f.mu.Lock()
	end := f.serving // not f.end: the link may have been ended since it was made
	f.mu.Unlock()
	select {
	case <-end:
		return errors.New("link ended")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fake) endLink() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.end)
	f.end = make(chan struct{})
}

func (f *fake) goAway(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = err
}

func (f *fake) sawStates() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.states)
}

func (f *fake) linkCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.links
}

// text is what the log says of a source, a line each.
func (f *fake) text(source string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, l := range f.lines {
		if source == "" || l.Source == source {
			b.WriteString(l.Text + "\n")
		}
	}
	return b.String()
}

type testLog struct{ t *testing.T }

func (w testLog) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

// testAgent makes an agent of f with folders of its own.
func testAgent(t *testing.T, f *fake) *agent {
	t.Helper()
	a, err := newAgent(Config{
		URL: "http://server", Token: "secret", LogDir: t.TempDir(), DataDir: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(testLog{t}, nil)),
	}, f, f.serve)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// startAgent runs an agent of f; the function that it gives ends it and waits.
func startAgent(t *testing.T, f *fake) (*agent, func()) {
	t.Helper()
	a := testAgent(t, f)
	return a, run(t, a)
}

func run(t *testing.T, a *agent) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.run(ctx) }()
	end = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(end)
	return end
}

// eventually waits for as long as a busy machine may need.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

func onStart(name, text string) berth.Script {
	return berth.Script{ID: name, DisplayName: name, Script: text, RunOnStart: true}
}

// syncBuffer is a buffer that can be read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
