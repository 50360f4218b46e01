package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/berthdev/berth/internal/plugin"
	"github.com/berthdev/berth/internal/terraform"
	"github.com/berthdev/berth/internal/warm"
)

// warmth is the runner's end of warm plugins: it leases them to keepers, over a
// socket beside their records. A lease ends when its keeper gives it back, and at
// the latest with its build: a keeper that was killed may leave a Terraform that
// still needs its plugins.
type warmth struct {
	r        *Runner
	house    *warm.House
	dir      string // of the house
	listener net.Listener
	wg       sync.WaitGroup

	mu   sync.Mutex
	left map[string][]string // sets of an earlier run, by the record whose build has them
}

// fileWarm is the socket's name in the runner's directory.
const fileWarm = "warm"

// leaseRequest is what a keeper asks, in one line of JSON, and leaseAnswer what it
// hears. It gives the lease back by leaseEnd on the same connection, which is
// closed when that is done.
type leaseRequest struct {
	Build   string        `json:"build"`
	Key     warm.Key      `json:"key"`
	Plugins []warm.Plugin `json:"plugins"`
}

type leaseAnswer struct {
	Lease warm.Lease `json:"lease"`
	Error string     `json:"error,omitempty"`
}

type leaseEnd struct {
	Well bool `json:"well"`
}

// Plugins that stay are ended after these, whatever happens: what a plugin leaks
// shall not add up.
const (
	warmAge    = 2 * time.Hour
	warmIdle   = 15 * time.Minute
	warmBuilds = 200
)

// openWarmth ends what an earlier run left and nobody uses, and opens the house.
// Without one, builds start their plugins themselves.
func (r *Runner) openWarmth() *warmth {
	w := &warmth{r: r, dir: filepath.Join(r.o.Work, "warm"), left: map[string][]string{}}
	for set, build := range warm.Left(w.dir) {
		if r.held[build] != nil {
			w.left[build] = append(w.left[build], set)
			continue
		}
		warm.End(w.dir, set, plugin.EndWarm, r.o.Log)
	}
	if !r.o.Warm {
		return w
	}
	if err := w.open(); err != nil {
		r.o.Log.Warn("plugins do not stay warm: every build starts its own", "error", err)
		w.house = nil
	}
	return w
}

func (w *warmth) open() (err error) {
	o := warm.Options{
		Dir: w.dir, Env: terraform.HostEnv(w.r.o.Pass), Warden: []string{plugin.Binary(filepath.Join(w.r.o.Work, "mirror")), plugin.WardenCommand},
		Sets: 2 * w.r.o.Slots, Memory: w.r.o.WarmMemory,
		MaxAge: warmAge, MaxBuilds: warmBuilds, MaxIdle: warmIdle, Log: w.r.o.Log, End: plugin.EndWarm,
	}
	if as := w.r.o.As; as != nil {
		o.User = &syscall.Credential{Uid: as.UID, Gid: as.GID, Groups: as.Groups}
	}
	if w.listener, err = listenIn(w.r.o.Dir, fileWarm); err != nil {
		return fmt.Errorf("listening for leases: %w", err)
	}
	if w.house, err = warm.Open(o); err != nil {
		w.listener.Close()
		return err
	}
	w.wg.Go(w.serve)
	return nil
}

// listenIn listens on a unix socket in dir, however long dir's name is.
func listenIn(dir, name string) (net.Listener, error) {
	path := filepath.Join(dir, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	at, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	short := "/proc/self/fd/" + strconv.Itoa(int(at.Fd())) + "/" + name
	l, err := net.Listen("unix", short)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the short name is gone by then
	return l, os.Chmod(path, 0o600)
}

// offers tells whether there are warm plugins.
func (w *warmth) offers() bool { return w != nil && w.house != nil }

func (w *warmth) serve() {
	for {
		conn, err := w.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of file descriptors for the moment
			continue
		}
		go w.lease(conn)
	}
}

// lease serves one keeper.
func (w *warmth) lease(conn net.Conn) {
	defer conn.Close()
	in := json.NewDecoder(conn)
	var ask leaseRequest
	if in.Decode(&ask) != nil {
		return
	}
	w.r.mu.Lock()
	_, held := w.r.held[ask.Build]
	w.r.mu.Unlock()
	var a leaseAnswer
	err := errors.New("the build is not one of this runner")
	if held {
		ctx, stop := context.WithTimeout(context.Background(), leaseWait)
		a.Lease, err = w.house.Take(ctx, warm.Want{Build: ask.Build, Key: ask.Key, Plugins: ask.Plugins})
		stop()
	}
	if err != nil {
		a = leaseAnswer{Error: errorText(err)}
	}
	if json.NewEncoder(conn).Encode(a) != nil || err != nil {
		return
	}
	var end leaseEnd
	if in.Decode(&end) == nil {
		w.house.Return(ask.Build, end.Well)
	}
}

// over ends what a build still has of warm plugins.
func (w *warmth) over(build string) {
	if w == nil {
		return
	}
	if w.house != nil {
		w.house.Return(build, false)
	}
	w.mu.Lock()
	left := w.left[build]
	delete(w.left, build)
	w.mu.Unlock()
	for _, set := range left {
		warm.End(w.dir, set, plugin.EndWarm, w.r.o.Log)
	}
}

// close ends what no build uses.
func (w *warmth) close() {
	if w.house == nil {
		return
	}
	w.listener.Close()
	w.wg.Wait()
	w.house.Close()
}
