package links

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// An agent whose link lives never counts as disconnected, although its signs
// of life are reported in batches.
func TestSignsComeOftenEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		row := berth.Agent{}
		worst := time.Duration(0)
		r := New(Options{
			Linked: func(_ context.Context, _ Identity, at time.Time) error {
				row.ConnectedAt, row.SeenAt = at, at
				return nil
			},
			Seen: func(_ context.Context, signs []Sign) {
				mu.Lock()
				defer mu.Unlock()
				worst = max(worst, time.Since(row.SeenAt))
				row.SeenAt = signs[0].At
			},
		})
		x, y := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- tunnel.Serve(context.Background(), y, tunnel.Handler{}) }()
		r.start(Identity{Agent: newAgent()}, "here", x)
		time.Sleep(time.Hour + 3*time.Second)
		mu.Lock()
		status := row.Status(time.Now())
		if worst >= berth.AgentDead || status != berth.AgentConnected {
			t.Errorf("reported %v late; status %s", worst, status)
		}
		mu.Unlock()
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		<-served
	})
}

func TestWhyAnAgentIsNotLinked(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		agent berth.Agent
		says  string
	}{
		{berth.Agent{CreatedAt: now.Add(-9 * time.Second)}, "the workspace's agent is still connecting (made 9s ago); try again in a moment"},
		{berth.Agent{CreatedAt: now.Add(-5 * time.Minute), AgentSpec: berth.AgentSpec{ConnectionTimeout: 120}}, "the workspace's agent has not connected since it was made 5m0s ago; see its log, or restart the workspace"},
		{berth.Agent{ConnectedAt: now.Add(-time.Hour), Disconnected: now.Add(-90 * time.Second)}, "the workspace's agent disconnected 1m30s ago; if it does not come back, restart the workspace"},
		{berth.Agent{ConnectedAt: now.Add(-time.Hour), SeenAt: now.Add(-12 * time.Second)}, "the workspace's agent was last heard of 12s ago; it is expected back in a moment"},
	} {
		r := New(Options{Look: func(context.Context, berth.AgentID) (berth.Agent, error) { return c.agent, nil }})
		_, err := r.Ping(t.Context(), newAgent())
		if !errors.Is(err, berth.Unavailable) || berth.ErrorMessage(err) != c.says {
			t.Errorf("got %q, want %q", berth.ErrorMessage(err), c.says)
		}
		r.Close(t.Context())
	}
}

// A person whose machine disappears leaves an agent that notices, and a link
// that goes on.
func TestVanishedPerson(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	ended := make(chan error, 1)
	s.serve(t, agent, map[string]func(context.Context, *tunnel.Stream, string){
		"read": func(_ context.Context, s *tunnel.Stream, _ string) {
			_, err := io.Copy(io.Discard, s)
			ended <- err
		},
	})
	var conn net.Conn
	d := dialing(func(c net.Conn) { conn = c })
	stream, err := d.Dial(t.Context(), s.url+"/"+string(agent)+"/streams", nil, newStream(), "read")
	if err != nil {
		t.Fatal(err)
	}
	stream.Write([]byte("last words"))
	conn.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, tunnel.ErrLost) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the agent did not notice")
	}
	<-stream.Done()
	if _, err := s.Ping(t.Context(), agent); err != nil {
		t.Error(err)
	}
}

// Many people at once, all of whom send and get much: nobody waits for another
// for ever, and nothing is mixed up.
func TestManyStreamsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	s.link(t, agent)
	var wait sync.WaitGroup
	for range 20 {
		stream := s.dial(t, agent, "echo")
		wait.Go(func() {
			sent := noise(5 << 20)
			go func() {
				stream.Write(sent)
				stream.CloseWrite()
			}()
			got, err := io.ReadAll(stream)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("got %d of %d bytes: %v", len(got), len(sent), err)
			}
		})
	}
	wait.Wait()
}
