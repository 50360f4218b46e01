package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/server/servertest"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/tunnel"
)

// Open sessions end soon after their login did, and after their user was
// suspended, with a sentence and for good.
func TestSessionsEndWithTheirLogin(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, _ := s.FirstUser(t)
	r := s.Runner(t)
	servertest.Push(t, c, "plain")
	w := servertest.Create(t, c, "plain", "dev")
	conn, err := tunnel.DialLink(t.Context(), s.URL+api.Prefix+"/agent/link", http.Header{"Authorization": {"Bearer " + r.AgentToken("admin/dev")}})
	if err != nil {
		t.Fatal(err)
	}
	echo := func(_ context.Context, s *tunnel.Stream, _ string) { io.Copy(s, s) }
	go tunnel.Serve(t.Context(), conn, tunnel.Handler{Streams: map[string]func(context.Context, *tunnel.Stream, string){"echo": echo}, Keeper: tunnel.NewKeeper()})
	t.Cleanup(func() { conn.Close() })

	another := func() *client.Client {
		in, err := s.Client(t, "").Login(t.Context(), api.Login{Username: "admin", Password: servertest.Password})
		if err != nil {
			t.Fatal(err)
		}
		return s.Client(t, in.Token)
	}
	open := func(c *client.Client) *client.Stream {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			stream, err := c.DialStream(t.Context(), w.ID, "-", "echo")
			if err == nil {
				t.Cleanup(func() { stream.Close() })
				return stream
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	token, err := c.CreateToken(t.Context(), api.CreateToken{Name: "short"})
	if err != nil {
		t.Fatal(err)
	}
	leaver := another()
	byToken, byLogin, stays := open(s.Client(t, token.Secret)), open(leaver), open(another())
	if err := c.RemoveToken(t.Context(), "", "short"); err != nil {
		t.Fatal(err)
	}
	if err := leaver.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	late := time.After(30 * time.Second)
	for name, stream := range map[string]*client.Stream{"token": byToken, "login": byLogin} {
		ends(t, name, stream, late, "your login has ended: sign in again")
	}
	if _, err := stays.Write([]byte("x")); err != nil || stays.Err() != nil {
		t.Fatalf("a session of another login: %v, %v", err, stays.Err())
	}

	db, err := store.Open(t.Context(), "sqlite:"+s.Options.Data+"/db/berth.db", store.WithoutNotifications())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		u, err := tx.FirstUser()
		if err != nil {
			return err
		}
		u.Status = berth.UserSuspended
		return tx.UpdateUser(u)
	})
	if err != nil {
		t.Fatal(err)
	}
	// Nothing woke anybody: the look at admissions and the look at links, which
	// ends the link of the workspace itself, are as likely to come first.
	ends(t, "suspended", stays, time.After(30*time.Second), "suspended", "the workspace was stopped or deleted")
}

func ends(t *testing.T, name string, s *client.Stream, late <-chan time.Time, wants ...string) {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, s)
		ended <- err
	}()
	select {
	case err := <-ended:
		if err == nil || !slices.ContainsFunc(wants, func(w string) bool { return strings.Contains(err.Error(), w) }) {
			t.Errorf("%s: the session ended with %v, want one of %q", name, err, wants)
		}
	case <-late:
		t.Errorf("%s: the session goes on", name)
	}
}
