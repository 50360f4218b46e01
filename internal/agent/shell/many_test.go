package shell

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Correctness: every session hears how its command ended. OpenSSH closes a
// channel when both directions have ended, and hears nothing after that.
func TestManyOverOneMaster(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	control := filepath.Join(p.dir, "control")
	master := p.ssh("-M", "-S", control, "-N", "ws")
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		master.Process.Kill()
		master.Wait()
	}()
	eventually(t, "the master's socket", func() bool { _, err := os.Stat(control); return err == nil })
	for round := range 5 {
		var running sync.WaitGroup
		for i := range 8 {
			cmd := p.ssh("-S", control, "ws", fmt.Sprintf("head -c 1000000 /dev/zero | wc -c; echo %d; exit %d", i, i))
			var errOut bytes.Buffer
			cmd.Stderr = &errOut
			running.Go(func() {
				out, err := cmd.Output()
				if string(out) != fmt.Sprintf("1000000\n%d\n", i) || exitCode(err) != i {
					t.Errorf("round %d, session %d: %q, %v, %q", round, i, out, err, errOut.String())
				}
			})
		}
		running.Wait()
	}
}

// Correctness: the exit status goes out before the end of output. A client
// may answer that end by closing the channel, at once, and after that there is
// no way to tell it.
func TestExitStatusBeforeEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := p.client()
	for name, start := range map[string]struct {
		request, text string
		status        uint32
	}{
		"command":              {"exec", "echo a; exit 3", 3},
		"output closed early":  {"exec", "echo a; exec >&- 2>&-; sleep 0.2; exit 5", 5},
		"file transfer":        {"subsystem", "sftp", 0},
		"command without data": {"exec", "exit 7", 7},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				channel, requests, err := client.OpenChannel("session", nil)
				if err != nil {
					t.Fatal(err)
				}
				if ok, err := channel.SendRequest(start.request, true, ssh.Marshal(struct{ Text string }{start.text})); !ok || err != nil {
					t.Fatal(ok, err)
				}
				channel.CloseWrite()
				go func() {
					for buffer := make([]byte, 100); ; {
						if _, err := channel.Read(buffer); err != nil {
							channel.Close() // as OpenSSH does when both directions have ended
							return
						}
					}
				}()
				status := -1
				for r := range requests {
					var m struct{ Status uint32 }
					if r.Type == "exit-status" && ssh.Unmarshal(r.Payload, &m) == nil {
						status = int(m.Status)
					}
				}
				if status != int(start.status) {
					t.Fatalf("status %d, want %d", status, start.status)
				}
			}
		})
	}
}
