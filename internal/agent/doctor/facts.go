package doctor

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/tunnel"
)

// maxSkew is how far two clocks may be apart.
const maxSkew = 5 * time.Minute

// Stage is what the agent failed at.
type Stage int

// The stages, in order.
const (
	Greeting Stage = iota
	Linking
)

// facts are what a look at the way to a server found. It goes step by step and
// ends at the first error; what lies behind is at its zero value.
type facts struct {
	target   *url.URL
	stage    Stage
	err      error     // what greeting or linking failed with
	now      time.Time // by this computer's clock
	proxy    *url.URL  // in use for target; nil: none
	proxyVar string    // the variable that names it

	nameErr  error  // looking up the first host on the way: the proxy, or the server
	dialErr  error  // connecting to it
	proxyErr error  // asking the proxy to connect
	refused  string // what the proxy answered instead of yes: "403 Forbidden"
	tlsErr   error  // of the handshake, or of the certificate
	cert     *x509.Certificate
	httpErr  error     // asking for the server's version
	date     time.Time // by the server's clock; zero: it did not say
	status   string    // of the answer: "200 OK"
	location string    // where the answer redirects to
	isBerth  bool      // the answer is one of a Berth server
}

// checks is the chain up to the first check that failed. The clock alone breaks
// nothing but certificates, so that of a computer whose clock is off fails only
// when nothing else does.
func (f facts) checks() []berth.Check {
	var all []berth.Check
	steps := []func() (berth.Check, bool){f.checkName, f.checkTCP, f.checkProxy, f.checkTLS, f.checkServer, f.checkToken, f.checkVersion, f.checkWebsocket}
	for _, step := range steps {
		c, applies := step()
		if !applies {
			continue
		}
		if all = append(all, c); !c.OK {
			return all
		}
	}
	if skew := f.skew(); skew != 0 {
		all = append(all, berth.Check{Kind: "clock", Detail: f.clocks(skew), Fix: f.setClock(skew)})
	}
	return all
}

func good(kind, detail string) (berth.Check, bool) {
	return berth.Check{Kind: kind, OK: true, Detail: detail}, true
}

func bad(kind, fix, format string, args ...any) (berth.Check, bool) {
	return berth.Check{Kind: kind, Detail: fmt.Sprintf(format, args...), Fix: fix}, true
}

var none = berth.Check{}

// firstHost is where the first connection goes, and what to correct when it
// cannot be made.
func (f facts) firstHost() (u *url.URL, what, fix string) {
	if f.proxy != nil {
		return f.proxy, fmt.Sprintf("the proxy %s (%s)", f.proxy.Redacted(), f.proxyVar), fmt.Sprintf("correct %s, or add %s to NO_PROXY", f.proxyVar, f.target.Hostname())
	}
	return f.target, f.target.Host, ""
}

func (f facts) checkName() (berth.Check, bool) {
	u, _, fix := f.firstHost()
	name := u.Hostname()
	var dns *net.DNSError
	switch {
	case net.ParseIP(name) != nil:
		return none, false
	case f.nameErr == nil:
		return good("name", name)
	case errors.As(f.nameErr, &dns) && dns.IsNotFound:
		return bad("name", cmp.Or(fix, "correct the server's --access-url, or make the name known to this computer's DNS"), "no host has the name %s", name)
	default:
		return bad("name", "check the name servers of this computer (/etc/resolv.conf) and its network", "the name %s cannot be looked up (%v)", name, plain(f.nameErr))
	}
}

func (f facts) checkTCP() (berth.Check, bool) {
	u, what, fix := f.firstHost()
	var timeout net.Error
	switch {
	case f.dialErr == nil:
		return good("tcp", what)
	case f.proxy == nil && isLoopback(u.Hostname()):
		return bad("tcp", "start the server with --access-url and an address that workspaces reach",
			"%s is this computer itself, or this container, and nothing answers there", u.Host)
	case errors.Is(f.dialErr, syscall.ECONNREFUSED):
		return bad("tcp", cmp.Or(fix, "start the server, and have it listen (--listen) on an address that this computer reaches"), "%s refuses connections", what)
	case errors.As(f.dialErr, &timeout) && timeout.Timeout():
		return bad("tcp", cmp.Or(fix, "let the firewalls in between pass connections to it"), "%s does not answer", what)
	default:
		return bad("tcp", cmp.Or(fix, "check this computer's network"), "%s cannot be reached (%v)", what, plain(f.dialErr))
	}
}

func (f facts) checkProxy() (berth.Check, bool) {
	if f.proxy == nil {
		return none, false
	}
	_, what, _ := f.firstHost()
	host := f.target.Hostname()
	switch {
	case strings.HasPrefix(f.refused, "407"):
		return bad("proxy", fmt.Sprintf("write it into %s (http://USER:PASSWORD@HOST), or add %s to NO_PROXY", f.proxyVar, host), "%s wants a login", what)
	case f.refused != "":
		return bad("proxy", fmt.Sprintf("let it connect to %s, or add %s to NO_PROXY", f.target.Host, host), "%s refuses to connect to %s (%s)", what, f.target.Host, f.refused)
	case f.proxyErr != nil:
		return bad("proxy", fmt.Sprintf("correct %s, or add %s to NO_PROXY", f.proxyVar, host), "%s does not answer as a proxy (%v)", what, plain(f.proxyErr))
	}
	return good("proxy", what)
}

func (f facts) checkTLS() (berth.Check, bool) {
	if f.target.Scheme != "https" {
		return none, false
	}
	if f.tlsErr == nil {
		return good("tls", "")
	}
	host := f.target.Host
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch err := f.tlsErr; {
	case errors.As(err, &record):
		return bad("tls", "use http:// in the server's --access-url, or put TLS in front of it", "%s does not speak TLS", host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && f.cert != nil:
		return f.outOfTime()
	case errors.As(err, &name) && f.cert != nil:
		return bad("tls", "use the name that it is for in the server's --access-url, or give the server a certificate for this one",
			"the certificate of %s is for %s", host, names(f.cert))
	case errors.As(err, &unknown) && f.cert != nil:
		return bad("tls", "add that authority to the certificates that this computer trusts, or name its file in SSL_CERT_FILE",
			"the certificate of %s is signed by %q, whom this computer does not trust", host, issuer(f.cert))
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return bad("tls", "something in between may block it: let it pass TLS to "+host, "%s breaks off the TLS handshake", host)
	default:
		return bad("tls", "check the server's certificate", "no TLS with %s (%v)", host, plain(err))
	}
}

// outOfTime is about a certificate that is not valid by this computer's clock:
// either may be wrong.
func (f facts) outOfTime() (berth.Check, bool) {
	skew, c := f.skew(), f.cert
	if skew != 0 && f.date.After(c.NotBefore) && f.date.Before(c.NotAfter) {
		return bad("clock", f.setClock(skew), "%s, so the certificate of %s does not seem valid", f.clocks(skew), f.target.Host)
	}
	if f.now.Before(c.NotBefore) {
		return bad("tls", "wait, give it one that is valid, or set this computer's clock if that is wrong", "the certificate of %s is not valid before %s, and it is %s by this computer's clock",
			f.target.Host, day(c.NotBefore), day(f.now))
	}
	return bad("tls", "renew it, or set this computer's clock if that is wrong", "the certificate of %s has expired on %s, and it is %s by this computer's clock",
		f.target.Host, day(c.NotAfter), day(f.now))
}

// skew is how far this computer's clock is ahead of the server's; 0: not far, or
// not known.
func (f facts) skew() time.Duration {
	if f.date.IsZero() {
		return 0
	}
	if d := f.now.Sub(f.date); d > maxSkew || d < -maxSkew {
		return d
	}
	return 0
}

func (f facts) clocks(skew time.Duration) string {
	where, by := "ahead of", skew
	if skew < 0 {
		where, by = "behind", -skew
	}
	return fmt.Sprintf("this computer's clock (%s) is %s %s the server's (%s)", day(f.now), by.Round(time.Minute), where, day(f.date))
}

func (f facts) setClock(time.Duration) string {
	return "set the clock that is wrong, best by a time server (NTP)"
}

func (f facts) checkServer() (berth.Check, bool) {
	host := f.target.Scheme + "://" + f.target.Host
	switch {
	case f.isBerth:
		return good("server", f.status)
	case f.httpErr != nil:
		return bad("server", "check what stands in front of the server", "%s takes connections but does not answer (%v)", host, plain(f.httpErr))
	case f.location != "":
		return bad("server", "use that address in the server's --access-url", "%s redirects to %s", host, f.location)
	case f.status == "":
		return none, false // not asked
	default:
		return bad("server", "check the server's --access-url, and that what stands in front of the server passes requests on to it", "%s answers %s, and not as Berth does", host, f.status)
	}
}

func (f facts) checkToken() (berth.Check, bool) {
	if errors.Is(f.err, client.ErrForeign) && f.stage == Greeting {
		return bad("server", "let what stands in between pass requests with an Authorization header", "something between this agent and the server refuses its requests (%v)", plain(f.err))
	}
	var e *berth.Error
	second := berth.ErrorCode(f.err) == berth.Conflict || errors.As(f.err, &e) && e.Field == "link"
	switch code := berth.ErrorCode(f.err); {
	case second:
		return bad("token", "give each computer of the template an agent of its own, or end the other process; if nobody knows of it, berth rotate-key and restart", "another process uses the token of this agent (%v)", plain(f.err))
	case code == berth.Internal && client.Status(f.err) != 0:
		return bad("server", "look into the server's log", "the server does not get on with this agent's requests (%v)", plain(f.err))
	case (code == berth.Unauthenticated || code == berth.Forbidden || code == berth.NotFound) && !blocked(f.err):
		return bad("token", "restart the workspace if it should run", "the server refuses this agent's token (%v)", plain(f.err))
	}
	return good("token", "")
}

func (f facts) checkVersion() (berth.Check, bool) {
	var e *berth.Error
	if errors.As(f.err, &e) && e.Code == berth.Invalid && e.Field == "protocol" {
		return bad("version", "", "%s", e.Message)
	}
	return good("version", "")
}

func (f facts) checkWebsocket() (berth.Check, bool) {
	if f.stage != Linking {
		return none, false
	}
	by := "a proxy in between"
	if f.proxy != nil {
		by = fmt.Sprintf("the proxy %s (%s), or one behind it,", f.proxy.Redacted(), f.proxyVar)
	}
	path := strings.TrimRight(f.target.Path, "/") + "/api/v1/agent/link"
	if blocked(f.err) {
		return bad("websocket", "let it pass Upgrade requests to "+path, "the agent reaches the server by HTTP but %s blocks websockets", by)
	}
	if berth.ErrorCode(f.err) == berth.Unavailable && f.isBerth && !busy(f.err) {
		return bad("websocket", "let what stands in between pass Upgrade requests to "+path, "the agent reaches the server by HTTP but cannot open a websocket (%v)", plain(f.err))
	}
	return none, false
}

// blocked tells whether something that is not Berth answered the request for a
// websocket.
func blocked(err error) bool {
	var answer *tunnel.HandshakeError
	return errors.Is(err, client.ErrForeign) || errors.As(err, &answer)
}

// busy tells whether the server itself said that it cannot serve now.
func busy(err error) bool { return client.Status(err) == http.StatusServiceUnavailable }

// plain is an error without the addresses that net puts in front.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func names(c *x509.Certificate) string {
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return cmp.Or(c.Subject.CommonName, "no name")
	}
	return strings.Join(all[:min(len(all), 5)], ", ")
}

func issuer(c *x509.Certificate) string {
	return cmp.Or(c.Issuer.CommonName, strings.Join(c.Issuer.Organization, " "), "nobody")
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
