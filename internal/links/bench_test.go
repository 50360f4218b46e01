package links

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// The bars are about a person's way to an agent (websocket, relay, link), so
// each benchmark has the same over a plain socket beside it.

const bulk = 64 << 20

func BenchmarkUpload(b *testing.B) {
	s := newSite(b)
	agent := newAgent()
	s.link(b, agent)
	data := noise(1 << 20)
	b.SetBytes(bulk)
	for b.Loop() {
		stream := s.dial(b, agent, "drain")
		for range bulk >> 20 {
			if _, err := stream.Write(data); err != nil {
				b.Fatal(err)
			}
		}
		stream.CloseWrite()
		if got, err := io.ReadAll(stream); err != nil || string(got) != fmt.Sprint(bulk) {
			b.Fatal(string(got), err)
		}
		stream.Close()
	}
}

func BenchmarkDownload(b *testing.B) {
	s := newSite(b)
	agent := newAgent()
	s.serve(b, agent, map[string]func(context.Context, *tunnel.Stream, string){
		"pour": func(_ context.Context, s *tunnel.Stream, _ string) {
			data := make([]byte, 32<<10)
			for range bulk / len(data) {
				s.Write(data)
			}
		},
	})
	b.SetBytes(bulk)
	for b.Loop() {
		stream := s.dial(b, agent, "pour")
		if n, err := io.Copy(io.Discard, stream); err != nil || n != bulk {
			b.Fatal(n, err)
		}
		stream.Close()
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	s := newSite(b)
	agent := newAgent()
	s.link(b, agent)
	roundTrips(b, s.dial(b, agent, "echo"))
}

func roundTrips(b *testing.B, c io.ReadWriter) {
	p := make([]byte, 64)
	for b.Loop() {
		if _, err := c.Write(p); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, p); err != nil {
			b.Fatal(err)
		}
	}
}

// tcp gives both ends of a connection over loopback.
func tcp(b *testing.B) (client, server net.Conn) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		b.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func BenchmarkPlainCopy(b *testing.B) {
	client, server := tcp(b)
	go func() {
		data := make([]byte, 32<<10)
		for {
			if _, err := server.Write(data); err != nil {
				return
			}
		}
	}()
	b.SetBytes(bulk)
	p := make([]byte, 64<<10)
	for b.Loop() {
		for n := 0; n < bulk; {
			m, err := client.Read(p)
			if err != nil {
				b.Fatal(err)
			}
			n += m
		}
	}
}

func BenchmarkPlainRoundTrip(b *testing.B) {
	client, server := tcp(b)
	go func() {
		p := make([]byte, 64)
		for {
			n, err := server.Read(p)
			if err != nil {
				return
			}
			server.Write(p[:n])
		}
	}()
	roundTrips(b, client)
}

// BenchmarkIdleLinks says what an idle link costs a process that has both its
// ends: the relay's is less than that.
func BenchmarkIdleLinks(b *testing.B) {
	const many = 1000
	s := newSite(b)
	before := memory()
	var all []berth.AgentID
	for range many {
		agent := newAgent()
		all = append(all, agent)
		conn, err := tunnel.DialLink(context.Background(), s.url+"/link", bearer(agent))
		if err != nil {
			b.Fatal(err)
		}
		go tunnel.Serve(context.Background(), conn, tunnel.Handler{})
	}
	for s.Linked() < many {
		time.Sleep(time.Millisecond)
	}
	for _, agent := range all {
		if _, err := s.Ping(b.Context(), agent); err != nil {
			b.Fatal(err)
		}
	}
	used := memory() - before
	for b.Loop() {
	}
	b.ReportMetric(float64(used)/many, "B/link-both-ends")
}

func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkIdleStreams says what an idle session costs a process that has all
// three of its ends: person, relay and agent.
func BenchmarkIdleStreams(b *testing.B) {
	const many = tunnel.MaxStreams
	s := newSite(b)
	agent := newAgent()
	s.link(b, agent)
	p := make([]byte, 100)
	before := memory()
	for range many {
		stream := s.dial(b, agent, "echo")
		stream.Write(p)
		if _, err := io.ReadFull(stream, p); err != nil {
			b.Fatal(err)
		}
	}
	used := memory() - before
	for b.Loop() {
	}
	b.ReportMetric(float64(used)/many, "B/stream-all-ends")
}
