package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
)

// Upstream is a plugin that serves already.
type Upstream struct {
	Source   string `json:"source"`   // registry.terraform.io/coder/coder
	Protocol int    `json:"protocol"` // 5 or 6
	Address  string `json:"address"`  // of its unix socket
	// Inner names a plugin that has no process: the one of the journal serves it.
	Inner string `json:"inner,omitempty"`
}

// Command is a plugin's binary and how to start it.
type Command struct {
	Source string // of the plugin; Launch puts it into the Upstream
	Path   string
	Args   []string // after the program's name
	Env    []string // all of its environment but what belongs to the handshake
	Dir    string   // where it works: files that a template names are relative to it
	// Temp is a private directory for its socket and its temporary files. The
	// plugin's user must own it. Empty, or too long a name for a socket: one is
	// made, and removed with the process.
	Temp string
	Attr *syscall.SysProcAttr // for instance its user; it gets a process group of its own anyway
	// Detached lets the plugin outlive us: what it says on standard error is
	// dropped, since the first line that nobody can take would end it.
	Detached bool
}

// The handshake of Terraform's plugins.
const (
	cookie       = "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
	protocols    = "PLUGIN_PROTOCOL_VERSIONS=5,6"
	coreProtocol = "1"
)

// greetWait is how long a plugin may take to say where it serves.
const greetWait = 60 * time.Second

// Process is a plugin that Launch started.
type Process struct {
	cmd    *exec.Cmd
	temp   string // made by us
	crash  tail
	done   chan struct{} // closed: it has ended and was reaped
	err    error
	ending sync.Once
	conn   *grpc.ClientConn
}

// Launch starts a plugin and waits until it serves. There is no encryption
// between us and it: its socket lies in a directory that only its user, and we,
// can enter. The plugin lives until Kill, or until it ends by itself; ctx bounds
// its start alone.
func Launch(ctx context.Context, c Command) (*Process, Upstream, error) {
	p := &Process{done: make(chan struct{})}
	up, err := p.launch(ctx, c)
	if err != nil {
		p.Kill()
		if last := p.crash.String(); last != "" {
			err = fmt.Errorf("%w; it said: %s", err, last)
		}
		return nil, Upstream{}, fmt.Errorf("starting the plugin %s: %w", filepath.Base(c.Path), err)
	}
	return p, up, nil
}

func (p *Process) launch(ctx context.Context, c Command) (Upstream, error) {
	attr, temp, err := p.room(c)
	if err != nil {
		return Upstream{}, err
	}
	p.cmd = exec.Command(c.Path, c.Args...)
	p.cmd.Dir, p.cmd.SysProcAttr = c.Dir, attr
	p.cmd.Env = append(silent(without(c.Env, "TMPDIR", "TF_REATTACH_PROVIDERS", "TF_PLUGIN_MAGIC_COOKIE")),
		cookie, protocols, "TMPDIR="+temp, "PLUGIN_UNIX_SOCKET_DIR="+temp)
	if !c.Detached {
		p.cmd.Stderr = &p.crash
	}
	p.cmd.WaitDelay = time.Second
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return Upstream{}, err
	}
	if err := p.cmd.Start(); err != nil {
		return Upstream{}, err
	}
	line := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		r := bufio.NewReader(io.LimitReader(out, 64<<10))
		first, _ := r.ReadString('\n')
		line <- first
		_, _ = io.Copy(io.Discard, out)
	}()
	go func() {
		<-read
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	ctx, stop := context.WithTimeout(ctx, greetWait)
	defer stop()
	select {
	case first := <-line:
		up, err := greeting(first)
		if err != nil {
			return Upstream{}, err
		}
		if !filepath.IsAbs(up.Address) {
			up.Address = filepath.Join(c.Dir, up.Address)
		}
		up.Source = c.Source
		return up, p.listen(up)
	case <-ctx.Done():
		return Upstream{}, fmt.Errorf("it does not say that it serves: %w", context.Cause(ctx))
	}
}

// maxTemp is the longest name of a directory in which a socket can be named: a
// socket's name has at most 107 bytes.
const maxTemp = 107 - len("/plugin4294967295")

// room gives the process its directory and the group that Kill ends.
func (p *Process) room(c Command) (attr *syscall.SysProcAttr, temp string, err error) {
	attr = &syscall.SysProcAttr{}
	if c.Attr != nil {
		copied := *c.Attr
		attr = &copied
	}
	if !attr.Setsid {
		attr.Setpgid = true
	}
	if c.Temp != "" && len(c.Temp) <= maxTemp {
		return attr, c.Temp, nil
	}
	if p.temp, err = os.MkdirTemp("/tmp", "berth-plugin-"); err != nil {
		return nil, "", err
	}
	if attr.Credential != nil {
		err = os.Lchown(p.temp, int(attr.Credential.Uid), int(attr.Credential.Gid))
	}
	return attr, p.temp, err
}

// silent is env with which plugins log nothing. What they log holds what they were
// given: tokens, too.
func silent(env []string) []string {
	return append(without(env, "TF_LOG"), "TF_LOG=off", "TF_LOG_SDK=off", "TF_LOG_SDK_PROTO=off", "TF_LOG_PROVIDER=off")
}

// without is env without some names.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, name)
	})
}

// greeting reads a plugin's first line: "1|5|unix|/tmp/plugin123|grpc|".
func greeting(line string) (Upstream, error) {
	part := strings.Split(strings.TrimSpace(line), "|")
	switch {
	case len(part) < 5 || part[0] != coreProtocol:
		return Upstream{}, errors.New("it does not greet as Terraform's plugins do")
	case part[2] != "unix" || part[4] != "grpc":
		return Upstream{}, fmt.Errorf("it serves %s over %s, and not gRPC over a unix socket", part[4], part[2])
	case len(part) > 5 && part[5] != "":
		return Upstream{}, errors.New("it wants to be spoken to with encryption")
	}
	version, err := strconv.Atoi(part[1])
	if err != nil || version != 5 && version != 6 {
		return Upstream{}, fmt.Errorf("it speaks version %q of the plugin protocol, and not 5 or 6", part[1])
	}
	return Upstream{Protocol: version, Address: part[3]}, nil
}

// listen takes what the plugin prints from now on, and drops it: a plugin whose
// output nobody takes stands still once its pipe is full.
func (p *Process) listen(up Upstream) error {
	conn, err := dial(up.Address)
	if err != nil {
		return err
	}
	p.conn = conn
	go func() {
		stream, err := conn.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true}, stdioService+"/StreamStdio")
		if err != nil {
			return
		}
		var nothing []byte
		if stream.SendMsg(&nothing) != nil || stream.CloseSend() != nil {
			return
		}
		for {
			var said []byte
			if stream.RecvMsg(&said) != nil {
				return
			}
		}
	}()
	return nil
}

// Services that go-plugin adds to a plugin's own.
const (
	stdioService      = "/plugin.GRPCStdio"
	brokerService     = "/plugin.GRPCBroker"
	controllerService = "/plugin.GRPCController"
)

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Crash is what the process said of its own panic; empty if there was none. It
// is complete when the process is done.
func (p *Process) Crash() string {
	last := p.crash.String()
	if i := strings.Index(last, "panic: "); i >= 0 {
		return last[i:]
	}
	return ""
}

// Kill ends the process and its group and waits until it was reaped. It may be
// called more than once, and on a process that has ended.
func (p *Process) Kill() {
	p.ending.Do(func() {
		if p.conn != nil {
			p.conn.Close()
		}
		if p.cmd != nil && p.cmd.Process != nil {
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.done
		}
		if p.temp != "" {
			_ = os.RemoveAll(p.temp)
		}
	})
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b[max(0, len(b)-maxTail):]...)
	if over := len(t.text) - maxTail; over > 0 {
		t.text = slices.Delete(t.text, 0, over)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
