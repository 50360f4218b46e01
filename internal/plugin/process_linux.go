package plugin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
)

const (
	// markVariable marks a process and, since it is inherited, all that it
	// starts. Its value is WORKSPACE/NAME/RUN/RANDOM.
	markVariable = "BERTH_PROCESS_ID"
	// maxLog is how large an output file may be, in bytes, when a build looks at it.
	maxLog = 4 << 20
	// killWait is how long killed processes may take to be gone.
	killWait = 10 * time.Second
)

// start starts c in a session of its own. A process of this name that an
// earlier build started and did not live to record is ended first.
func start(ctx context.Context, c command) (process, error) {
	run := parentRun()
	prefix := c.Host.workspace + "/" + c.Name + "/"
	own := prefix + run + "/"
	if other, ok := begun.Load(own); ok && other.(process).alive() {
		return process{}, twice(c.Name)
	}
	if err := endStrays(ctx, prefix, own, c.Name); err != nil {
		return process{}, err
	}
	p := process{Mark: prefix + run + "/" + rand.Text(), Log: c.logPath(), Boot: bootID()}
	output, err := openLog(p.Log)
	if err != nil {
		return process{}, err
	}
	defer output.Close()
	if info, err := os.Stat(c.Directory); err != nil || !info.IsDir() {
		return process{}, berth.InvalidField("directory", "%q is not a directory on this host", c.Directory)
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Dir = c.Directory
	cmd.Env = append(append(cleared(c.Directory), c.Env...), markVariable+"="+p.Mark)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return process{}, berth.InvalidField("command", "%v", err)
	}
	p.PID = cmd.Process.Pid
	stat, _ := readStat(p.PID) // not yet waited for, so it cannot be another one's
	p.Started = stat.started
	begun.Store(own, p)
	go cmd.Wait() // ends with the process or with the plugin, whichever is first
	return p, nil
}

// cleared is the environment of a process that was given none.
func cleared(directory string) []string {
	name, shell := strconv.Itoa(os.Getuid()), "/bin/sh"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + directory, "USER=" + name, "LOGNAME=" + name, "SHELL=" + shell, "LANG=C.UTF-8",
	}
}

// endStrays ends what earlier runs left under the prefix. One that this same
// run has started is no stray: two resources have one name.
func endStrays(ctx context.Context, prefix, own, name string) error {
	if len(processes(hasMark(own))) > 0 {
		return twice(name)
	}
	return killAll(ctx, hasMark(prefix))
}

// begun is what this plugin has started, by what its mark begins with: what it
// knows itself, it need not look for.
var begun sync.Map

func twice(name string) error {
	return berth.InvalidField("name", "two berth_process resources of this template are called %q; give each a name of its own", name)
}

// EndWorkspace kills all processes of a workspace, recorded or not. It is for
// after a stop or a delete that has left no berth_process in the state: one
// whose start was never recorded is unknown to Terraform then.
func EndWorkspace(ctx context.Context, workspace string) error {
	if !pathElement.MatchString(workspace) {
		return nil // no process can have been started for it
	}
	return killAll(context.WithoutCancel(ctx), hasMark(workspace+"/"))
}

// parentRun names the Terraform run that this plugin serves.
func parentRun() string {
	parent := os.Getppid()
	stat, _ := readStat(parent)
	return fmt.Sprintf("%d-%s", parent, stat.started)
}

// alive tells whether the process itself still runs.
func (p process) alive() bool {
	if p.PID <= 0 || p.Boot != bootID() {
		return false
	}
	stat, err := readStat(p.PID)
	return err == nil && stat.started == p.Started && !stat.dead()
}

// marked lists what p has started and is still there, without p when that has
// ended.
func (p process) marked() []int {
	if p.Mark == "" || p.Boot != bootID() {
		return nil
	}
	return processes(hasMark(p.Mark))
}

// end asks p to end, gives it the time that it may take, and kills what is
// left of it, of its session and of all that has its mark. When ctx ends there
// is no more waiting.
func (p process) end(ctx context.Context, patience time.Duration) error {
	leads := false
	if fd, err := unix.PidfdOpen(p.PID, 0); err == nil {
		defer unix.Close(fd)
		// Alive now, after the descriptor was opened: so the descriptor is p's.
		if leads = p.alive(); leads && unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0) == nil {
			p.wait(ctx, fd, patience)
		}
	}
	return killAll(context.WithoutCancel(ctx), func(pid int) bool { return p.owns(pid, leads) })
}

// owns tells whether a process has p's mark or, when p has been seen to lead
// its session just now, is in that: it may have cleared its environment. A
// session's number is not given to a new process while somebody is in it.
func (p process) owns(pid int, leads bool) bool {
	if p.Boot != bootID() {
		return false
	}
	if p.Mark != "" && hasMark(p.Mark)(pid) {
		return true
	}
	if !leads {
		return false
	}
	stat, err := readStat(pid)
	return err == nil && !stat.dead() && stat.session == p.PID
}

// wait waits until p has ended, but no longer than patience.
func (p process) wait(ctx context.Context, fd int, patience time.Duration) {
	for until := time.Now().Add(patience); time.Now().Before(until) && ctx.Err() == nil; {
		slice := min(100*time.Millisecond, time.Until(until))
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(slice.Milliseconds())+1)
		if err != nil && err != unix.EINTR || n > 0 {
			return
		}
	}
}

// killAll kills the processes that match until there are none: what was forked
// while we looked is found the next time.
func killAll(ctx context.Context, match func(pid int) bool) error {
	for until := time.Now().Add(killWait); ; {
		left := processes(match)
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			kill(pid, match)
		}
		if time.Now().After(until) || ctx.Err() != nil {
			return berth.Errorf(berth.Unavailable, "processes %v of this workspace do not end though they were killed; they may wait for a disk or device", left)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// kill kills pid if it matches after a descriptor was taken on it: its number
// may be another process's by now, the descriptor is not.
func kill(pid int, match func(pid int) bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if match(pid) {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// environOf is the environment that pid was started with. The kernel shows none
// while a process executes another program, so one that has none is looked at
// some times more, unless it runs no program at all.
func environOf(pid int) (environ []byte, err error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	for range 10 {
		if environ, err = os.ReadFile(dir + "environ"); err != nil || len(environ) > 0 {
			return environ, err
		}
		if _, err := os.Readlink(dir + "exe"); err != nil {
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
	return environ, nil
}

// hasMark matches the live processes whose mark begins with prefix. Only those
// of our own user can be seen, which are those that we can have started.
func hasMark(prefix string) func(pid int) bool { return hasVariable(markVariable + "=" + prefix) }

// hasVariable matches the live processes in whose environment a variable begins
// with want, NAME=….
func hasVariable(want string) func(pid int) bool {
	return func(pid int) bool {
		environ, err := environOf(pid)
		if err != nil || !strings.Contains(string(environ), want) {
			return false
		}
		for v := range strings.SplitSeq(string(environ), "\x00") {
			if strings.HasPrefix(v, want) {
				stat, err := readStat(pid)
				return err == nil && !stat.dead()
			}
		}
		return false
	}
}

// processes lists the process ids that match.
func processes(match func(pid int) bool) []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var found []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() && match(pid) {
			found = append(found, pid)
		}
	}
	return found
}

type stat struct {
	state   string
	session int
	started string // clock ticks after the boot
}

func (s stat) dead() bool { return s.state == "Z" || s.state == "X" }

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(text))
}

// parseStat reads /proc/PID/stat. The second field is the program's name in
// parentheses and may hold anything, parentheses and spaces included.
func parseStat(text string) (stat, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return stat{}, errors.New("reading a process's stat: too few fields")
	}
	session, err := strconv.Atoi(fields[3])
	return stat{state: fields[0], session: session, started: fields[19]}, err
}

func bootID() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// openLog opens a fresh file for the output of a process. It is written at its
// end, so that it can be shortened while the process writes.
func openLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the log directory: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing the old log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	return file, nil
}

// trimLog empties a log that has grown too large.
func trimLog(path string) {
	file, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > maxLog {
		_ = file.Truncate(0)
	}
}

// removeLog removes a log and the directories that it leaves empty.
func removeLog(path string) {
	if path == "" {
		return
	}
	_ = os.Remove(path)
	_ = os.Remove(filepath.Dir(path))
	_ = os.Remove(filepath.Dir(filepath.Dir(path)))
}
