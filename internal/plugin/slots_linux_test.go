package plugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/berthdev/berth/internal/warm"
)

// answers tells whether the slot at address answers a call of this process.
func answers(address string) bool {
	conn, err := grpc.NewClient("unix:"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return false
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	return err == nil && r.Status == grpc_health_v1.HealthCheckResponse_SERVING
}

// A process that asks a slot ends with 0 when it was answered.
func init() {
	askMain = func(address string) int {
		if answers(address) {
			return 0
		}
		return 3
	}
}

// ask has another process, perhaps of another session, ask a slot.
func ask(t *testing.T, address string, attr *syscall.SysProcAttr) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "ask", address)
	cmd.SysProcAttr = attr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 3 {
		return false
	} else if err != nil {
		t.Fatal(err)
	}
	return true
}

func TestSlotIsOfOneSession(t *testing.T) {
	t.Parallel()
	sets, err := os.MkdirTemp("/tmp", "s") // a socket's name is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sets) })
	dir := filepath.Join(sets, "slots")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], SlotsCommand, dir, sets, fmt.Sprint(os.Getuid()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	if line, _ := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "ready" {
		t.Fatalf("it says %q", line)
	}
	go func() { ended <- cmd.Wait() }()

	conn, err := net.Dial("unix", filepath.Join(dir, warm.ControlName))
	if err != nil {
		t.Fatal(err)
	}
	slot, err := OpenSlot(conn, "coder", map[string]string{"CODER_WORKSPACE_NAME": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if !answers(slot.Address) || !ask(t, slot.Address, &syscall.SysProcAttr{Setpgid: true}) {
		t.Error("a process of the build's session is refused")
	}
	if ask(t, slot.Address, &syscall.SysProcAttr{Setsid: true}) {
		t.Error("a process of another session is answered")
	}
	for _, refused := range []string{"berth", "docker", ""} {
		other, err := net.Dial("unix", filepath.Join(dir, warm.ControlName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSlot(other, refused, nil); err == nil {
			t.Errorf("there is a slot of the plugin %q", refused)
		}
		other.Close()
	}

	in.Close() // the runner is gone
	select {
	case err := <-ended:
		t.Fatalf("it ended under its build: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if !answers(slot.Address) {
		t.Error("the slot ended under its build")
	}
	slot.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its directory stays: %v", err)
	}
}
