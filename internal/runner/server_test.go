package runner

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// fakeServer is the runner's side of the API over a real wire, with the
// queue's rules in a few lines and ways to misbehave.
type fakeServer struct {
	t       *testing.T
	url     string
	archive []byte
	hash    string
	carried map[string][]byte // by hash

	mu      sync.Mutex
	builds  map[string]*fakeBuild
	pending []*fakeBuild
	hellos  []api.RunnerHello
	takes   []api.Take
	verdict berth.Verdict
	beat    int                           // seconds between beats, told in the welcome
	patient bool                          // beats wait for orders, as a server does that is not old
	down    bool                          // no answers
	mute    map[string]int                // operation: how many answers get lost after the work was done
	block   map[string]chan struct{}      // operation: waits for this
	refuse  map[string]*berth.Error       // operation: answered so
	refused map[string]int                // operation: how often
	sees    func(op string, b *fakeBuild) // called with the lock held
}

type fakeBuild struct {
	job      api.Job
	attempt  int
	runner   string
	held     bool
	logs     map[int64]berth.Log
	doubled  int // lines with a number that was there with another text
	states   []api.RunnerState
	aside    []api.RunnerState
	asked    int
	cancel   bool
	force    bool
	beats    int
	knows    api.BeatAnswer // of the last beat
	finish   *api.Finish
	done     chan struct{}
	released int
}

func newFakeServer(t *testing.T) *fakeServer {
	s := &fakeServer{t: t, builds: map[string]*fakeBuild{}, verdict: berth.Verdict{Allow: true},
		mute: map[string]int{}, block: map[string]chan struct{}{}, refuse: map[string]*berth.Error{}, refused: map[string]int{}}
	s.setArchive(map[string]string{"main.tf": ""})
	server := httptest.NewServer(s)
	s.url = server.URL
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return s
}

func (s *fakeServer) setArchive(files map[string]string) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg})
		w.Write([]byte(text))
	}
	w.Close()
	sum := sha256.Sum256(b.Bytes())
	s.archive, s.hash = b.Bytes(), hex.EncodeToString(sum[:])
}

// enqueue puts a build with a script in the queue.
func (s *fakeServer) enqueue(steps ...step) *fakeBuild {
	text, err := json.Marshal(steps)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.enqueueJob(api.Job{Env: map[string]string{scriptEnv: string(text)}})
}

func (s *fakeServer) enqueueJob(job api.Job) *fakeBuild {
	job.BuildID, job.Archive = string(berth.NewID[berth.Build]()), s.hash
	if job.Transition == "" {
		job.Transition = string(berth.Start)
	}
	b := &fakeBuild{job: job, logs: map[int64]berth.Log{}, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.builds[job.BuildID] = b
	s.pending = append(s.pending, b)
	return b
}

// do changes or reads what the server knows.
func (s *fakeServer) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // only then the request's context tells that the caller hung up
	r.Body = io.NopCloser(bytes.NewReader(body))
	rest, _ := strings.CutPrefix(r.URL.Path, "/api/v1/runner/")
	parts := strings.Split(rest, "/")
	op, build := parts[0], ""
	if op == "builds" {
		op, build = parts[2], parts[1]
	}
	s.mu.Lock()
	block := s.block[op]
	s.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-r.Context().Done():
			return
		}
	}
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler)
	}
	var out any
	var err error
	switch {
	case op == "take":
		out, err = s.take(r)
	case op == "beat" && s.patient:
		in := decode[api.Beat](r)
		for end := time.Now().Add(time.Duration(in.Wait) * time.Second); ; time.Sleep(5 * time.Millisecond) {
			r.Body = io.NopCloser(bytes.NewReader(body))
			if out, err = s.call(op, build, r); err != nil || out != in.Knows || time.Now().After(end) || r.Context().Err() != nil {
				break
			}
		}
	default:
		out, err = s.call(op, build, r)
	}
	s.mu.Lock()
	lost := s.mute[op] > 0
	if lost {
		s.mute[op]--
	}
	s.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(map[berth.Code]int{berth.Conflict: 409, berth.NotFound: 404, berth.Invalid: 422, berth.Unavailable: 503}[berth.ErrorCode(err)])
		json.NewEncoder(w).Encode(api.Problem{Code: string(berth.ErrorCode(err)), Detail: berth.ErrorMessage(err)})
		return
	}
	if raw, ok := out.([]byte); ok {
		w.Write(raw)
		return
	}
	if job, ok := out.(*api.Job); out == nil || ok && job == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(out)
}

func decode[T any](r *http.Request) (v T) {
	json.NewDecoder(r.Body).Decode(&v)
	return v
}

func (s *fakeServer) take(r *http.Request) (any, error) {
	in := decode[api.Take](r)
	hellos := 0
	s.do(func() { s.takes, hellos = append(s.takes, in), len(s.hellos) })
	for end := time.Now().Add(time.Duration(in.Wait) * time.Second); time.Now().Before(end) && r.Context().Err() == nil; {
		var job *api.Job
		s.do(func() {
			// As in the real queue, a take from before the newest hello gets
			// nothing: its runner may be gone without this end knowing it yet.
			if s.down || len(s.pending) == 0 || len(s.hellos) != hellos {
				return
			}
			for i, b := range s.pending {
				if b.job.Class == int(berth.ClassRefill) && !in.Refills {
					continue
				}
				s.pending = append(s.pending[:i:i], s.pending[i+1:]...)
				b.attempt++
				b.runner, b.held = in.RunnerID, true
				b.job.Attempt = b.attempt
				j := b.job
				job = &j
				return
			}
		})
		if job != nil {
			return job, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil, nil
}

func (s *fakeServer) call(op, build string, r *http.Request) (out any, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.refuse[op]; e != nil {
		s.refused[op]++
		return nil, e
	}
	switch op {
	case "hello":
		return s.hello(decode[api.RunnerHello](r)), nil
	case "archives":
		if data, ok := s.carried[path.Base(r.URL.Path)]; ok {
			return data, nil
		}
		return s.archive, nil
	}
	b := s.builds[build]
	if b == nil {
		return nil, berth.Errorf(berth.NotFound, "no build")
	}
	if s.sees != nil {
		s.sees(op, b)
	}
	ours := func(runner string, attempt int) error {
		if b.finish != nil || !b.held || b.runner != runner || b.attempt != attempt {
			return berth.Errorf(berth.Conflict, "the build is not yours")
		}
		return nil
	}
	switch op {
	case "beat":
		in := decode[api.Beat](r)
		if err := ours(in.RunnerID, in.Attempt); err != nil {
			return nil, err
		}
		b.beats++
		b.knows = in.Knows
		return api.BeatAnswer{Cancel: b.cancel, Force: b.force}, nil
	case "logs":
		in := decode[api.RunnerLogs](r)
		if err := ours(in.RunnerID, in.Attempt); err != nil {
			return nil, err
		}
		for _, l := range in.Lines {
			if old, ok := b.logs[l.Seq]; ok && old.Text != l.Text {
				b.doubled++
			}
			b.logs[l.Seq] = l
		}
	case "state":
		in := decode[api.RunnerState](r)
		if err := ours(in.RunnerID, in.Attempt); err != nil {
			b.aside = append(b.aside, in)
			return nil, err
		}
		b.states = append(b.states, in)
	case "judge":
		in := decode[api.RunnerPlan](r)
		if err := ours(in.RunnerID, in.Attempt); err != nil {
			return nil, err
		}
		b.asked++
		return s.verdict, nil
	case "finish":
		in := decode[api.Finish](r)
		if err := ours(in.RunnerID, in.Attempt); err != nil {
			b.aside = append(b.aside, api.RunnerState{Serial: in.Serial, State: in.State})
			return nil, err
		}
		b.finish, b.held = &in, false
		close(b.done)
	}
	return nil, nil
}

// hello keeps what is named and puts back what is not.
func (s *fakeServer) hello(in api.RunnerHello) api.RunnerWelcome {
	s.hellos = append(s.hellos, in)
	named := map[api.HeldBuild]bool{}
	for _, h := range in.Holds {
		named[h] = true
	}
	w := api.RunnerWelcome{Protocol: 1, Beat: s.beat}
	for id, b := range s.builds {
		if !b.held || b.runner != in.RunnerID {
			continue
		}
		h := api.HeldBuild{BuildID: id, Attempt: b.attempt}
		if named[h] {
			w.Yours = append(w.Yours, h)
			continue
		}
		b.held = false
		b.released++
		s.pending = append(s.pending, b)
	}
	return w
}

func (b *fakeBuild) wait(t *testing.T) api.Finish {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	select {
	case <-b.done:
		return *b.finish
	case <-ctx.Done():
		t.Fatalf("build %s was not finished in time", b.job.BuildID)
		panic("unreachable")
	}
}
