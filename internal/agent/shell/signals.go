package shell

import (
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// signals by their names in SSH.
var signals = map[string]syscall.Signal{
	"ABRT": unix.SIGABRT, "ALRM": unix.SIGALRM, "FPE": unix.SIGFPE, "HUP": unix.SIGHUP, "ILL": unix.SIGILL,
	"INT": unix.SIGINT, "KILL": unix.SIGKILL, "PIPE": unix.SIGPIPE, "QUIT": unix.SIGQUIT, "SEGV": unix.SIGSEGV,
	"TERM": unix.SIGTERM, "USR1": unix.SIGUSR1, "USR2": unix.SIGUSR2,
}

func signalName(signal syscall.Signal) string {
	for name, s := range signals {
		if s == signal {
			return name
		}
	}
	return "SIG@openssh.com" // what OpenSSH says of signals that SSH has no name for
}

// reportExit tells the client how the command ended, and that no output
// follows. That must come last: OpenSSH closes the channel when both directions
// have ended, the library answers at once, and nothing can be sent from then on.
func reportExit(channel ssh.Channel, status syscall.WaitStatus) {
	if !status.Signaled() {
		reportStatus(channel, status.ExitStatus())
		return
	}
	channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
		Name          string
		Core          bool
		Message, Lang string
	}{signalName(status.Signal()), status.CoreDump(), "", ""}))
	channel.CloseWrite()
}

// reportStatus is reportExit for a status that is known.
func reportStatus(channel ssh.Channel, status int) {
	channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
	channel.CloseWrite()
}
