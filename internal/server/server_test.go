package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/server/servertest"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

func TestServes(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		if code, text := get(t, s.URL+"/healthz"); code != 200 || !strings.Contains(text, `"ok":true`) {
			t.Errorf("healthz: %d %s", code, text)
		}
		v, err := s.Client(t, "").Version(t.Context())
		if err != nil || !v.SetupRequired || v.AccessURL != s.URL || v.API != "v1" {
			t.Errorf("version: %+v, %v", v, err)
		}
		if want := strings.Split(s.Options.DatabaseURL, ":")[0]; v.Database != want {
			t.Errorf("database %q, want %q", v.Database, want)
		}
		c, _ := s.FirstUser(t)
		loops, err := c.Loops(t.Context())
		if err != nil || len(loops.Items) == 0 {
			t.Errorf("loops: %+v, %v", loops, err)
		}
		for _, l := range loops.Items {
			if l.Error != "" {
				t.Errorf("loop %s: %s", l.Name, l.Error)
			}
		}
		if code, text := get(t, s.URL+"/workspaces/admin/hello"); code != 200 || !strings.Contains(text, "Berth") {
			t.Errorf("a page of the dashboard: %d %s", code, text)
		}
		if code, text := get(t, s.URL+"/api/v1/nothing"); code != 404 || !strings.Contains(text, "not_found") {
			t.Errorf("an unknown path of the API: %d %s", code, text)
		}
	})
}

// The data outlives the server, and a second server waits for the first's end.
func TestStartsAgainOnItsData(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		_, token := s.FirstUser(t)
		o := s.Options
		o.Listener = nil
		o.Listen = "127.0.0.1:0"
		if _, err := server.Start(t.Context(), o); !errors.Is(err, berth.Conflict) || !strings.Contains(err.Error(), o.Data) {
			t.Fatalf("a second server on the same data: %v", err)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		again := servertest.Start(t, func(n *server.Options) { n.Data, n.DatabaseURL = o.Data, o.DatabaseURL })
		if took := time.Since(began); took > 5*time.Second { // 1 s is the bar; the machine is shared
			t.Errorf("starting on existing data took %v", took)
		}
		if me, err := again.Client(t, token).Me(t.Context()); err != nil || me.Username != "admin" {
			t.Errorf("the login after a restart: %+v, %v", me, err)
		}
	})
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for listen, want := range map[string][]string{
		l.Addr().String(): {port, "--listen", "in use"},
		"nonsense":        {"--listen", "127.0.0.1:7080"},
		"192.0.2.1:7080":  {"--listen", "address of this machine"},
	} {
		_, err := server.Start(t.Context(), server.Options{Data: t.TempDir(), Listen: listen, NoRunner: true})
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v", listen, err)
			}
		}
	}
}

// A server that cannot start leaves nothing behind that keeps the next one
// from starting.
func TestFailedStartCleansUp(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := server.Start(ctx, server.Options{
		Data: data, Listen: "127.0.0.1:0", NoRunner: true, DatabaseURL: "postgres://berth:hunter2@127.0.0.1:1/berth",
	})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("a database that is away: %v", err)
	}
	servertest.Start(t, func(o *server.Options) { o.Data = data })
}

func TestAnswersWhileStarting(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// A database that takes its time: it accepts and never answers.
	slow, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := server.Start(ctx, server.Options{
			Data: t.TempDir(), Listener: l, NoRunner: true, DatabaseURL: "postgres://berth@" + slow.Addr().String() + "/berth?sslmode=disable",
		})
		ended <- err
	}()
	if code, text := get(t, "http://"+l.Addr().String()+"/healthz"); code != 503 || !strings.Contains(text, "starting") {
		t.Errorf("%d %s", code, text)
	}
	if code, text := get(t, "http://"+l.Addr().String()+"/api/v1/version"); code != 503 || !strings.Contains(text, `"code":"unavailable"`) {
		t.Errorf("the API: %d %s", code, text)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("it started without a database")
	}
}
