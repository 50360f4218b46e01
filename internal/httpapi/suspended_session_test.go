package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/server/servertest"
	"github.com/berthdev/berth/internal/tunnel"
)

// At the suspension of a user their open session and what they watch end at once,
// and their workspace is stopped, without anybody waiting for a period.
func TestSuspensionEndsAllAtOnce(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, _ := s.FirstUser(t)
	r := s.Runner(t)
	servertest.Push(t, c, "plain")
	if _, err := c.CreateUser(t.Context(), api.CreateUser{Username: "ana", Email: "ana@example.com", Password: servertest.Password}); err != nil {
		t.Fatal(err)
	}
	in, err := s.Client(t, "").Login(t.Context(), api.Login{Username: "ana", Password: servertest.Password})
	if err != nil {
		t.Fatal(err)
	}
	ana := s.Client(t, in.Token)
	w := servertest.Create(t, ana, "plain", "dev")
	conn, err := tunnel.DialLink(t.Context(), s.URL+api.Prefix+"/agent/link", http.Header{"Authorization": {"Bearer " + r.AgentToken("ana/dev")}})
	if err != nil {
		t.Fatal(err)
	}
	echo := func(_ context.Context, s *tunnel.Stream, _ string) { io.Copy(s, s) }
	go tunnel.Serve(t.Context(), conn, tunnel.Handler{Streams: map[string]func(context.Context, *tunnel.Stream, string){"echo": echo}, Keeper: tunnel.NewKeeper()})
	t.Cleanup(func() { conn.Close() })
	var stream *client.Stream
	for end := time.Now().Add(10 * time.Second); stream == nil; time.Sleep(20 * time.Millisecond) {
		if stream, err = ana.DialStream(t.Context(), w.ID, "-", "echo"); err != nil && time.Now().After(end) {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { stream.Close() })
	watching, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	req, _ := http.NewRequestWithContext(watching, "GET", s.URL+api.Prefix+"/workspaces/"+w.ID+"/events", nil)
	req.Header.Set("Authorization", "Bearer "+in.Token)
	events, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	if _, err := events.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}

	began := time.Now()
	if _, err := c.SuspendUser(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	ends(t, "the session", stream, time.After(10*time.Second), "")
	if _, err := io.Copy(io.Discard, events.Body); err != nil && watching.Err() != nil {
		t.Errorf("the watcher goes on: %v", err)
	}
	if _, err := ana.Me(t.Context()); !errors.Is(err, berth.Unauthenticated) {
		t.Errorf("a token after the suspension: %v", err)
	}
	for {
		now, err := c.Workspace(t.Context(), w.ID)
		if err != nil {
			t.Fatal(err)
		}
		if now.Status == string(berth.StatusStopped) {
			if now.Build.Reason != string(berth.ReasonSuspended) {
				t.Errorf("it was stopped for %s", now.Build.Reason)
			}
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("the workspace is %s", now.Status)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("it took %s: nothing was woken", took)
	}
	if err := c.DeleteUser(t.Context(), "ana"); !errors.Is(err, berth.Conflict) {
		t.Errorf("a user with a workspace was deleted: %v", err)
	}
}
