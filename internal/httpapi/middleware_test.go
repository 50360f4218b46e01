package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPanicsAreAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	h, log := serve(op(public, "GET /boom", "boom", "", func(*handlers, context.Context, *struct{}) (*struct{}, error) {
		panic("secret of the roof")
	}))
	w, p := ask(t, h, "GET", "/boom", "")
	if w.Code != 500 || p.Code != "internal" || strings.Contains(w.Body.String(), "roof") {
		t.Errorf("the caller got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret of the roof") || !strings.Contains(log.String(), "middleware_test.go") {
		t.Errorf("the log has no panic or no stack: %s", log)
	}
}

func TestAPanicBehindTheFirstByteCutsTheAnswer(t *testing.T) {
	t.Parallel()
	h := outermost(slog.New(slog.DiscardHandler), nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half of")
		panic("here")
	}))
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("the connection goes on: %v", p)
		}
	}()
	ask(t, h, "GET", "/x", "")
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	h, log := serve(failing(errors.New("x")))
	for given, taken := range map[string]bool{
		"from-the-proxy_1.2": true, "": false, "two words": false, "x\ny": false, strings.Repeat("x", 65): false,
	} {
		w, _ := ask(t, h, "GET", "/fail", "", "X-Request-Id", given)
		got := w.Header().Get("X-Request-Id")
		if (got == given) != taken || got == "" {
			t.Errorf("%q: answered %q", given, got)
		}
		if !strings.Contains(log.String(), got) {
			t.Errorf("%q is not in the log", got)
		}
	}
}

func TestAnswersAreClosedToOtherSites(t *testing.T) {
	t.Parallel()
	h, _ := serve(failing(errors.New("x")))
	w, _ := ask(t, h, "GET", "/fail", "")
	for header, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'", "Access-Control-Allow-Origin": "",
	} {
		if got := w.Header().Get(header); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q", header, got)
		}
	}
}

func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	h, log := serve(echo(public))
	ask(t, h, "POST", "/echo?token=hunter2", `{"name":"hunter2"}`, "Authorization", "Bearer hunter2", "Cookie", "berth_login=hunter2")
	if log.Len() == 0 || strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log has %s", log)
	}
}

// A runner waits half a minute for a build; the time that its body may take
// must not end the request, and a body that stalls must.
func TestBodiesAreBoundedInTimeAndHandlersAreNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gave := make(chan error, 1)
		h := outermost(slog.New(slog.DiscardHandler), nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				gave <- err
				return
			}
			select {
			case <-time.After(5 * time.Minute):
				gave <- nil
			case <-r.Context().Done():
				gave <- r.Context().Err()
			}
		}))
		send := func(text string) {
			client, server := net.Pipe()
			l := &oneConn{conn: server, done: make(chan struct{})}
			s := &http.Server{Handler: h}
			go s.Serve(l)
			defer s.Close()
			defer client.Close()
			go io.Copy(io.Discard, client)
			io.WriteString(client, text)
			err := <-gave
			if full := strings.HasSuffix(text, "whole"); full != (err == nil) {
				t.Errorf("%q: %v", text, err)
			}
		}
		send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nwhole")
		send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhal")
	})
}

// oneConn is a listener of one connection.
type oneConn struct {
	conn net.Conn
	done chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
