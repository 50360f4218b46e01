package shell

// Kind is what a stream of an SSH connection is used for.
type Kind string

const (
	KindCommand  Kind = "command"  // exec without a terminal
	KindTerminal Kind = "terminal" // shell or command on a terminal
	KindSFTP     Kind = "sftp"
	KindForward  Kind = "forward" // a forwarded port or socket
)

// Opened describes a stream when it opens.
type Opened struct {
	Kind Kind
	// Client is the editor that the connection belongs to (vscode, cursor,
	// windsurf, jetbrains, zed), as far as is known when the stream opens: by
	// CODER_SSH_SESSION_TYPE or BERTH_SSH_SESSION_TYPE of its sessions, or by what
	// they run. Empty for plain SSH.
	Client string
}

// Evidence hears that people use a workspace. Its calls come from many
// goroutines at once and must not block.
type Evidence interface {
	// Open is called when a stream opens. The Use that it returns hears of
	// the bytes and the end of that stream.
	Open(Opened) Use
}

// Use hears of one stream. In and Out may be called at the same time.
type Use interface {
	In(n int)  // bytes from the person
	Out(n int) // bytes to the person
	Close()    // once, when the stream ended
}

// NoEvidence hears nothing.
type NoEvidence struct{}

// Open returns a Use that ignores what it is told.
func (NoEvidence) Open(Opened) Use { return noUse{} }

type noUse struct{}

func (noUse) In(int)  {}
func (noUse) Out(int) {}
func (noUse) Close()  {}
