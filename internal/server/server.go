package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/apps"
	"github.com/berthdev/berth/internal/httpapi"
	"github.com/berthdev/berth/internal/loop"
)

// Server is a running server.
type Server struct {
	URL string // where people and workspaces reach it

	o         Options
	log       *slog.Logger
	data      *dataDir
	http      *http.Server
	front     *front
	apps      *http.Server // for apps alone; nil without a port for them
	appsFront *front
	origins   apps.Origins
	parts     *parts

	stopping chan struct{}
	failed   chan error // what the server cannot go on without has ended
	stopWork context.CancelFunc
	work     sync.WaitGroup // runner and loops
	once     sync.Once
	stopErr  error
}

// How long the steps of stopping may take.
const (
	byeTime   = 3 * time.Second  // agents are told to link again
	drainTime = 5 * time.Second  // requests that are being answered
	workTime  = 10 * time.Second // runner and loops
)

// Start makes and starts everything and returns when the server works. ctx
// bounds the starting; Stop ends the server.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Server{o: o, log: o.Log, stopping: make(chan struct{}), failed: make(chan error, 4)}
	if s.log == nil {
		if s.log, err = newLog(o.LogLevel, o.LogFormat); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			s.Stop(context.WithoutCancel(ctx))
		}
	}()
	if s.data, err = openDataDir(o.Data); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	if s.parts, err = s.assemble(ctx); err != nil {
		return nil, err
	}
	s.front.open(besides(s.parts.apps, s.parts.handler))
	if s.parts.apps != nil {
		s.appsFront.open(s.parts.apps)
	}
	s.startWork(ctx)
	return s, nil
}

// Failed gives the error that the server cannot go on after.
func (s *Server) Failed() <-chan error { return s.failed }

// listen opens the port and answers that the server is starting.
func (s *Server) listen() error {
	l := s.o.Listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", s.o.Listen); err != nil {
			return listenProblem(s.o.Listen, err)
		}
	}
	s.URL = accessURL(l.Addr())
	if s.o.AccessURL != "" {
		s.URL, _ = cleanURL(s.o.AccessURL) // check has seen it
	}
	forApps, err := s.listenApps(l.Addr())
	if err != nil {
		l.Close()
		return err
	}
	s.front, s.appsFront = &front{}, &front{}
	s.http = s.serve(l, s.front)
	if forApps != nil {
		s.apps = s.serve(forApps, s.appsFront)
	}
	return nil
}

// serve answers on a port.
func (s *Server) serve(l net.Listener, h http.Handler) *http.Server {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serving HTTP: %w", err)
		}
	}()
	return server
}

// front answers that the server is starting, until the API is there.
type front struct{ api atomic.Pointer[http.Handler] }

func (f *front) open(h http.Handler) { f.api.Store(&h) }

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := f.api.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	httpapi.Starting(w, r)
}

// startWork starts the runner and the loops.
func (s *Server) startWork(ctx context.Context) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.stopWork = cancel
	s.work.Go(func() { loop.Serve(work, s.log, s.parts.loops...) })
	s.work.Go(func() { s.parts.wakeLoops(work) })
	if s.parts.runner != nil {
		s.work.Go(func() {
			if err := s.parts.runner.Run(work); err != nil {
				s.failed <- fmt.Errorf("running builds: %w", err)
			}
		})
	}
}

// Stop ends the server: nothing new is taken, agents are told to link again,
// answers are finished, running builds stay with their keepers. It is safe to
// call more than once; ctx cuts the waiting short.
func (s *Server) Stop(ctx context.Context) error {
	s.once.Do(func() { s.stopErr = s.stop(ctx) })
	return s.stopErr
}

func (s *Server) stop(ctx context.Context) error {
	close(s.stopping)
	if s.stopWork != nil {
		s.stopWork()
	}
	var errs []error
	if s.parts != nil {
		bye, cancel := context.WithTimeout(ctx, byeTime)
		errs = append(errs, quietly(s.parts.relay.Close(bye)))
		cancel()
		if s.parts.apps != nil {
			s.parts.apps.Close()
		}
	}
	drain, cancel := context.WithTimeout(ctx, drainTime)
	for _, server := range []*http.Server{s.http, s.apps} {
		if server == nil {
			continue
		}
		if err := server.Shutdown(drain); err != nil {
			errs = append(errs, quietly(err), server.Close())
		}
	}
	cancel()
	// The runner speaks to the handler in process and may still be telling it
	// what its builds did last; the database closes behind it.
	if !waited(ctx, &s.work, workTime) {
		s.log.Warn("background work did not end in time and is left", "after", workTime)
	}
	if s.parts != nil {
		s.parts.audit.Connections().Close()
		errs = append(errs, s.writeActivity(ctx), s.parts.db.Close())
	}
	if s.data != nil {
		s.data.close()
	}
	return errors.Join(errs...)
}

// writeActivity writes what was seen since the loop last did.
func (s *Server) writeActivity(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if _, err := s.parts.activity.Write(ctx); err != nil {
		return fmt.Errorf("writing down who used which workspace: %w", err)
	}
	return nil
}

// quietly drops the error of having been in a hurry.
func quietly(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func waited(ctx context.Context, g *sync.WaitGroup, most time.Duration) bool {
	done := make(chan struct{})
	go func() { g.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(most):
	case <-ctx.Done():
	}
	return false
}

// listenProblem says why the port cannot be opened and what to do.
func listenProblem(address string, err error) error {
	_, port, splitErr := net.SplitHostPort(address)
	switch {
	case splitErr != nil:
		return berth.Errorf(berth.Invalid, "--listen %s: give an address and a port, such as 127.0.0.1:7080", address)
	case inUse(err):
		return &berth.Error{Code: berth.Conflict, Err: err,
			Message: fmt.Sprintf("port %s is in use by another program: stop it, or choose another port with --listen", port)}
	case denied(err):
		return &berth.Error{Code: berth.Forbidden, Err: err,
			Message: fmt.Sprintf("port %s may not be opened by this user: choose one from 1024 up with --listen", port)}
	}
	return &berth.Error{Code: berth.Unavailable, Err: err,
		Message: fmt.Sprintf("--listen %s cannot be opened: give an address of this machine", address)}
}

// RunnerToken makes the token of the built-in provider anew, for a runner that
// stands in for the server's own.
func (s *Server) RunnerToken(ctx context.Context) (string, error) {
	return s.parts.providers.BuiltInToken(ctx)
}
