package shell

import (
	"errors"
	"log/slog"
	"net"
	"time"
)

// Leftovers is how long a session without a terminal waits, after its command
// exited, for background processes that hold its output open.
const Leftovers = 10 * time.Second

// Options say how sessions run. The zero value works.
type Options struct {
	// Env gives the environment that a session starts from. It is asked for
	// each session; nil: the environment of this process. HOME and SHELL of it
	// say where sessions start and what runs their commands; both are looked up
	// where they are missing.
	Env func() []string
	// Dir gives the directory where sessions start; nil, empty or missing: HOME.
	Dir func() string
	// MOTD gives the path of a file to show on a new terminal; nil or empty: none.
	MOTD func() string
	// Evidence hears of use; nil: nobody does.
	Evidence Evidence
	// Log takes what an operator may want to know; nil: slog's default.
	Log *slog.Logger
}

// Server is an SSH server. Make it with New.
type Server struct {
	options Options
}

// New makes a server with a fresh host key.
func New(o Options) (*Server, error) { return &Server{options: o}, nil }

// ErrClosed is returned by Serve after Close.
var ErrClosed = errors.New("ssh server is closed")

// Serve takes connections from l until l fails or Close is called. It closes l
// and returns when all connections have ended.
func (s *Server) Serve(l net.Listener) error { panic("not yet") }

// Close ends every connection: terminals hang up, commands get SIGHUP.
func (s *Server) Close() { panic("not yet") }
