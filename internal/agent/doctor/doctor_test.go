package doctor

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/tunnel"
)

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestChecksNameTheFirstCause(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	cert := func(from, to time.Duration) *x509.Certificate {
		return &x509.Certificate{NotBefore: now.Add(from), NotAfter: now.Add(to), DNSNames: []string{"other.example.com"}, Issuer: pkix.Name{CommonName: "Corp CA"}}
	}
	expired := x509.CertificateInvalidError{Reason: x509.Expired}
	https, loop := address(t, "https://berth.example.com"), address(t, "http://127.0.0.1:7080")
	proxy := address(t, "http://proxy:3128")
	answered := func(f facts) facts { f.isBerth, f.status, f.date = true, "200 OK", now; return f }
	tests := []struct {
		name string
		f    facts
		kind string // of the failed check
		says []string
	}{
		{"no such name", facts{target: https, nameErr: &net.DNSError{IsNotFound: true}}, "name", []string{"no host has the name berth.example.com", "--access-url"}},
		{"no name server", facts{target: https, nameErr: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}, "name", []string{"cannot be looked up", "resolv.conf"}},
		{"loopback in a container", facts{target: loop, dialErr: syscall.ECONNREFUSED}, "tcp", []string{"127.0.0.1:7080 is this computer itself", "--access-url"}},
		{"closed port", facts{target: https, dialErr: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, "tcp", []string{"refuses connections", "--listen"}},
		{"silence", facts{target: https, dialErr: context.DeadlineExceeded}, "tcp", []string{"does not answer", "firewalls"}},
		{"no proxy there", facts{target: https, proxy: proxy, proxyVar: "HTTPS_PROXY", dialErr: syscall.ECONNREFUSED}, "tcp", []string{"the proxy http://proxy:3128 (HTTPS_PROXY) refuses", "NO_PROXY"}},
		{"proxy refuses", facts{target: https, proxy: proxy, proxyVar: "HTTPS_PROXY", refused: "403 Forbidden"}, "proxy", []string{"refuses to connect to berth.example.com (403 Forbidden)", "let it connect"}},
		{"proxy wants a login", facts{target: https, proxy: proxy, proxyVar: "https_proxy", refused: "407 Proxy Authentication Required"}, "proxy", []string{"wants a login", "https_proxy"}},
		{"unknown authority", facts{target: https, tlsErr: x509.UnknownAuthorityError{}, cert: cert(-time.Hour, time.Hour)}, "tls", []string{`signed by "Corp CA"`, "SSL_CERT_FILE"}},
		{"wrong name", facts{target: https, tlsErr: x509.HostnameError{}, cert: cert(-time.Hour, time.Hour)}, "tls", []string{"is for other.example.com"}},
		{"expired", facts{target: https, now: now, date: now, tlsErr: expired, cert: cert(-2*time.Hour, -time.Hour)}, "tls", []string{"has expired on 2026-05-01 11:00", "renew"}},
		{"not yet valid", facts{target: https, now: now, tlsErr: expired, cert: cert(time.Hour, 2*time.Hour)}, "tls", []string{"not valid before 2026-05-01 13:00"}},
		{"clock breaks the certificate", facts{target: https, now: now, date: now.Add(90 * time.Minute), tlsErr: expired, cert: cert(time.Hour, 2*time.Hour)}, "clock", []string{"1h30m0s behind the server's", "NTP"}},
		{"no TLS there", facts{target: https, tlsErr: tls.RecordHeaderError{}}, "tls", []string{"does not speak TLS", "http://"}},
		{"another server", facts{target: https, status: "502 Bad Gateway"}, "server", []string{"answers 502 Bad Gateway", "--access-url"}},
		{"redirect", facts{target: https, status: "301 Moved", location: "https://new"}, "server", []string{"redirects to https://new"}},
		{"silent server", facts{target: https, httpErr: io.ErrUnexpectedEOF}, "server", []string{"does not answer"}},
		{"token", answered(facts{target: https, now: now, err: berth.Errorf(berth.Unauthenticated, "unknown token")}), "token", []string{"unknown token", "restart the workspace"}},
		{"stopped", answered(facts{target: https, now: now, stage: Linking, err: berth.Errorf(berth.Forbidden, "the newest build is a stop")}), "token", []string{"the newest build is a stop"}},
		{"second process", answered(facts{target: https, now: now, err: &berth.Error{Code: berth.Unavailable, Field: "link", Message: "linked already"}}), "token", []string{"another process uses the token", "rotate-key"}},
		{"second", answered(facts{target: https, now: now, stage: Linking, err: berth.Errorf(berth.Conflict, "linked already")}), "token", []string{"another process uses the token", "rotate-key"}},
		{"server fails", answered(facts{target: https, now: now, err: &berth.Error{Code: berth.Internal, Message: "request 7", Err: failing(t)}}), "server", []string{"request 7", "the server's log"}},
		{"version", answered(facts{target: https, now: now, err: berth.InvalidField("protocol", "too old for the server: restart the workspace")}), "version", []string{"too old for the server"}},
		{"no upgrade", answered(facts{target: https, now: now, stage: Linking, err: &berth.Error{Code: berth.Unavailable, Err: &tunnel.HandshakeError{Status: 200}}}), "websocket",
			[]string{"reaches the server by HTTP but a proxy in between blocks websockets", "let it pass Upgrade requests to /api/v1/agent/link"}},
		{"forbidden by a proxy", answered(facts{target: https, now: now, stage: Linking, err: &berth.Error{Code: berth.Forbidden, Err: client.ErrForeign}}), "websocket", []string{"blocks websockets"}},
		{"clock alone", answered(facts{target: https, now: now.Add(-3 * time.Hour), err: errors.New("unknown")}), "clock", []string{"3h0m0s behind"}},
		{"nothing", answered(facts{target: https, now: now, err: errors.New("unknown")}), "", nil},
	}
	for _, tt := range tests {
		checks := tt.f.checks()
		last := checks[len(checks)-1]
		for _, c := range checks[:len(checks)-1] {
			if !c.OK {
				t.Errorf("%s: goes on behind %+v", tt.name, c)
			}
		}
		if kind := map[bool]string{false: last.Kind}[last.OK]; kind != tt.kind {
			t.Errorf("%s: %+v", tt.name, checks)
		}
		for _, say := range tt.says {
			if why := failed(checks); !strings.Contains(why, say) {
				t.Errorf("%s: %q does not say %q", tt.name, why, say)
			}
		}
		if tt.kind != "" && tt.kind != "version" && last.Fix == "" {
			t.Errorf("%s: no fix: %+v", tt.name, last)
		}
	}
}

// The prober against real servers.
func TestProbe(t *testing.T) {
	t.Parallel()
	version := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the probe sends the token")
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"version":"1","api":"v1"}`)
	})
	secure := func(from, to time.Duration) (*httptest.Server, *x509.CertPool) {
		cert, pool := selfSigned(t, time.Now().Add(from), time.Now().Add(to))
		s := httptest.NewUnstartedServer(version)
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s, pool
	}
	good, trusted := secure(-time.Hour, time.Hour)
	old, oldRoot := secure(-2*time.Hour, -time.Hour)
	web := httptest.NewServer(version)
	t.Cleanup(web.Close)
	moved := httptest.NewServer(http.RedirectHandler("https://elsewhere.example.com/", 302))
	t.Cleanup(moved.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	through := func(status int) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status != 200 || r.Method != http.MethodConnect {
				w.WriteHeader(status)
				return
			}
			out, err := net.Dial("tcp", r.Host)
			if err != nil {
				w.WriteHeader(502)
				return
			}
			in, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
			go func() { io.Copy(out, in); out.Close() }()
			go func() { io.Copy(in, out); in.Close() }()
		}))
		t.Cleanup(s.Close)
		return s
	}
	tests := []struct {
		name   string
		target string
		proxy  string
		roots  *x509.CertPool
		ahead  time.Duration // of our clock
		kind   string
	}{
		{"http", web.URL, "", nil, 0, ""},
		{"https", good.URL, "", trusted, 0, ""},
		{"under a path", web.URL + "/berth", "", nil, 0, ""},
		{"unknown authority", good.URL, "", x509.NewCertPool(), 0, "tls"},
		{"wrong name", strings.Replace(good.URL, "127.0.0.1", "localhost", 1), "", trusted, 0, "tls"},
		{"expired", old.URL, "", oldRoot, 0, "tls"},
		{"our clock", good.URL, "", trusted, -3 * time.Hour, "clock"},
		{"not TLS", strings.Replace(web.URL, "http:", "https:", 1), "", nil, 0, "tls"},
		{"not plain", strings.Replace(good.URL, "https:", "http:", 1), "", nil, 0, "server"},
		{"moved", moved.URL, "", nil, 0, "server"},
		{"closed", "http://" + closed.Addr().String(), "", nil, 0, "tcp"},
		{"no name", "http://no-such-name.invalid", "", nil, 0, "name"},
		{"proxy", good.URL, through(200).URL, trusted, 0, ""},
		{"proxy refuses", good.URL, through(403).URL, trusted, 0, "proxy"},
		{"proxy cannot", "https://" + closed.Addr().String(), through(200).URL, trusted, 0, "proxy"},
		{"proxy is not there", good.URL, "http://" + closed.Addr().String(), trusted, 0, "tcp"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := prober{roots: tt.roots, now: func() time.Time { return time.Now().Add(tt.ahead) }, proxy: func(*http.Request) (*url.URL, error) {
				if tt.proxy == "" {
					return nil, nil
				}
				return url.Parse(tt.proxy)
			}}
			f := p.look(t.Context(), address(t, tt.target))
			f.err = errors.New("x")
			checks := f.checks()
			last := checks[len(checks)-1]
			if kind := map[bool]string{false: last.Kind}[last.OK]; kind != tt.kind {
				t.Errorf("%+v", checks)
			}
		})
	}
}

func selfSigned(t *testing.T, from, to time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// The doctor looks only after a while, tells once what stays the same, looks
// ever more seldom, and forgets at a link.
func TestDoctor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var told int
		looks := 0
		d := New(slog.New(slog.NewTextHandler(&log, nil)), func(context.Context, api.AgentTrouble) error { told++; return nil })
		d.probe = func(_ context.Context, u *url.URL) facts {
			looks++
			return facts{target: u, dialErr: syscall.ECONNREFUSED}
		}
		for range 3600 {
			d.Ill(t.Context(), Greeting, "http://10.0.0.1", fmt.Errorf("no"))
			time.Sleep(time.Second)
			synctest.Wait()
			if time.Since(d.since) < firstLook && looks > 0 {
				t.Fatal("looked too early")
			}
		}
		if looks < 10 || looks > 25 || told != looks {
			t.Errorf("%d looks in an hour, told %d times", looks, told)
		}
		if n := strings.Count(log.String(), "refuses connections"); n != 1 {
			t.Errorf("said %d times:\n%s", n, log.String())
		}
		d.Well()
		if !strings.Contains(log.String(), "clear again") {
			t.Error(log.String())
		}
		before := looks
		d.Ill(t.Context(), Greeting, "http://10.0.0.1", fmt.Errorf("no"))
		time.Sleep(time.Second)
		if looks != before {
			t.Error("looked at once after a link")
		}
	})
}

// failing is the cause of an error that came with an answer of the server.
func failing(t *testing.T) error {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(500)
		io.WriteString(w, `{"code":"internal","detail":"it broke"}`)
	}))
	defer s.Close()
	c, err := client.New(s.URL, "", client.WithRetry(0))
	if err != nil {
		t.Fatal(err)
	}
	var e *berth.Error
	if _, err = c.Version(t.Context()); !errors.As(err, &e) {
		t.Fatal(err)
	}
	return e.Err
}
