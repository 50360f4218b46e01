package e2e

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// screen is an X server of this test's own, which wants a cookie.
type screen struct{ display, authority string }

func startScreen(t *testing.T) screen {
	t.Helper()
	harness.Need(t, "Xvfb", "xauth", "xdpyinfo", "xwininfo")
	dir := harness.Dir(t)
	server, client := filepath.Join(dir, "server"), filepath.Join(dir, "client")
	secret := "000102030405060708090a0b0c0d0e0f"
	run(t, exec.Command("xauth", "-f", server, "add", ":0", ".", secret))
	// Without -noreset it begins anew when its last client leaves, and drops who
	// comes in that moment.
	xvfb := exec.Command("Xvfb", "-noreset", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "640x480x24", "-auth", server)
	out, err := xvfb.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(background(t, xvfb))
	number, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb does not start: %v", err)
	}
	s := screen{display: ":" + strings.TrimSpace(number), authority: client}
	run(t, exec.Command("xauth", "-f", client, "add", s.display, ".", secret))
	return s
}

// on gives cmd the screen.
func (s screen) on(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, "DISPLAY="+s.display, "XAUTHORITY="+s.authority)
	return cmd
}

// Programs in a workspace show their windows on the person's screen: by
// OpenSSH, with cookies that the agent wrote itself, and by these alone.
func TestX11Forwarding(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	x := startScreen(t)
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "gui", "-t", "process", "-y")
	ssh := s.OpenSSH()
	const host = "gui.berth"
	home := strings.TrimSpace(ssh.Run(host, "pwd"))

	for _, flag := range []string{"-Y", "-X"} {
		out, err := x.on(ssh.Command(flag, host, "echo $DISPLAY; xdpyinfo")).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "localhost:1") || !strings.Contains(string(out), "dimensions:    640x480") {
			t.Errorf("ssh %s: %v\n%.600s", flag, err, out)
		}
	}
	if out, err := x.on(ssh.Command("-Y", host, "xwininfo -root -tree")).CombinedOutput(); err != nil || !strings.Contains(string(out), "Root window id") {
		t.Errorf("xwininfo: %v\n%s", err, out)
	}

	// The cookie in the workspace is not the screen's, and without it nobody gets in.
	script := `xauth list >cookies 2>&1; XAUTHORITY=/dev/null xdpyinfo 2>&1 >/dev/null; echo "status $?"; xdpyinfo >/dev/null && echo fine`
	out, _ := x.on(ssh.Command("-Y", host, script)).CombinedOutput()
	if text := string(out); strings.Contains(text, "status 0") || !strings.Contains(text, "fine") {
		t.Errorf("without the cookie: %s", text)
	}
	if cookies := ssh.Run(host, "cat cookies"); !strings.Contains(cookies, "MIT-MAGIC-COOKIE-1") || strings.Contains(cookies, "000102030405060708090a0b0c0d0e0f") {
		t.Errorf("the workspace knows the cookies %s", cookies)
	}

	// Several sessions with several programs each.
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			script := `for i in 1 2 3 4; do xdpyinfo >/dev/null & done; for p in $(jobs -p); do wait $p || exit 9; done; echo all`
			out, err := x.on(ssh.Command("-Y", host, script)).CombinedOutput()
			if err != nil || string(out) != "all\n" {
				t.Errorf("session %d: %v %s", i, err, out)
			}
		})
	}
	all.Wait()

	// The display ends with its session, and its cookie.
	held := x.on(ssh.Command("-Y", host, "echo $DISPLAY; cat"))
	in, _ := held.StdinPipe()
	stdout, _ := held.StdoutPipe()
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	display, _ := bufio.NewReader(stdout).ReadString('\n')
	display = strings.TrimSpace(display)
	if out, err := x.on(ssh.Command(host, "DISPLAY="+display+" xdpyinfo >/dev/null && echo in")).CombinedOutput(); err != nil || string(out) != "in\n" {
		t.Errorf("another session of the same person: %v %s", err, out)
	}
	in.Close()
	held.Wait()
	harness.Eventually(t, 30*time.Second, func() string {
		out, err := ssh.Command(host, "DISPLAY="+display+" xdpyinfo >/dev/null").CombinedOutput()
		if err == nil {
			return "the display is there after its session"
		}
		if strings.Contains(string(out), "Invalid") {
			return string(out)
		}
		return ""
	})
	if left := ssh.Run(host, "ls -A | grep Xauthority || true"); left != "" {
		t.Errorf("left in %s: %s", home, left)
	}
	if out := ssh.Run(host, "echo [$DISPLAY]"); out != "[]\n" {
		t.Errorf("without -X: %s", out)
	}
}

// In a container whose image has no xauth, the display and its cookie are there
// too, and a stranger to the cookie is refused at the person's end.
func TestX11InContainer(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	image := harness.Image(t)
	x := startScreen(t)
	s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins()}})
	s.Berth("templates", "push", "docker", "-d", starter("docker"), "--variable", "image="+image)
	s.Berth("create", "box", "-t", "docker", "-y")
	ssh := s.OpenSSH()
	script := `echo $DISPLAY; echo $HOME; hostname; which xauth; od -An -v -tx1 $HOME/.Xauthority | tr -d ' \n'; echo; n=${DISPLAY#*:}
ask() { { printf 'l\000\013\000\000\000\022\000\020\000\000\000MIT-MAGIC-COOKIE-1\000\000'; cat; sleep 2; } | nc 127.0.0.1 $((6000 + ${n%.*})) | head -c 1 | od -An -tx1; }
printf '\001\002\003\004\005\006\007\010\001\002\003\004\005\006\007\010' | ask
tail -c 16 $HOME/.Xauthority | ask`
	var errs bytes.Buffer
	cmd := x.on(ssh.Command("-Y", "box.berth", script))
	cmd.Stderr = &errs
	out, err := cmd.Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) < 5 || !strings.HasPrefix(lines[0], "localhost:1") {
		t.Fatalf("%v: %q %s", err, out, errs.String())
	}
	if want := hex.EncodeToString(fmt.Appendf(nil, "\x01\x00\x00%c%s", len(lines[2]), lines[2])); !strings.HasPrefix(lines[3], want) {
		t.Errorf("the file %s is not one of %s", lines[3], lines[2])
	}
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "01" {
		t.Errorf("with the cookie the screen answers %q; all of it: %q %s", last, out, errs.String())
	}
	if len(lines) > 5 && strings.TrimSpace(lines[4]) == "01" {
		t.Error("with another cookie the screen lets in")
	}
	if os.Getenv("BERTH_KEEP") != "" {
		t.Logf("%q", out)
	}
}
