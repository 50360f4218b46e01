package shell

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pipeSize is what we ask the kernel to hold of a command's output. It is also
// the most that a command can have written before it exited that we have not
// read yet.
const pipeSize = 1 << 20

// runOnPipes runs cmd without a terminal. The error
// says that it did not start.
func (s *session) runOnPipes(cmd *exec.Cmd, use Use) error {
	var pipes pipes
	defer pipes.close()
	stdin, err := pipes.make(true)
	if err != nil {
		return err
	}
	stdout, err := pipes.make(false)
	if err != nil {
		return err
	}
	stderr, err := pipes.make(false)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes.theirs[0], pipes.theirs[1], pipes.theirs[2]
	if err := s.begin(cmd); err != nil {
		return err
	}
	pipes.closeTheirs()

	var input, output sync.WaitGroup
	input.Go(func() {
		if err := pump(stdin, s.input, use.In); errors.As(err, &writeError{}) {
			// The command reads no more. OpenSSH stops sending when it is told so.
			s.channel.SendRequest("eow@openssh.com", false, nil)
		}
		stdin.Close()
	})
	output.Go(func() { drain(s.channel, stdout, use.Out); stdout.Close() })
	output.Go(func() { drain(s.channel.Stderr(), stderr, use.Out); stderr.Close() })
	s.await(cmd, &output, s.conn.server.leftovers, stdout, stderr)
	pipes.close()
	output.Wait()
	s.channel.Close() // frees the copying of input
	input.Wait()
	return nil
}

// await waits until cmd has exited and its output is with the client, and
// reports how it ended. Output that is still held open is waited for as long as
// leftovers. A command that closes its output and goes on ends the client's
// only when it exits: see reportExit.
//
// When the client leaves, it returns at once. As with sshd, a command without a
// terminal is not ended by that; only its pipes break.
func (s *session) await(cmd *exec.Cmd, output *sync.WaitGroup, leftovers time.Duration, files ...*os.File) {
	drained := make(chan struct{})
	go func() {
		output.Wait()
		close(drained)
	}()
	exited := make(chan syscall.WaitStatus, 1)
	go func() { exited <- s.wait(cmd) }()
	var status syscall.WaitStatus
	select {
	case status = <-exited:
	case <-s.gone:
		return
	}
	for _, f := range files {
		f.SetReadDeadline(time.Now().Add(leftovers))
	}
	select {
	case <-drained:
		reportExit(s.channel, status)
	case <-s.gone:
	}
}

// drain copies what a command writes. When the pipe's read deadline passes, it
// still takes what is in the pipe: that may be from the command itself,
// written before it exited, and the client just slow.
func drain(dst io.Writer, pipe *os.File, count func(int)) {
	err := pump(dst, pipe, count)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		pipe.SetReadDeadline(time.Time{})
		pump(dst, io.LimitReader(&present{file: pipe}, pipeSize), count)
	}
}

// present reads what a file has now, and ends where a read would wait.
type present struct{ file *os.File }

func (p *present) Read(buffer []byte) (int, error) {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	readErr := raw.Read(func(fd uintptr) bool {
		n, err = unix.Read(int(fd), buffer)
		return true
	})
	if readErr != nil || err != nil || n <= 0 {
		return 0, io.EOF
	}
	return n, nil
}

// pipes are the pipes of one command: our ends do not block, the command's do.
// The package os makes both the same, and a command with an end that does not
// block may fail in odd ways.
type pipes struct{ ours, theirs []*os.File }

// make makes a pipe and gives our end: the writing one for input.
func (p *pipes) make(input bool) (*os.File, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	ours, theirs := ends[0], ends[1]
	if input {
		ours, theirs = theirs, ours
	}
	// A smaller pipe works too; the kernel limits how many large ones a user has.
	unix.FcntlInt(uintptr(ours), unix.F_SETPIPE_SZ, pipeSize)
	unix.SetNonblock(ours, true)
	file := os.NewFile(uintptr(ours), "|ours")
	p.ours = append(p.ours, file)
	p.theirs = append(p.theirs, os.NewFile(uintptr(theirs), "|theirs"))
	return file, nil
}

func (p *pipes) closeTheirs() {
	for _, f := range p.theirs {
		f.Close()
	}
}

func (p *pipes) close() {
	p.closeTheirs()
	for _, f := range p.ours {
		f.Close()
	}
}
