// Package servertest runs the whole server inside of a test: real store, real
// queue and relay, real HTTP on loopback. Unless a test asks for it there is no
// runner, so builds stay pending and no Terraform is needed; a test may take
// them itself with the token of the built-in provider.
package servertest

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// Password is that of every user whom this package makes.
const Password = "correct horse battery"

// Server is a running server. It is stopped when its test ends.
type Server struct {
	*server.Server
	Options server.Options // that it runs with; Data and DatabaseURL start another on the same data
}

// Run runs test once for each database engine, in parallel.
func Run(t *testing.T, test func(t *testing.T, s *Server)) {
	storetest.URLs(t, func(t *testing.T, url string) {
		test(t, Start(t, func(o *server.Options) { o.DatabaseURL = url }))
	})
}

// Start starts a server on SQLite, changed as the test wants.
func Start(t testing.TB, change ...func(*server.Options)) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := server.Options{
		Data: t.TempDir(), Listener: l, NoRunner: true,
		Log: slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, f := range change {
		f(&o)
	}
	s, err := server.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("stopping the server: %v", err)
		}
	})
	return &Server{s, o}
}

// testLog shows the server's warnings with the test that they belong to.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil { // a test that has ended takes no lines
		l.t.Logf("server: %s", p)
	}
	return len(p), nil
}

// Client calls the server with a token, over the network.
func (s *Server) Client(t testing.TB, token string) *client.Client {
	t.Helper()
	c, err := client.New(s.URL, token, client.WithRetry(0), client.WithRewatch(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// FirstUser makes the first user, `admin`, and gives a signed-in client and its
// token.
func (s *Server) FirstUser(t testing.TB) (*client.Client, string) {
	t.Helper()
	nobody := s.Client(t, "")
	if _, err := nobody.CreateFirstUser(t.Context(), api.FirstUser{Username: "admin", Email: "admin@example.com", Password: Password}); err != nil {
		t.Fatal(err)
	}
	in, err := nobody.Login(t.Context(), api.Login{Username: "admin", Password: Password})
	if err != nil {
		t.Fatal(err)
	}
	return s.Client(t, in.Token), in.Token
}

// Store opens the server's database beside it, for what no operation does.
func (s *Server) Store(t testing.TB) *store.DB {
	t.Helper()
	url := s.Options.DatabaseURL
	if url == "" {
		url = "sqlite:" + filepath.Join(s.Options.Data, "db", "berth.db")
	}
	return storetest.Open(t, url)
}
