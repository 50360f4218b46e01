package shell

import (
	"errors"
	"io"

	"github.com/pkg/sftp"
)

// sftp serves file transfer on the session's channel, from the home of the
// user, until the client ends it.
func (s *session) sftp() {
	options := s.conn.server.options
	name, _ := clientName(s.env)
	s.conn.knowClient(clientOf(name, ""))
	use := s.conn.opened(KindSFTP)
	defer use.Close()
	server, err := sftp.NewServer(counted{s.channel, use},
		sftp.WithServerWorkingDirectory(CurrentUser(options.Env()).Home), sftp.WithAllocator())
	if err != nil {
		options.Log.Warn("a file transfer could not start", "error", err)
		reportStatus(s.channel, statusNoStart)
		return
	}
	status := 0
	if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
		options.Log.Debug("a file transfer ended", "error", err)
		status = 1
	}
	server.Close()
	reportStatus(s.channel, status)
}

// counted tells use of every byte that passes.
type counted struct {
	io.ReadWriteCloser
	use Use
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Read(p)
	c.use.In(n)
	return n, err
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Write(p)
	c.use.Out(n)
	return n, err
}

// Close leaves the channel open: how the transfer ended is yet to be said.
func (c counted) Close() error { return nil }
