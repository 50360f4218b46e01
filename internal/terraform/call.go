package terraform

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// searchPath is the PATH of terraform and what it starts.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const (
	// maxLine is the longest line of output that is looked at, in bytes; the
	// rest of a longer one is dropped.
	maxLine = 4 << 20
	// drain is how long output may go on after terraform has ended, while
	// something that it started still holds it open.
	drain = 2 * time.Second
)

// errKilled is what a call ends with that was killed through its kill channel.
var errKilled = errors.New("terraform was killed")

// call is one run of terraform.
type call struct {
	path   string
	args   []string
	dir    string
	env    []string
	as     *As
	kill   <-chan struct{}
	stdout func(line []byte)
	stderr func(line []byte)
	answer *bytes.Buffer // gets standard output instead of stdout, when set
}

// run runs c to its end. When ctx ends, terraform alone is interrupted, so that
// its plugins can finish what they are at. Whatever is left of its group when
// it has ended is killed. No signal is tied to our own death: it would come once
// for each of our threads, and terraform gives its state up at the second.
func (c call) run(ctx context.Context) error {
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = c.dir, c.env, attributes(c.as)
	var turn sync.Mutex
	out, problems := &lines{turn: &turn, each: c.stdout}, &lines{turn: &turn, each: c.stderr}
	var answer io.Writer = out
	if c.answer != nil {
		answer = c.answer
	}
	stdout, err := newOutlet(answer)
	if err != nil {
		return err
	}
	defer stdout.close()
	stderr, err := newOutlet(problems)
	if err != nil {
		return err
	}
	defer stderr.close()
	cmd.Stdout, cmd.Stderr = stdout.in, stderr.in
	if err := cmd.Start(); err != nil {
		return err
	}
	stdout.pour()
	stderr.pour()
	freed, killed := make(chan struct{}), make(chan bool, 1)
	go func() { killed <- c.watch(ctx, cmd.Process.Pid, freed) }()
	err = settle(cmd, sync.OnceFunc(func() { close(freed) }))
	// Something that it left behind may hold on to its output.
	late := time.After(drain)
	for _, o := range []*outlet{stdout, stderr} {
		select {
		case <-o.dry:
		case <-late:
			late = time.After(0)
		}
		o.close()
	}
	out.end()
	problems.end()
	if <-killed {
		return errKilled
	}
	return err
}

// attributes start a child in a group of its own, as another user when as is
// set.
func attributes(as *As) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.UID, Gid: as.GID, Groups: as.Groups}
	}
	return attr
}

// outlet carries one stream of terraform's output to us.
type outlet struct {
	out, in *os.File
	to      io.Writer
	dry     chan struct{} // closed: all is with to; nil until pour
}

func newOutlet(to io.Writer) (*outlet, error) {
	out, in, err := outputPipe()
	return &outlet{out: out, in: in, to: to}, err
}

// pour hands on what is written. It is called when terraform has its end.
func (o *outlet) pour() {
	o.in.Close()
	o.dry = make(chan struct{})
	go func() {
		defer close(o.dry)
		_, _ = io.Copy(o.to, o.out)
	}()
}

// close gives the output up and waits until nothing more is handed on.
func (o *outlet) close() {
	o.in.Close()
	o.out.Close()
	if o.dry != nil {
		<-o.dry
	}
}

// watch interrupts and kills terraform until its number is free. It tells
// whether it killed.
func (c call) watch(ctx context.Context, pid int, freed <-chan struct{}) bool {
	interrupt, kill, killed := ctx.Done(), c.kill, false
	for {
		select {
		case <-freed:
			return killed
		case <-kill:
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			kill, killed = nil, true
		case <-interrupt:
			_ = syscall.Kill(pid, syscall.SIGINT)
			interrupt = nil
		}
	}
}

// environ is what terraform and its plugins see: nothing of ours but what the
// options name.
func environ(dir string, o Options) []string {
	set := passed(o.Pass)
	maps.Copy(set, o.Env)
	for name, value := range map[string]string{
		"PATH":               searchPath,
		"HOME":               dir,
		"TMPDIR":             filepath.Join(dir, "tmp"),
		"LANG":               "C.UTF-8",
		"TF_CLI_CONFIG_FILE": filepath.Join(dir, "terraformrc"),
		"CHECKPOINT_DISABLE": "1",
		"TF_IN_AUTOMATION":   "1",
		"TF_INPUT":           "0",
	} {
		set[name] = value
	}
	return listed(set)
}

// HostEnv is what plugins of any build see, given the names of variables of this
// process that they may see; what belongs to one build is not in it.
func HostEnv(pass []string) []string {
	set := passed(pass)
	set["PATH"], set["LANG"] = searchPath, "C.UTF-8"
	return listed(set)
}

// Collections is how terraform and its plugins, which are Go programs, collect
// garbage: rarely, since most builds end before their heap is large. A fifth of
// their processor time goes into it otherwise.
const Collections = "GOGC=400"

func passed(names []string) map[string]string {
	name, value, _ := strings.Cut(Collections, "=")
	set := map[string]string{name: value}
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			set[name] = value
		}
	}
	return set
}

func listed(set map[string]string) []string {
	env := make([]string, 0, len(set))
	for name, value := range set {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

// lines cuts what is written to it into lines.
type lines struct {
	turn *sync.Mutex // one line at a time over several streams
	each func([]byte)
	part []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.keep(p)
			return n, nil
		}
		l.keep(p[:i])
		l.flush()
		p = p[i+1:]
	}
}

func (l *lines) keep(p []byte) { l.part = append(l.part, p[:min(len(p), maxLine-len(l.part))]...) }

func (l *lines) flush() {
	if line := bytes.TrimRight(l.part, "\r"); len(line) > 0 && l.each != nil {
		l.each(line)
	}
	l.part = l.part[:0]
}

func (l *lines) end() {
	l.turn.Lock()
	defer l.turn.Unlock()
	l.flush()
}
