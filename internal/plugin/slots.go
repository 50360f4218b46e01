package plugin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/warm"
)

// slotsMain is `berth-plugin slots DIR SETS UID…`: it serves the coder plugin to many
// builds, each of which gets a provider object and a socket of its own. DIR is
// its own, of mode 0700; builds of the given users may ask. It says "ready" once
// it listens, and ends when its standard input has ended and no build uses it.
// Plugins below SETS that no build uses end then, too.
func slotsMain(args []string) int {
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: berth-plugin slots DIR SETS UID…")
		return 2
	}
	if err := keepMemoryPrivate(); err != nil {
		fmt.Fprintln(os.Stderr, "berth-plugin slots: keeping its memory from other processes:", err)
		return 1
	}
	s := &slots{dir: args[0]}
	for _, text := range args[2:] {
		uid, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			fmt.Fprintf(os.Stderr, "berth-plugin slots: %q is not the number of a user\n", text)
			return 2
		}
		s.peers = append(s.peers, uint32(uid))
	}
	control, err := privateSocket(s.dir, warm.ControlName)
	if err != nil {
		fmt.Fprintln(os.Stderr, "berth-plugin slots:", err)
		return 1
	}
	unlock, err := holdLock(filepath.Join(s.dir, warm.LockName))
	if err != nil {
		fmt.Fprintln(os.Stderr, "berth-plugin slots:", err)
		return 1
	}
	defer unlock()
	go s.serve(control)
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the runner, or when it wants no more of us
	control.Close()
	endIdle(args[1])
	s.busy.Wait()
	_ = os.RemoveAll(s.dir) // what is not ours to remove goes with the next process
	return 0
}

// slots hands out slots.
type slots struct {
	dir   string
	peers []uint32 // users that may ask

	busy sync.WaitGroup
	mu   sync.Mutex
	last int // number of the newest slot
}

// slotRequest is what a build says on a control connection, slotAnswer what it
// hears: one line of JSON each. Any byte after it lets go of the slot.
type slotRequest struct {
	Plugin string            `json:"plugin"`
	Env    map[string]string `json:"env"`
}

type slotAnswer struct {
	Address string `json:"address,omitempty"` // of the slot's unix socket
	Error   string `json:"error,omitempty"`
}

// maxSlotRequest bounds the line that a build sends.
const maxSlotRequest = 64 << 20

func (s *slots) serve(control net.Listener) {
	for {
		conn, err := control.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of file descriptors for the moment
			continue
		}
		s.busy.Go(func() {
			defer conn.Close()
			session, ok := sessionOf(conn, s.peers)
			if !ok {
				return
			}
			if err := s.slot(conn, session); err != nil {
				_ = json.NewEncoder(conn).Encode(slotAnswer{Error: berth.ErrorMessage(err)})
			}
		})
	}
}

// slot serves one build, which is a session of processes, until it lets go or all
// of them have ended.
func (s *slots) slot(conn net.Conn, session int) error {
	in := bufio.NewReader(io.LimitReader(conn, maxSlotRequest))
	var ask slotRequest
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ask)
	}
	if err != nil {
		return berth.Errorf(berth.Invalid, "this is not how a build asks for a slot")
	}
	i := slices.IndexFunc(served, func(p pluginBinary) bool { return p.name == ask.Plugin && p.slots })
	if i < 0 {
		return berth.Errorf(berth.NotFound, "there are no slots of the plugin %q", ask.Plugin)
	}
	name := s.name()
	socket, err := privateSocket(s.dir, name)
	if err != nil {
		return err
	}
	server, err := slotServer(served[i], ask.Env)
	if err != nil {
		socket.Close()
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ofSession{socket, session})
	}()
	if err := json.NewEncoder(conn).Encode(slotAnswer{Address: filepath.Join(s.dir, name)}); err == nil {
		if _, err := in.ReadByte(); err != nil { // the build did not let go: it died, and its terraform may work on
			awaitSession(session)
		}
	}
	server.Stop() // removes the socket
	<-ended
	return nil
}

func (s *slots) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return strconv.Itoa(s.last)
}

// privateSocket listens in dir for nobody but its user and root.
func privateSocket(dir, name string) (net.Listener, error) {
	path := filepath.Join(dir, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// ofSession accepts connections of one session of processes alone, that of a
// build: its socket's directory keeps out other users, but not what runs as the
// build user in other builds and in workspaces. No process can join a session.
type ofSession struct {
	net.Listener
	session int
}

func (l ofSession) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if session, ok := sessionOf(conn, nil); ok && session == l.session {
			return conn, nil
		}
		conn.Close()
	}
}

// endIdle ends the plugins beside us that no build uses: whoever started them is
// gone, and they know nothing of that.
func endIdle(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if _, err := os.Lstat(filepath.Join(dir, e.Name(), warm.LeaseName)); errors.Is(err, fs.ErrNotExist) {
			_ = EndWarm(context.Background(), e.Name())
		}
	}
}

// Slot is the slot of a build.
type Slot struct {
	Address string // of its unix socket
	conn    net.Conn
}

// OpenSlot asks for a slot of a plugin over a connection to a control socket, in
// which the plugin sees env. Only the session of the process that asks can use it.
func OpenSlot(conn net.Conn, plugin string, env map[string]string) (*Slot, error) {
	// Encoded before it is sent: a slot that waits for the rest of a line would
	// wait for as long as the connection lives.
	line, err := json.Marshal(slotRequest{Plugin: plugin, Env: env})
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("asking for a slot: %w", err)
	}
	var a slotAnswer
	if err := json.NewDecoder(conn).Decode(&a); err != nil {
		return nil, fmt.Errorf("asking for a slot: %w", err)
	}
	if a.Error != "" || !strings.HasPrefix(a.Address, "/") {
		return nil, berth.Errorf(berth.Unavailable, "no slot of the plugin %s: %s", plugin, a.Error)
	}
	return &Slot{Address: a.Address, conn: conn}, nil
}

// Close lets go of the slot. One that is not closed lives until no process of the
// session is left.
func (s *Slot) Close() {
	_, _ = s.conn.Write([]byte{'\n'})
	s.conn.Close()
}
