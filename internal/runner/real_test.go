package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/terraform"
)

// needTerraform skips a test on a machine without terraform.
func needTerraform(t *testing.T) {
	t.Helper()
	if _, err := terraform.Find(t.Context(), ""); err != nil {
		t.Skip("SKIPPED: ", err)
	}
}

// runReal runs a runner that finds the machine's own terraform.
func (b *bench) runReal(t *testing.T) (stop func()) {
	t.Helper()
	r := b.runner(t)
	r.locate = terraform.Find
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

const twoSteps = `
resource "terraform_data" "a" { input = "a" }
resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" { command = "id -u; sleep 1" }
}
`

func TestRealTerraform(t *testing.T) {
	t.Parallel()
	needTerraform(t)
	b := newBench(t)
	if os.Getuid() == 0 {
		b.opt.As = &terraform.As{UID: 65534, GID: 65534}
		root := filepath.Dir(b.work) // made for this test alone, as is what holds it
		os.Chmod(root, 0o711)
		os.Chmod(filepath.Dir(root), 0o711)
	}
	b.setArchive(map[string]string{"main.tf": twoSteps})
	build := b.enqueueJob(api.Job{Env: map[string]string{}})
	b.runReal(t)
	f := build.wait(t)
	if f.Error != "" || len(f.Addresses) != 2 {
		t.Fatalf("finish: %s, %v", f.Error, f.Addresses)
	}
	b.whole(t, build)
	if text := b.logText(build); b.opt.As != nil && !strings.Contains(text, "65534") {
		t.Errorf("the build did not run as the build user:\n%s", text)
	}
	b.clean(t)

	look := b.enqueueJob(api.Job{Transition: string(berth.Import), Look: true, State: f.State, Env: map[string]string{}})
	if l := look.wait(t); l.Error != "" || l.Drift == nil || len(*l.Drift) > 0 || l.Contents != nil || len(l.State) > 0 {
		t.Errorf("look: %s, drift %v, %d bytes of state", l.Error, l.Drift, len(l.State))
	}

	remove := b.enqueueJob(api.Job{Transition: string(berth.Delete), State: f.State, Env: map[string]string{}})
	if f := remove.wait(t); f.Error != "" || len(f.Addresses) != 0 {
		t.Errorf("delete: %s, %v", f.Error, f.Addresses)
	}
}

const slowStep = `
resource "terraform_data" "a" { input = "a" }
resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" { command = "echo begun; exec sleep 30" }
}
`

// The keeper is killed while the second resource is being made: Terraform saves
// both in the state that the server gets, the second as tainted; nothing runs
// on, and the next build goes on from there.
func TestRealTerraformWhoseKeeperIsKilled(t *testing.T) {
	t.Parallel()
	needTerraform(t)
	b := newBench(t)
	b.setArchive(map[string]string{"main.tf": slowStep})
	build := b.enqueueJob(api.Job{Env: map[string]string{}})
	b.runReal(t)
	eventually(t, "the second resource", func() bool { return strings.Contains(b.logText(build), "begun") })
	killKeepers(b.dir)
	f := build.wait(t)
	if text := string(f.State); f.ErrorCode != "lost" || !strings.Contains(text, `"name": "a"`) || !strings.Contains(text, `"name": "b"`) || !strings.Contains(text, `"status": "tainted"`) {
		t.Errorf("finish: %q %q, state %s", f.ErrorCode, f.Error, f.State)
	}
	if left := leftovers(build.job.BuildID+".1", identity{}); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
	b.clean(t)
	b.setArchive(map[string]string{"main.tf": twoSteps})
	next := b.enqueueJob(api.Job{State: f.State, Env: map[string]string{}})
	if f := next.wait(t); f.Error != "" || len(f.Addresses) != 2 {
		t.Errorf("the next build: %s, %v", f.Error, f.Addresses)
	}
}

func TestRealImport(t *testing.T) {
	t.Parallel()
	needTerraform(t)
	b := newBench(t)
	b.setArchive(map[string]string{"main.tf": twoSteps, "README.md": "# Two"})
	build := b.enqueueJob(api.Job{Transition: string(berth.Import), Env: map[string]string{}})
	b.runReal(t)
	if f := build.wait(t); f.Error != "" || f.Contents == nil || len(f.Contents.Resources) != 2 {
		t.Errorf("finish: %s %+v", f.Error, f.Contents)
	}
}

// What an import resolved goes with its result, and a build on another machine
// is made from that.
func TestRealImportCarriesItsModules(t *testing.T) {
	t.Parallel()
	needTerraform(t)
	b := newBench(t)
	b.setArchive(map[string]string{"main.tf": twoSteps, "near/main.tf": `output "x" { value = 1 }`, "module.tf": `module "near" { source = "./near" }`})
	build := b.enqueueJob(api.Job{Transition: string(berth.Import), Env: map[string]string{}})
	b.runReal(t)
	f := build.wait(t)
	if f.Error != "" || len(f.Carried) == 0 || !bytes.Contains(f.Carried, []byte("modules.json")) {
		t.Fatalf("finish: %s, %d bytes carried", f.Error, len(f.Carried))
	}
	other := newBench(t)
	other.archive, other.hash = b.archive, b.hash
	sum := sha256.Sum256(f.Carried)
	hash := hex.EncodeToString(sum[:])
	other.fakeServer.carried = map[string][]byte{hash: f.Carried}
	start := other.enqueueJob(api.Job{Carried: hash, Env: map[string]string{}})
	other.runReal(t)
	if f := start.wait(t); f.Error != "" || len(f.Addresses) != 2 || len(f.Carried) > 0 {
		t.Errorf("finish: %s, %v", f.Error, f.Addresses)
	}
	if made, _ := filepath.Glob(filepath.Join(other.work, "installations", "*-"+hash[:16])); len(made) != 1 {
		t.Errorf("installations of what is carried: %v", made)
	}
}

// smallDisk mounts a disk of so many bytes, or skips.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "none", dir).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no right to mount a small disk: %s", out)
	}
	t.Cleanup(func() {
		for range 100 {
			if syscall.Unmount(dir, 0) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		syscall.Unmount(dir, 2)
	})
	return dir
}

// fill leaves no room on a disk.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for n := 1 << 20; n > 0; {
		if _, err := f.Write(make([]byte, n)); err != nil {
			n /= 2
		}
	}
}

func TestDiskThatFillsUpLosesNoState(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	disk := smallDisk(t, "24m")
	b.dir = filepath.Join(disk, "runner")
	b.opt.Dir = b.dir
	t.Cleanup(func() { killKeepers(b.dir) })
	gate := filepath.Join(t.TempDir(), "gate")
	build := b.enqueue(step{Ensured: gate}, step{Judge: true}, step{State: 4}, step{Logs: 500}, step{State: 5})
	b.run(t)
	eventually(t, "the reserve", func() bool {
		f, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileSocket))
		r, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileReserve))
		var st syscall.Stat_t
		return len(f) == 1 && len(r) == 1 && syscall.Stat(r[0], &st) == nil && st.Size >= 4<<20
	})
	fill(t, disk)
	os.WriteFile(gate, nil, 0o600)
	if f := build.wait(t); f.Error != "" || f.Serial != 5 || string(f.State) != string(state(5)) {
		t.Errorf("finish: %+v", f)
	}
	next := b.enqueue(step{Judge: true}, step{Log: "x"})
	if f := next.wait(t); f.ErrorCode != "runner" || !strings.Contains(f.Error, "disk of the runner is full") {
		t.Errorf("a build on a full disk: %+v", f)
	}
}
