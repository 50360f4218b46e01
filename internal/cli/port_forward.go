package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/client"
)

func (a *app) portForward() *cobra.Command {
	var tcp, udp []string
	cmd := &cobra.Command{
		Use:   "port-forward WORKSPACE[.AGENT] --tcp PORTS --udp PORTS",
		Short: "Make ports of a workspace ports of this computer",
		Long: `Listen on ports of this computer, and carry what comes to ports of the
workspace, until interrupted. PORTS is a list with commas; each part is

  8080                 port 8080 here and there
  8080:80              8080 here, 80 there
  9000-9010            a range, or two of the same length: 9000-9010:8000-8010
  127.0.0.1:1234:5678  on this address here (also [::1]:1234:5678)
  0:80                 any free port here

It listens on 127.0.0.1 unless an address is given, waits for the workspace to
run, and goes on when the server or the workspace were away for a while.`,
		Example: `  berth port-forward web --tcp 8080:80,9000-9010 --udp 53
  berth port-forward ana/web.main --tcp 127.0.0.1:1234:5678`,
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().StringArrayVar(&tcp, "tcp", nil, "TCP `ports`; may be repeated")
	cmd.Flags().StringArrayVar(&udp, "udp", nil, "UDP `ports`; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		list, err := parsePorts("tcp", tcp)
		if err != nil {
			return err
		}
		more, err := parsePorts("udp", udp)
		if err != nil {
			return err
		}
		if list = append(list, more...); len(list) == 0 {
			return usagef("say which ports: --tcp 8080:80, --udp 53")
		}
		return a.forwardPorts(cmd.Context(), given[0], list)
	}
	return cmd
}

// forwardPorts listens on all, or on none, and serves until ctx ends.
func (a *app) forwardPorts(ctx context.Context, name string, list []portMap) error {
	t, err := parseTarget(name)
	if err != nil {
		return err
	}
	c, err := a.client(client.WithRetry(20 * time.Second))
	if err != nil {
		return err
	}
	defer c.Close()
	w, err := a.enterable(ctx, c, t, entry{})
	if err != nil {
		return err
	}
	agent, err := chooseAgent(w, t)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	f := &forwarder{app: a, name: t.String(), said: map[string]time.Time{}, dial: func(ctx context.Context, kind string) (*client.Stream, error) {
		return c.DialStream(ctx, w.ID, agent.Name, kind)
	}}
	var serve []func(context.Context)
	var closers []io.Closer
	defer func() {
		for _, c := range closers {
			c.Close()
		}
	}()
	for _, one := range list {
		run, closer, at, err := f.open(one)
		if err != nil {
			return listenTrouble(one, err)
		}
		serve, closers = append(serve, run), append(closers, closer)
		a.say("%s %s leads to port %d of %s", one.network, at, one.port, t)
	}
	defer context.AfterFunc(ctx, func() {
		for _, c := range closers {
			c.Close()
		}
	})()
	var all sync.WaitGroup
	for _, run := range serve {
		all.Go(func() { run(ctx) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return status(exitInterrupted)
	}
	return nil
}

func listenTrouble(one portMap, err error) error {
	return &berth.Error{Code: berth.Conflict, Err: err,
		Message: fmt.Sprintf("cannot listen on %s (%s): choose another port, as OTHER:%d, or 0:%d for any free one", one.listen, one.network, one.port, one.port)}
}

// forwarder carries connections and datagrams.
type forwarder struct {
	app  *app
	name string
	dial func(ctx context.Context, kind string) (*client.Stream, error)

	mu   sync.Mutex
	said map[string]time.Time
}

// open listens for one portMap. What it gives serves until the closer is
// closed.
func (f *forwarder) open(one portMap) (serve func(context.Context), closer io.Closer, at string, err error) {
	if one.network == "udp" {
		conn, err := net.ListenPacket("udp", one.listen)
		if err != nil {
			return nil, nil, "", err
		}
		return func(ctx context.Context) { f.serveUDP(ctx, conn, one.port) }, conn, conn.LocalAddr().String(), nil
	}
	l, err := net.Listen("tcp", one.listen)
	if err != nil {
		return nil, nil, "", err
	}
	return func(ctx context.Context) { f.serveTCP(ctx, l, one.port) }, l, l.Addr().String(), nil
}

// trouble tells of an error, the same one at most every 10 s.
func (f *forwarder) trouble(err error) {
	text := clean(err.Error())
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.said[text]) > 10*time.Second {
		if len(f.said) > 100 {
			clear(f.said)
		}
		f.said[text] = now
		f.app.tell("%s: %s", f.name, text)
	}
}

func (f *forwarder) serveTCP(ctx context.Context, l net.Listener, port int) {
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many open files, for example
			f.trouble(err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return
			}
			continue
		}
		conns.Go(func() { f.carry(ctx, conn.(*net.TCPConn), port) })
	}
}

// carry joins one connection with a stream. Directions end separately.
func (f *forwarder) carry(ctx context.Context, conn *net.TCPConn, port int) {
	defer conn.Close()
	stream, err := f.dial(ctx, fmt.Sprintf("tcp:localhost:%d", port))
	if err != nil {
		conn.SetLinger(0)
		if ctx.Err() == nil {
			f.trouble(err)
		}
		return
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { conn.Close(); stream.Close() })()
	up := make(chan struct{})
	go func() {
		defer close(up)
		if _, err := io.Copy(stream, conn); err != nil {
			stream.Reset("the connection here broke")
			return
		}
		stream.CloseWrite()
	}()
	if _, err := io.Copy(conn, stream); err != nil {
		if ctx.Err() == nil && !brokenPipe(err) {
			f.trouble(fmt.Errorf("port %d: %w", port, err))
		}
		conn.SetLinger(0)
		conn.Close()
	} else {
		conn.CloseWrite()
	}
	<-up
}
