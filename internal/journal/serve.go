package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// order is what Open tells the process of a journal, one JSON value each.
type order struct {
	Open     *opening `json:"open,omitempty"`     // first
	Plans    []string `json:"plans,omitempty"`    // asks for what was planned, also of these types
	Release  *judged  `json:"release,omitempty"`  // lets changes through
	Deny     string   `json:"deny,omitempty"`     // lets none through, and says why
	Began    *Change  `json:"began,omitempty"`    // terraform says that it begins with a change
	Settle   bool     `json:"settle,omitempty"`   // asks for an answer when no change is running
	StopAll  bool     `json:"stop_all,omitempty"` // asks the plugins to end what they are at
	Question int      `json:"question,omitempty"` // repeated in the answer
}

type opening struct {
	Dir     string     `json:"dir"`
	Plugins []Upstream `json:"plugins"`
	Serial  bool       `json:"serial,omitempty"`
	Engine  string     `json:"engine,omitempty"`
	Types   []string   `json:"types,omitempty"`
}

type judged struct {
	Plan []Change `json:"plan"`
}

// answer is what the process says.
type answer struct {
	Question int       `json:"question,omitempty"`
	Sockets  []string  `json:"sockets,omitempty"` // of the proxies, in the order of the plugins
	Pid      int       `json:"pid,omitempty"`
	Plans    []Planned `json:"plans,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// lastWait is how long a journal that nobody asks any more waits for another
// call of terraform.
const lastWait = time.Second

// stopWait is how long a plugin may take to answer that it stops.
const stopWait = 10 * time.Second

// Main is the process of a journal: it serves until whoever started it closes in
// and nothing runs any more, and gives the exit code. It is a process of its own
// so that a change is seen through, and written down, whoever else dies.
func Main(in io.Reader, out io.Writer, inner func(name string) Inner) int {
	if err := serve(in, out, inner); err != nil {
		fmt.Fprintf(os.Stderr, "journal: %v\n", err)
		return 1
	}
	return 0
}

func serve(in io.Reader, out io.Writer, inner func(string) Inner) error {
	orders, say := json.NewDecoder(in), &speaker{to: json.NewEncoder(out)}
	var first order
	if err := orders.Decode(&first); err != nil || first.Open == nil {
		return fmt.Errorf("reading what to do: %w", errors.Join(err, errors.New("it has to begin with open")))
	}
	s, err := open(*first.Open, inner)
	if err != nil {
		say.answer(answer{Question: first.Question, Error: err.Error()})
		return err
	}
	defer s.close()
	say.answer(answer{Question: first.Question, Sockets: s.names, Pid: os.Getpid()})
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			break // whoever started us is done with us, or dead
		}
		s.obey(o, say)
	}
	s.journal.gate.decide(false, "The process that ran this build ended before its plan was judged.")
	s.seeOut()
	return nil
}

// speaker answers; that nobody listens any more does no harm.
type speaker struct {
	mu sync.Mutex
	to *json.Encoder
}

func (s *speaker) answer(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.to.Encode(a)
}

// site has the proxies of one build.
type site struct {
	journal *journal
	names   []string
	servers []*grpc.Server
	callers []caller
	ups     []Upstream

	mu    sync.Mutex
	calls int
	last  time.Time // when a call ended
}

func open(o opening, inner func(string) Inner) (s *site, err error) {
	s = &site{ups: o.Plugins, last: time.Now()}
	if s.journal, err = newJournal(filepath.Join(o.Dir, FileName), o); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for i, up := range o.Plugins {
		to, err := reach(up, inner)
		if err != nil {
			return nil, err
		}
		s.callers = append(s.callers, to)
		// Relative to our directory: a socket's name must be short.
		name := strconv.Itoa(i)
		listener, err := net.Listen("unix", name)
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(name, 0o600); err != nil {
			return nil, err
		}
		p := &proxy{of: s.journal, up: up, to: to}
		server := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.NumStreamWorkers(4), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
			grpc.UnknownServiceHandler(s.counted(p.handle)))
		s.servers, s.names = append(s.servers, server), append(s.names, name)
		go func() { _ = server.Serve(listener) }()
	}
	return s, nil
}

// reach finds the plugin, in a process of its own or in ours.
func reach(up Upstream, inner func(string) Inner) (caller, error) {
	if up.Inner == "" {
		conn, err := dial(up.Address)
		return remote{conn}, err
	}
	if inner != nil {
		if i := inner(up.Inner); i != nil {
			return i, nil
		}
	}
	return nil, fmt.Errorf("there is no plugin %q in this process", up.Inner)
}

// counted notes which calls are under way.
func (s *site) counted(handle grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		s.count(1)
		defer s.count(-1)
		return handle(srv, stream)
	}
}

func (s *site) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls += n
	s.last = time.Now()
}

// unused tells for how long no call was under way.
func (s *site) unused() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls > 0 {
		return 0
	}
	return time.Since(s.last)
}

func (s *site) obey(o order, say *speaker) {
	a := answer{Question: o.Question}
	switch {
	case o.Plans != nil:
		a.Plans = s.journal.plans(o.Plans)
	case o.Release != nil:
		if err := s.journal.release(o.Release.Plan); err != nil {
			a.Error = err.Error()
		}
	case o.Deny != "":
		s.journal.gate.decide(false, o.Deny)
	case o.Began != nil:
		s.journal.begins(*o.Began)
	case o.Settle:
		go func() {
			<-s.journal.quiet()
			say.answer(a)
		}()
		return
	case o.StopAll:
		s.stopAll()
	}
	if o.Question != 0 {
		say.answer(a)
	}
}

// stopAll asks the plugins to end what they are at, as terraform does when it is
// interrupted.
func (s *site) stopAll() {
	for i, up := range s.ups {
		method := "/tfplugin5.Provider/Stop"
		if up.Protocol == 6 {
			method = "/tfplugin6.Provider/StopProvider"
		}
		go func() {
			ctx, stop := deadline(stopWait)
			defer stop()
			_, _ = s.callers[i].call(ctx, ctx, method, nil)
		}()
	}
}

// seeOut waits until terraform, which may live on, has no more use for us.
func (s *site) seeOut() {
	for {
		<-s.journal.quiet()
		if s.unused() > lastWait {
			return
		}
		time.Sleep(lastWait / 20)
	}
}

func (s *site) close() {
	for _, server := range s.servers {
		server.Stop()
	}
	for _, to := range s.callers {
		to.close()
	}
	s.journal.book.file.Close()
}
