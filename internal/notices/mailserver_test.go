package notices_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/berthdev/berth/internal/notices"
)

// mailServer is a real one on loopback.
type mailServer struct {
	address string
	roots   *x509.CertPool

	mu       sync.Mutex
	got      []*mail.Message
	bodies   []string
	to       []string
	refuse   func(to string) error // an RCPT
	data     func()                // when a letter was taken, before it is acknowledged
	sessions int
}

// how says what a mail server wants.
type how struct {
	tls      bool // from the first byte
	starttls bool
	password string // of berth; empty: none is asked for
}

func serveMail(t *testing.T, h how) *mailServer {
	t.Helper()
	lender := httptest.NewUnstartedServer(nil) // has a certificate for 127.0.0.1
	lender.StartTLS()
	lender.Close()
	m := &mailServer{roots: x509.NewCertPool()}
	m.roots.AddCert(lender.Certificate())
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sessions++
		if h.password != "" {
			return &signedIn{session: session{m: m, barred: true}, password: h.password}, nil
		}
		return &session{m: m}, nil
	}))
	s.Domain, s.ReadTimeout, s.WriteTimeout = "mail.test", time.Minute, time.Minute
	if h.tls || h.starttls {
		s.TLSConfig = &tls.Config{Certificates: lender.TLS.Certificates}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.address = l.Addr().String()
	if h.tls {
		l = tls.NewListener(l, s.TLSConfig)
	}
	var done sync.WaitGroup
	done.Go(func() { s.Serve(l) })
	t.Cleanup(func() { s.Close(); done.Wait() })
	return m
}

// options are those to send by it.
func (m *mailServer) options(o notices.Mail) notices.Options {
	o.Address, o.Roots = m.address, m.roots
	if o.From == "" {
		o.From = "Berth <berth@example.com>"
	}
	return notices.Options{AccessURL: accessURL, Mail: &o, Patience: 5 * time.Second}
}

// letters are those that it took.
func (m *mailServer) letters() ([]*mail.Message, []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.got, m.bodies
}

type session struct {
	m      *mailServer
	barred bool
	to     string
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.barred {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.to = to
	if s.m.refuse != nil {
		return s.m.refuse(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	letter, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(letter.Body)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	s.m.got, s.m.bodies, s.m.to = append(s.m.got, letter), append(s.m.bodies, string(body)), append(s.m.to, s.to)
	taken := s.m.data
	s.m.mu.Unlock()
	if taken != nil {
		taken()
	}
	return nil
}

// signedIn is a session of a server that wants a password.
type signedIn struct {
	session
	password string
}

func (s *signedIn) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *signedIn) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "berth" || password != s.password {
			return errors.New("wrong")
		}
		s.barred = false
		return nil
	}), nil
}

func passwordFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// hang listens, and never says a word.
func hang(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
		}
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
		for _, c := range held {
			c.Close()
		}
	})
	return l.Addr().String()
}

func unwrapped(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "=\r\n", ""), "\r\n", "\n")
}

// forward connects who comes in to another address.
func forward(l net.Listener, to string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", to)
		if err != nil {
			in.Close()
			return
		}
		go func() { io.Copy(out, in); out.Close() }()
		go func() { io.Copy(in, out); in.Close() }()
	}
}
