package doctor

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/berthdev/berth/api"
)

// prober walks the way to a server once, as the agent's requests go, and notes
// what it meets. It sends no token, and what it meets is believed only as far
// as a sentence for people goes.
type prober struct {
	proxy func(*http.Request) (*url.URL, error) // nil: as the environment says
	roots *x509.CertPool                        // nil: the computer's
	now   func() time.Time                      // nil: its clock
}

const probeStep = 10 * time.Second

// look gathers the facts about target; those about the failed call are the
// caller's to fill in.
func (p prober) look(ctx context.Context, target *url.URL) facts {
	f := facts{target: target, now: time.Now()}
	if p.now != nil {
		f.now = p.now()
	}
	proxy := p.proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(target.String(), "/")+api.Prefix+"/version", nil)
	if err != nil {
		f.httpErr = err
		return f
	}
	if f.proxy, err = proxy(req); err != nil {
		f.proxy, f.proxyVar, f.proxyErr = target, proxyVar(target.Scheme), err
		return f
	}
	if f.proxy != nil {
		f.proxyVar = proxyVar(target.Scheme)
	}
	conn := p.connect(ctx, &f)
	if conn == nil {
		return f
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(probeStep))
	if f.proxy != nil && !strings.HasPrefix(f.proxy.Scheme, "http") {
		return f // SOCKS: what is behind it cannot be told apart
	}
	if f.proxy != nil && target.Scheme == "https" && !tunnelled(conn, &f) {
		return f
	}
	if target.Scheme == "https" {
		secured := p.secure(conn, &f)
		if secured == nil {
			return f
		}
		conn = secured
	}
	ask(conn, req, &f)
	return f
}

// connect connects to the first host on the way; nil when that failed.
func (p prober) connect(ctx context.Context, f *facts) net.Conn {
	u, _, _ := f.firstHost()
	ctx, cancel := context.WithTimeout(ctx, probeStep)
	defer cancel()
	if net.ParseIP(u.Hostname()) == nil {
		if _, f.nameErr = net.DefaultResolver.LookupHost(ctx, u.Hostname()); f.nameErr != nil {
			return nil
		}
	}
	var conn net.Conn
	conn, f.dialErr = (&net.Dialer{}).DialContext(ctx, "tcp", hostPort(u))
	if f.dialErr != nil {
		return nil
	}
	if f.proxy != nil && f.proxy.Scheme == "https" {
		return tls.Client(conn, &tls.Config{ServerName: f.proxy.Hostname(), RootCAs: p.roots})
	}
	return conn
}

// tunnelled asks the proxy at the other end of conn to connect to the target.
func tunnelled(conn net.Conn, f *facts) bool {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: hostPort(f.target)}, Host: hostPort(f.target), Header: proxyLogin(f.proxy)}
	if f.proxyErr = req.Write(conn); f.proxyErr != nil {
		return false
	}
	// Nothing follows the answer before we have spoken, so no byte is lost in
	// the buffer.
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		f.proxyErr = err
		return false
	}
	if res.StatusCode != http.StatusOK {
		f.refused = res.Status
		return false
	}
	return true
}

func proxyLogin(proxy *url.URL) http.Header {
	h := http.Header{}
	if u := proxy.User; u != nil {
		password, _ := u.Password()
		h.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	return h
}

// secure does the TLS handshake. It goes on with a certificate that does not
// hold, to read the other clock: nothing secret follows.
func (p prober) secure(conn net.Conn, f *facts) net.Conn {
	secured := tls.Client(conn, &tls.Config{
		ServerName: f.target.Hostname(), NextProtos: []string{"http/1.1"}, InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, c := range s.PeerCertificates[1:] {
				between.AddCert(c)
			}
			f.cert = s.PeerCertificates[0]
			_, f.tlsErr = f.cert.Verify(x509.VerifyOptions{DNSName: f.target.Hostname(), Roots: p.roots, Intermediates: between, CurrentTime: f.now})
			return nil
		},
	})
	if err := secured.Handshake(); err != nil {
		f.tlsErr = err
		return nil
	}
	return secured
}

// ask asks for the server's version and its clock.
func ask(conn net.Conn, req *http.Request, f *facts) {
	write := req.Write
	if f.proxy != nil && f.target.Scheme == "http" {
		for name, values := range proxyLogin(f.proxy) {
			req.Header[name] = values
		}
		write = req.WriteProxy
	}
	if f.httpErr = write(conn); f.httpErr != nil {
		return
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		f.httpErr = err
		return
	}
	defer res.Body.Close()
	f.status = res.Status
	f.date, _ = http.ParseTime(res.Header.Get("Date"))
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		f.location = res.Header.Get("Location")
	}
	if f.proxy != nil && f.target.Scheme == "http" && res.StatusCode == http.StatusProxyAuthRequired {
		f.refused = res.Status
	}
	var v api.Version
	body := io.LimitReader(res.Body, 64<<10)
	f.isBerth = strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") ||
		json.NewDecoder(body).Decode(&v) == nil && v.Version != "" && v.API != ""
}

// proxyVar is the variable that names the proxy for a scheme.
func proxyVar(scheme string) string {
	name := strings.ToUpper(scheme) + "_PROXY"
	if os.Getenv(name) == "" && os.Getenv(strings.ToLower(name)) != "" {
		return strings.ToLower(name)
	}
	return name
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(port, "80"))
}
