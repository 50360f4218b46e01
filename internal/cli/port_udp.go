package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/tunnel"
)

const (
	// udpIdle ends a flow that nobody uses; the workspace's end does the same.
	udpIdle = time.Minute
	// maxFlows bounds the senders of one port; the idlest makes room.
	maxFlows = 100
	// flowQueue is how many datagrams wait while a flow is being opened.
	flowQueue = 64
)

// flow is what comes from one sender, and goes back to it.
type flow struct {
	send chan []byte
	used time.Time
	end  context.CancelFunc
}

// serveUDP gives each sender a stream of its own.
func (f *forwarder) serveUDP(ctx context.Context, conn net.PacketConn, port int) {
	var mu sync.Mutex
	flows := map[string]*flow{}
	var work sync.WaitGroup
	defer work.Wait()
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		for _, one := range flows {
			one.end()
		}
	}()
	buf := make([]byte, tunnel.MaxDatagram)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			continue // an answer that nobody took, for example
		}
		key := from.String()
		mu.Lock()
		one := flows[key]
		if one == nil {
			if len(flows) >= maxFlows {
				dropIdlest(flows)
			}
			life, end := context.WithCancel(ctx)
			one = &flow{send: make(chan []byte, flowQueue), end: end}
			flows[key] = one
			work.Go(func() {
				f.carryUDP(life, conn, from, one, port)
				end()
				mu.Lock()
				if flows[key] == one {
					delete(flows, key)
				}
				mu.Unlock()
			})
		}
		one.used = time.Now()
		mu.Unlock()
		select {
		case one.send <- append([]byte(nil), buf[:n]...):
		default: // as over a full network, it is lost
		}
	}
}

func dropIdlest(flows map[string]*flow) {
	var idlest string
	for key, one := range flows {
		if idlest == "" || one.used.Before(flows[idlest].used) {
			idlest = key
		}
	}
	flows[idlest].end()
	delete(flows, idlest)
}

// carryUDP carries one flow until it is idle or its stream ends.
func (f *forwarder) carryUDP(ctx context.Context, conn net.PacketConn, to net.Addr, one *flow, port int) {
	stream, err := f.dial(ctx, fmt.Sprintf("udp:localhost:%d", port))
	if err != nil {
		if ctx.Err() == nil {
			f.trouble(err)
		}
		return
	}
	defer stream.Close()
	ctx, end := context.WithCancel(ctx)
	defer end()
	moved := make(chan struct{}, 1)
	go func() {
		defer end()
		receiveUDP(stream, conn, to, moved)
	}()
	idle := time.NewTimer(udpIdle)
	defer idle.Stop()
	for {
		select {
		case p := <-one.send:
			if tunnel.WriteDatagram(stream, p) != nil {
				return
			}
		case <-moved:
		case <-idle.C:
			return
		case <-ctx.Done():
			return
		}
		idle.Reset(udpIdle)
	}
}

func receiveUDP(stream *client.Stream, conn net.PacketConn, to net.Addr, moved chan<- struct{}) {
	buf := make([]byte, tunnel.MaxDatagram)
	for {
		p, err := tunnel.ReadDatagram(stream, buf)
		if err != nil {
			return
		}
		_, _ = conn.WriteTo(p, to)
		select {
		case moved <- struct{}{}:
		default:
		}
	}
}
