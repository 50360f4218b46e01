package journal

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// coder builds berth-plugin under the name that makes it the coder plugin.
func coder(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform-provider-coder_v2.19.0")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/berthdev/berth/cmd/berth-plugin").CombinedOutput(); err != nil {
		t.Fatalf("building berth-plugin: %v\n%s", err, out)
	}
	return path
}

func TestLaunch(t *testing.T) {
	path := coder(t)
	for name, temp := range map[string]string{"own": t.TempDir(), "made": "", "too long": filepath.Join(t.TempDir(), strings.Repeat("x", 100))} {
		t.Run(name, func(t *testing.T) {
			p, up, err := Launch(t.Context(), Command{Source: "registry.terraform.io/coder/coder", Path: path, Dir: t.TempDir(), Temp: temp, Env: []string{"TF_LOG=trace"}})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Kill()
			if up.Protocol != 5 || up.Source != "registry.terraform.io/coder/coder" {
				t.Errorf("upstream %+v", up)
			}
			if name == "own" && filepath.Dir(up.Address) != temp {
				t.Errorf("its socket is %s and not in %s", up.Address, temp)
			}
			conn, err := dial(up.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			var in, out []byte
			if err := conn.Invoke(t.Context(), "/tfplugin5.Provider/GetSchema", &in, &out); err != nil || len(out) < 1000 {
				t.Errorf("its schema has %d bytes: %v", len(out), err)
			}
			p.Kill()
			p.Kill()
			select {
			case <-p.Done():
			default:
				t.Error("it is not done after Kill")
			}
			if _, err := os.Stat(filepath.Dir(up.Address)); name != "own" && !os.IsNotExist(err) {
				t.Errorf("its directory is left: %v", err)
			}
		})
	}
}

func TestLaunchOfWhatIsNoPlugin(t *testing.T) {
	for script, want := range map[string]string{
		"echo no cookie >&2; exit 1":     "it said: no cookie",
		"echo '1|7|unix|/x|grpc|'":       `version "7"`,
		"echo '1|5|tcp|1.2.3.4:5|grpc|'": "unix socket",
		"echo '1|5|unix|/x|grpc|CERT'":   "encryption",
		"exec sleep 60":                  "does not say that it serves",
	} {
		ctx, stop := t.Context(), context.CancelFunc(func() {})
		if strings.Contains(script, "sleep") {
			ctx, stop = context.WithTimeout(ctx, 200*time.Millisecond)
		}
		p, _, err := Launch(ctx, Command{Path: "/bin/sh", Args: []string{"-c", script}, Dir: t.TempDir()})
		stop()
		if err == nil {
			p.Kill()
			t.Errorf("%s: it was started", script)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", script, err, want)
		}
	}
}
