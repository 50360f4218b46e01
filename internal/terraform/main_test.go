package terraform

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
)

// pluginMirror holds the real berth-plugin under both of its names.
var pluginMirror string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "berth-terraform-")
	if err == nil {
		err = os.Chmod(dir, 0o755) // builds may run as another user
	}
	if pluginMirror = os.Getenv("BERTH_TEST_MIRROR"); err == nil && pluginMirror == "" { // else we are another one's child
		pluginMirror = filepath.Join(dir, "mirror")
		err = buildPlugins(pluginMirror)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	discard(dir)
	os.Exit(code)
}

// buildPlugins puts the real plugins, and the probe of tests, into a mirror.
func buildPlugins(mirror string) error {
	dir := filepath.Dir(mirror)
	for _, p := range []struct{ binary, room, source, name string }{
		{"berth-plugin", "cmd/berth-plugin", "coder/coder/2.19.0", "terraform-provider-coder_v2.19.0"},
		{"berth-plugin", "", "berthdev/berth/1.0.0", "terraform-provider-berth_v1.0.0"},
		{"probe", "test/probe", "berthdev/probe/1.0.0", "terraform-provider-probe_v1.0.0"},
	} {
		binary := filepath.Join(dir, p.binary)
		if p.room != "" {
			build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/berthdev/berth/"+p.room)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				return fmt.Errorf("building %s: %w\n%s", p.binary, err, out)
			}
		}
		for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
			at := filepath.Join(mirror, host, filepath.FromSlash(p.source), platform, p.name)
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				return err
			}
			if err := os.Link(binary, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// engine is the machine's terraform or tofu; without one the test is skipped.
func engine(t testing.TB) Engine {
	t.Helper()
	e, err := Find(context.Background(), "")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	return e
}

// archiveOf packs files into a tar and gives its hash.
func archiveOf(files map[string]string) (hash string, open func(context.Context) (io.ReadCloser, error)) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range sortedKeys(files) {
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg})
		_, _ = w.Write([]byte(files[name]))
	}
	_ = w.Close()
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:]), func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}
}

// workDir is a temporary directory that other users may pass through and that
// can be removed though installations in it are read-only.
func workDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-terraform-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { discard(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// site is where the builds of one test happen.
type site struct {
	t         testing.TB
	dir       string
	installer *Installer
	builds    int
	as        *As
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir := workDir(t)
	return &site{t: t, dir: dir, installer: &Installer{Engine: engine(t), Mirror: pluginMirror, Dir: filepath.Join(dir, "installations")}}
}

// install makes the installation of a template.
func (s *site) install(files map[string]string) (Installation, error) {
	hash, open := archiveOf(files)
	return s.installer.Ensure(s.t.Context(), hash, open, func(l berth.Log) {
		if l.Level == "error" {
			s.t.Logf("%s %s", l.Stage, l.Text)
		}
	})
}

func (s *site) must(files map[string]string) Installation {
	s.t.Helper()
	i, err := s.install(files)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

// options are those of a new build.
func (s *site) options(i Installation, t berth.Transition, state []byte) Options {
	s.builds++
	return Options{
		Engine: s.installer.Engine, Installation: i, Dir: filepath.Join(s.dir, fmt.Sprintf("build-%d", s.builds)),
		Transition: t, State: state, As: s.as,
		Env: map[string]string{
			"CODER_WORKSPACE_ID": "11111111-2222-4333-8444-555555555555", "CODER_WORKSPACE_NAME": "hello",
			"CODER_AGENT_URL": "http://localhost:1", "CODER_AGENT_SCRIPT_linux_amd64": "exec sleep 1000 # ${ACCESS_URL}",
			"BERTH_AGENT_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
		},
	}
}

// recorder is a sink that keeps what it got.
type recorder struct {
	mu      sync.Mutex
	t       testing.TB
	logs    []berth.Log
	serials []int64
	states  [][]byte
	onLog   func(berth.Log)
}

func (r *recorder) Log(l berth.Log) {
	r.mu.Lock()
	r.logs = append(r.logs, l)
	r.mu.Unlock()
	if r.onLog != nil {
		r.onLog(l)
	}
}

func (r *recorder) State(_ string, serial int64, state []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serials, r.states = append(r.serials, serial), append(r.states, state)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, l := range r.logs {
		fmt.Fprintf(&b, "%s/%s: %s\n", l.Stage, l.Level, l.Text)
	}
	return b.String()
}

// allow lets every plan pass and keeps the last.
func allow(last *berth.Plan) Judge {
	return func(_ context.Context, p berth.Plan) (berth.Verdict, error) {
		if last != nil {
			*last = p
		}
		return berth.Verdict{Allow: true}, nil
	}
}

// starter reads one of the starter templates.
func starter(t testing.TB, name string) map[string]string {
	t.Helper()
	return templateFiles(t, filepath.Join("..", "..", "templates", name))
}
