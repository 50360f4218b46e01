package shell

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// settle is how long the last output of a command may take through the
// terminal, when a background process holds it open.
const settle = 200 * time.Millisecond

// terminal is the pseudo-terminal of a session.
type terminal struct {
	term   string // TERM
	name   string // /dev/pts/N
	master *os.File
	slave  *os.File // nil once the command has it
}

func (t *terminal) close() {
	t.master.Close()
	if t.slave != nil {
		t.slave.Close()
	}
}

// openTerminal answers pty-req.
func (s *session) openTerminal(payload []byte) bool {
	var m struct {
		Term                      string
		Columns, Rows, Wide, Tall uint32
		Modes                     string
	}
	if ssh.Unmarshal(payload, &m) != nil || s.terminal != nil || s.started {
		return false
	}
	master, slave, err := OpenPair()
	if err != nil {
		s.conn.server.options.Log.Warn("no terminal for a session", "error", err)
		return false
	}
	s.terminal = &terminal{term: m.Term, name: slave.Name(), master: master, slave: slave}
	if s.terminal.term == "" {
		s.terminal.term = "dumb"
	}
	SetSize(master, m.Columns, m.Rows, m.Wide, m.Tall)
	if err := setModes(slave, []byte(m.Modes)); err != nil {
		s.conn.server.options.Log.Debug("terminal modes", "error", err)
	}
	return true
}

// OpenPair opens a pseudo-terminal. Reads of the master end when it is closed
// and can have deadlines.
func OpenPair() (master, slave *os.File, err error) {
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer blocking.Close()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		slave.Close()
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), blocking.Name()), slave, nil
}

// resize answers window-change.
func (s *session) resize(payload []byte) bool {
	var m struct{ Columns, Rows, Wide, Tall uint32 }
	if ssh.Unmarshal(payload, &m) != nil || s.terminal == nil {
		return false
	}
	return SetSize(s.terminal.master, m.Columns, m.Rows, m.Wide, m.Tall) == nil
}

// SetSize works while f is read, and closed, elsewhere; the library's does not.
func SetSize(f *os.File, columns, rows, wide, tall uint32) error {
	return setSize(f, &unix.Winsize{Col: uint16(columns), Row: uint16(rows), Xpixel: uint16(wide), Ypixel: uint16(tall)})
}

func setSize(f *os.File, size *unix.Winsize) error {
	return control(f, func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size) })
}

func sizeOf(f *os.File) (size *unix.Winsize, err error) {
	err = control(f, func(fd int) (err error) { size, err = unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); return err })
	return size, err
}

// control does something to the terminal of f, unless that is closed.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	if err := raw.Control(func(fd uintptr) { done = do(int(fd)) }); err != nil {
		return err
	}
	return done
}

// runOnTerminal runs cmd on the session's terminal. The error says that it did
// not start.
func (s *session) runOnTerminal(cmd *exec.Cmd, use Use) error {
	t := s.terminal
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.slave, t.slave, t.slave
	cmd.SysProcAttr.Setctty = true
	syscall.SetNonblock(int(t.slave.Fd()), false) // commands do not expect it
	if err := s.begin(cmd); err != nil {
		return err
	}
	t.slave.Close()
	t.slave = nil

	var input, output sync.WaitGroup
	// The end of input is not passed on: a terminal has no such thing.
	input.Go(func() { pump(t.master, s.channel, use.In) })
	seen := s.viewed(t.master)
	output.Go(func() { drain(seen, t.master, use.Out) })
	s.await(cmd, &output, settle, t.master)
	t.master.Close() // hangs up what is left on the terminal
	output.Wait()
	s.channel.Close()
	input.Wait()
	return nil
}

// viewed makes what the session's person sees from here on.
func (s *session) viewed(master *os.File) *view {
	v := &view{to: s.channel, columns: func() int {
		size, err := sizeOf(master)
		if err != nil {
			return 0
		}
		return int(size.Col)
	}, shown: func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.process != nil {
			PromptAgain(master, s.process.Pid)
		}
	}}
	if screen := s.conn.server.options.Screen; screen != nil {
		v.follow = screen()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = v
	return v
}
