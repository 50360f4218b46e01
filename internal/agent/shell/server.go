package shell

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Leftovers is how long a session without a terminal waits, after its command
// exited, for background processes that hold its output open.
const Leftovers = 10 * time.Second

// Limits. They keep a mistaken or hostile client from using up the workspace;
// no person comes near them.
const (
	maxConnections = 512
	maxChannels    = 1000 // open at once on one connection
	maxForwards    = 128  // listeners of one connection
	handshakeTime  = 30 * time.Second
)

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
	// Banner gives text to show on a new terminal, before MOTD; nil or empty: none.
	Banner func() string
	// Screen makes one that follows a new terminal; nil: nothing is known of
	// what is on terminals.
	Screen func() Screen
	// Evidence hears of use; nil: nobody does.
	Evidence Evidence
	// Log takes what an operator may want to know; nil: slog's default.
	Log *slog.Logger
}

// Server is an SSH server. Make it with New.
type Server struct {
	options   Options
	hostKey   ssh.Signer
	leftovers time.Duration

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]bool
	conns     map[*connection]bool
	running   sync.WaitGroup
}

// New makes a server with a fresh host key.
func New(o Options) (*Server, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("making a host key: %w", err)
	}
	if o.Env == nil {
		o.Env = os.Environ
	}
	if o.Evidence == nil {
		o.Evidence = NoEvidence{}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Server{
		options: o, hostKey: signer, leftovers: Leftovers,
		listeners: map[net.Listener]bool{}, conns: map[*connection]bool{},
	}, nil
}

// ErrClosed is returned by Serve after Close.
var ErrClosed = errors.New("ssh server is closed")

// Serve takes connections from l until l fails or Close is called. It closes l
// and returns when the connections that it took have ended.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.listen(l) {
		return ErrClosed
	}
	var taken sync.WaitGroup
	defer taken.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.listeners, l)
			if s.closed {
				return ErrClosed
			}
			return fmt.Errorf("accepting: %w", err)
		}
		taken.Go(func() { s.ServeConn(conn) })
	}
}

// ServeConn serves one connection and returns when it has ended.
func (s *Server) ServeConn(conn net.Conn) {
	c := &connection{server: s, raw: conn, listeners: map[string]*forward{}, sessions: map[*session]bool{}}
	if !s.add(c) {
		conn.Close()
		return
	}
	defer s.remove(c)
	c.serve()
}

// Close ends every connection: terminals hang up, commands get SIGHUP. It
// returns when all have ended.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
	}
	conns := make([]*connection, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.hangUp()
	}
	s.running.Wait()
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.listeners[l] = true
	return true
}

func (s *Server) add(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if len(s.conns) >= maxConnections {
		s.options.Log.Warn("refused an SSH connection: too many at once", "limit", maxConnections)
		return false
	}
	s.conns[c] = true
	s.running.Add(1)
	return true
}

func (s *Server) remove(c *connection) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.running.Done()
}
