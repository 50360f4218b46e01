package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func inProcess(t *testing.T, h http.HandlerFunc, opts ...client.Option) *client.Client {
	t.Helper()
	return client.NewInProcess(h, "secret", opts...)
}

func problem(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func TestErrorsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, kind, body string
		status           int
		code             berth.Code
		field, says      string
	}{
		{"problem", "application/problem+json", `{"status":404,"code":"not_found","detail":"there is no workspace web"}`, 404, berth.NotFound, "", "there is no workspace web"},
		{"field", "application/problem+json; charset=utf-8", `{"status":422,"code":"invalid","field":"name","detail":"a name is needed"}`, 422, berth.Invalid, "name", "name: a name is needed"},
		{"internal names the request", "application/problem+json", `{"status":500,"code":"internal","detail":"an internal error occurred","request_id":"r1"}`, 500, berth.Internal, "", "request r1"},
		{"escape sequences are taken out", "application/problem+json", `{"code":"conflict","detail":"a\u001b[2Jb"}`, 409, berth.Conflict, "", "a[2Jb"},
		{"a proxy's page", "text/html", `<h1>502</h1>`, 502, berth.Unavailable, "", "is it the address of a Berth server?"},
		{"another server", "text/html", `gone`, 404, berth.NotFound, "", "not in the words of Berth"},
		{"not JSON", "application/json", `hello`, 200, berth.Unavailable, "", "does not understand"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cl := inProcess(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			_, err := cl.Me(t.Context())
			var e *berth.Error
			if !errors.As(err, &e) || !errors.Is(err, c.code) || e.Field != c.field || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%#v: %v", e, err)
			}
		})
	}
}

func TestCallsCarryTokenAndProgram(t *testing.T) {
	t.Parallel()
	cl := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"username":%q,"email":%q}`, r.Header.Get("Authorization"), r.Header.Get("User-Agent"))
	}, client.WithProgram("tester", "7"))
	u, err := cl.Me(t.Context())
	if err != nil || u.Username != "Bearer secret" || !strings.HasPrefix(u.Email, "tester/7 (") {
		t.Errorf("%+v %v", u, err)
	}
}

// A redirect is not followed: a token never goes to another host, and a POST
// never turns into a GET.
func TestRedirectIsAnError(t *testing.T) {
	t.Parallel()
	var called atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
	defer other.Close()
	first := httptest.NewServer(http.RedirectHandler(other.URL+"/api/v1/users/me", http.StatusMovedPermanently))
	defer first.Close()
	cl, err := client.New(first.URL, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cl.Me(t.Context()); !errors.Is(err, berth.Unavailable) || !strings.Contains(err.Error(), other.URL) || called.Load() {
		t.Errorf("%v, called: %v", err, called.Load())
	}
}

func TestOnlyReadsAreRepeated(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	h := func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			problem(w, 503, `{"code":"unavailable","detail":"starting"}`)
			return
		}
		io.WriteString(w, `{}`)
	}
	if _, err := inProcess(t, h).Me(t.Context()); err != nil || calls.Load() != 3 {
		t.Errorf("GET: %v after %d calls", err, calls.Load())
	}
	calls.Store(0)
	if _, err := inProcess(t, h).CreateToken(t.Context(), api.CreateToken{}); !errors.Is(err, berth.Unavailable) || calls.Load() != 1 {
		t.Errorf("POST: %v after %d calls", err, calls.Load())
	}
	calls.Store(-1000)
	began := time.Now()
	if _, err := inProcess(t, h, client.WithRetry(300*time.Millisecond)).Me(t.Context()); !errors.Is(err, berth.Unavailable) || time.Since(began) > 2*time.Second {
		t.Errorf("bounded GET: %v after %v", err, time.Since(began))
	}
}

func TestUnreachableServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	tls.Config.ErrorLog = nil
	refused := "http://" + l.Addr().String()
	l.Close()
	for url, says := range map[string]string{
		refused: "is the server running?",
		strings.Replace(plain.URL, "http:", "https:", 1): "http:// instead of https://",
		tls.URL: "SSL_CERT_FILE",
	} {
		cl, err := client.New(url, "", client.WithRetry(0))
		if err != nil {
			t.Fatal(err)
		}
		_, err = cl.Version(t.Context())
		if !errors.Is(err, berth.Unavailable) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "cannot reach "+url) {
			t.Errorf("%s: %v", url, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cl, _ := client.New(refused, "")
	if _, err := cl.Version(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "berth.example.com", "ftp://x", "http://", "http://a:b@x", "http://x?q=1", "http://x#y", "http://[::1"} {
		if _, err := client.New(bad, ""); !errors.Is(err, berth.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	cl, err := client.New("https://x/berth/", "")
	if err != nil || cl.URL() != "https://x/berth" {
		t.Errorf("%v %v", cl, err)
	}
}

// A name that would change the path is refused here, before it could reach
// another operation.
func TestHostileNamesStayInTheirSegment(t *testing.T) {
	t.Parallel()
	var got string
	cl := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		io.WriteString(w, `{}`)
	})
	for _, bad := range []string{"", ".", ".."} {
		if _, err := cl.Workspace(t.Context(), bad); !errors.Is(err, berth.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := cl.RemoveToken(t.Context(), "", "../users/me?x=1#y"); err != nil || got != "/api/v1/tokens/..%2Fusers%2Fme%3Fx=1%23y" {
		t.Errorf("%s %v", got, err)
	}
}

func TestTakeWithoutABuild(t *testing.T) {
	t.Parallel()
	cl := inProcess(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if job, err := cl.Take(t.Context(), api.Take{}); job != nil || err != nil {
		t.Errorf("%v %v", job, err)
	}
}

func TestAllGoesThroughPages(t *testing.T) {
	t.Parallel()
	cl := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("after") {
		case "":
			io.WriteString(w, `{"items":[{"name":"a"},{"name":"b"}],"next":"n1"}`)
		case "n1":
			io.WriteString(w, `{"items":[{"name":"c"}],"next":"n2"}`)
		default:
			problem(w, 409, `{"code":"conflict","detail":"no"}`)
		}
	})
	var names []string
	var last error
	for w, err := range client.All(client.List{Query: "q"}, func(l client.List) (api.Page[api.Workspace], error) { return cl.Workspaces(t.Context(), l) }) {
		if last = err; err == nil {
			names = append(names, w.Name)
		}
	}
	if strings.Join(names, "") != "abc" || !errors.Is(last, berth.Conflict) {
		t.Errorf("%v %v", names, last)
	}
}
