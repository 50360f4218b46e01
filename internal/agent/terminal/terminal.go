package terminal

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/internal/agent/shell"
	"github.com/berthdev/berth/internal/agent/spawn"
)

const (
	// settle is how long the last output may take through the terminal, when a
	// background process holds it open.
	settle = 200 * time.Millisecond
	// mercy is how long a shell has to end after SIGHUP.
	mercy = 5 * time.Second
)

// terminal is one pseudo-terminal and its program.
type terminal struct {
	options Options
	command string
	master  *os.File
	cmd     *exec.Cmd
	typing  sync.Mutex // one Type at a time: its bytes stay together
	ended   func()     // told once that this terminal is of no more use

	mu      sync.Mutex
	history *history
	viewers map[*Viewer]bool
	active  *Viewer // gets everything as it is; nil: nobody
	wanted  *Viewer // is to be active as soon as no sequence is half written
	size    Size
	exited  bool
	end     *End
	empty   time.Time   // since when nobody views it
	idle    *time.Timer // looks after it then
	lines   shell.Announcements
}

// start makes a terminal and its program.
func start(o Options, command string, size Size) (*terminal, error) {
	master, slave, err := shell.OpenPair()
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	t := &terminal{options: o, command: command, master: master, history: newHistory(), viewers: map[*Viewer]bool{}, size: size.within()}
	t.setSize(t.size)
	cmd, greeting, err := o.Start(command)
	if err != nil {
		master.Close()
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	syscall.SetNonblock(int(slave.Fd()), false) // programs do not expect it
	t.history.write([]byte(greeting))
	if err := spawn.Start(cmd); err != nil {
		master.Close()
		return nil, err
	}
	t.cmd = cmd
	return t, nil
}

// run reads the program's output until it ended.
func (t *terminal) run() {
	read := make(chan struct{})
	go func() { defer close(read); t.pump() }()
	for unix.Waitid(unix.P_PID, t.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	t.mu.Lock()
	t.cmd.Wait() // from here on its number may be another's
	t.exited = true
	t.mu.Unlock()
	t.master.SetReadDeadline(time.Now().Add(settle))
	<-read
	t.finish()
}

// pump gives the program's output to the viewers.
func (t *terminal) pump() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := t.master.Read(buffer)
		if n > 0 {
			t.show(buffer[:n])
		}
		if err != nil {
			return // EIO: nobody has the other end any more
		}
	}
}

// show takes output.
func (t *terminal) show(data []byte) {
	t.mu.Lock()
	t.give(data)
	t.announceDue(false)
	active, full := t.active, false
	if active != nil {
		full = active.queued > maxQueue/2
	}
	seen := len(t.viewers) > 0
	t.mu.Unlock()
	if seen {
		t.options.Shown(len(data))
	}
	if full {
		select {
		case <-active.room:
		case <-active.gone:
		case <-time.After(patience):
		}
	}
}

// give gives viewers what comes next.
func (t *terminal) give(data []byte) {
	quiet := t.history.write(data)
	for v := range t.viewers {
		if v == t.active {
			v.push(Event{Output: data})
		} else if len(quiet) > 0 {
			v.push(Event{Output: quiet})
		}
	}
	t.settleActive()
}

// settleActive makes the wanted viewer the active one. In the middle of a
// sequence it waits: the two streams differ there.
func (t *terminal) settleActive() {
	if t.active != t.wanted && t.history.between() {
		t.active = t.wanted
	}
}

// activate makes v the viewer that the program talks to.
func (t *terminal) activate(v *Viewer) {
	t.wanted = v
	t.settleActive()
	t.resize(v.size)
}

func (t *terminal) resize(s Size) {
	if s == t.size || t.end != nil {
		return
	}
	t.size = s
	t.setSize(s)
	for v := range t.viewers {
		v.push(Event{Size: &s})
	}
}

// attach adds a viewer and brings it up to date.
func (t *terminal) attach(size Size) *Viewer {
	v := &Viewer{of: t, size: size.within(), wake: make(chan struct{}, 1), room: make(chan struct{}, 1), gone: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle != nil {
		t.idle.Stop()
		t.idle = nil
	}
	t.viewers[v] = true
	if t.history.empty() {
		v.push(Event{Size: &t.size})
		v.size = size.within()
	} else {
		t.catchUp(v)
	}
	if t.end != nil {
		v.push(Event{End: t.end})
		return v
	}
	t.activate(v)
	if t.history.cutInAlternate() {
		shell.Redraw(t.master)
	}
	return v
}

// catchUp queues a replay for v in place of what it missed.
func (t *terminal) catchUp(v *Viewer) {
	kept := v.queue // sizes and the end
	v.queue, v.queued, v.behind = nil, 0, false
	if t.active == v && !t.history.between() {
		t.active = nil // it lacks the half of a sequence that is written already
	}
	size := t.size
	v.push(Event{Size: &size})
	v.push(Event{Output: t.history.replay()})
	for _, e := range kept {
		if e.End != nil {
			v.push(e)
		}
	}
}

// leave forgets a viewer.
func (t *terminal) leave(v *Viewer) {
	delete(t.viewers, v)
	if t.active == v {
		t.active = nil
	}
	if t.wanted == v {
		t.wanted = nil
		for other := range t.viewers {
			t.activate(other)
			break
		}
	}
	if len(t.viewers) > 0 {
		return
	}
	if t.end != nil {
		go t.ended()
		return
	}
	t.empty = time.Now()
	t.idle = time.AfterFunc(t.options.Idle, t.look)
}

// look ends a terminal that nobody views, unless something runs in it.
func (t *terminal) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.viewers) > 0:
	case t.end != nil:
		go t.ended()
	case t.busyNow():
		t.idle = time.AfterFunc(t.options.Again, t.look)
	default:
		t.options.Log.Info("a terminal that nobody views ends", "since", t.empty)
		go t.hangUp()
	}
}

// busyNow tells whether something runs in the terminal: a command that it was made
// for, or anything beside the shell.
func (t *terminal) busyNow() bool {
	return t.command != "" || busy(t.cmd.Process.Pid)
}

// hangUp tells the program that its people are gone, and kills it if it stays.
func (t *terminal) hangUp() {
	pid := t.cmd.Process.Pid
	t.mu.Lock()
	if !t.exited {
		syscall.Kill(-pid, syscall.SIGHUP)
		syscall.Kill(-pid, syscall.SIGCONT)
	}
	t.mu.Unlock()
	time.AfterFunc(mercy, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.exited {
			syscall.Kill(-pid, syscall.SIGKILL)
		}
	})
}

// finish tells the viewers how the program ended. Where there is none, the
// terminal stays a while for the one who comes back.
func (t *terminal) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := &End{}
	if status, ok := t.cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		end.Code = status.ExitStatus()
		if status.Signaled() {
			end.Code, end.Signal = 128+int(status.Signal()), unix.SignalName(status.Signal())
		}
	}
	t.end = end
	t.master.Close() // hangs up what is left on the terminal
	if t.idle != nil {
		t.idle.Stop()
	}
	if len(t.viewers) == 0 {
		t.idle = time.AfterFunc(t.options.Idle, t.look)
		return
	}
	for v := range t.viewers {
		v.push(Event{End: end})
	}
	go t.ended()
}

func (t *terminal) setSize(s Size) {
	shell.SetSize(t.master, uint32(s.Columns), uint32(s.Rows), 0, 0)
}
