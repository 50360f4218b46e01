package runner

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/berthdev/berth"
)

// command is what a runner tells a keeper: one JSON line on its socket. All
// are idempotent, since a runner repeats them when it connects again.
type command struct {
	Cancel  bool           `json:"cancel,omitempty"`
	Force   bool           `json:"force,omitempty"`
	N       int            `json:"n,omitempty"` // of the question that Verdict answers
	Verdict *berth.Verdict `json:"verdict,omitempty"`
}

// doorbell is the keeper's end of the socket: it passes commands on and tells
// whoever is connected that something was written to the record. A ring says
// nothing else; the files are the truth.
type doorbell struct {
	listener net.Listener
	handle   func(command)

	mu    sync.Mutex
	conns map[net.Conn]chan struct{}
}

// openDoorbell listens on the file socket in the process' working directory,
// which is the record: a full path may be longer than a socket's may be.
func openDoorbell(handle func(command)) (*doorbell, error) {
	os.Remove(fileSocket)
	l, err := net.Listen("unix", fileSocket)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(fileSocket, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	d := &doorbell{listener: l, handle: handle, conns: map[net.Conn]chan struct{}{}}
	go d.serve()
	return d, nil
}

func (d *doorbell) serve() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		ring := make(chan struct{}, 1)
		d.mu.Lock()
		d.conns[conn] = ring
		d.mu.Unlock()
		go d.read(conn)
		go func() {
			for range ring {
				if _, err := conn.Write([]byte{'\n'}); err != nil {
					conn.Close()
				}
			}
		}()
	}
}

func (d *doorbell) read(conn net.Conn) {
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		close(d.conns[conn])
		delete(d.conns, conn)
		conn.Close()
	}()
	dec := json.NewDecoder(conn)
	for {
		var c command
		if dec.Decode(&c) != nil {
			return
		}
		d.handle(c)
	}
}

// Ring never blocks; rings that come faster than they are read become one.
func (d *doorbell) Ring() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, ring := range d.conns {
		select {
		case ring <- struct{}{}:
		default:
		}
	}
}

// line is the runner's end of a keeper's socket. It remembers what the keeper
// must know and says it again on each new connection.
type line struct {
	rec  record
	ring func() // called for each ring and each lost connection

	mu   sync.Mutex
	say  command
	conn net.Conn
}

// Tell changes what the keeper must know and sends it when one is connected.
func (l *line) Tell(change func(*command)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.say)
	l.send()
}

// send does not block for long: a command is far smaller than the socket's
// buffer. A failure shows in Serve.
func (l *line) send() {
	if l.conn == nil || l.say == (command{}) {
		return
	}
	if err := json.NewEncoder(l.conn).Encode(l.say); err != nil {
		l.conn.Close()
	}
}

// Serve connects and passes rings on until the connection ends.
func (l *line) Serve(done <-chan struct{}) error {
	conn, err := dialSocket(l.rec)
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		select {
		case <-done:
		case <-stopped:
		}
		conn.Close()
	}()
	l.mu.Lock()
	l.conn = conn
	l.send()
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.conn = nil
		l.mu.Unlock()
		l.ring()
	}()
	l.ring() // for what was written before
	in := bufio.NewReader(conn)
	for {
		if _, err := in.ReadByte(); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		l.ring()
	}
}

// dialSocket reaches a keeper's socket however long its path is.
func dialSocket(rec record) (net.Conn, error) {
	dir, err := os.Open(rec.dir)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if conn, err := net.Dial("unix", "/proc/self/fd/"+strconv.Itoa(int(dir.Fd()))+"/"+fileSocket); err == nil {
		return conn, nil
	}
	return net.Dial("unix", rec.path(fileSocket))
}
