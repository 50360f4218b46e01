package client

import (
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// Client calls one server as one caller.
type Client struct {
	base    *url.URL // without a slash at the end
	token   string
	http    *http.Client
	agent   string
	retry   time.Duration
	rewatch time.Duration
	onRetry func(error)
}

// Option changes how a Client works.
type Option func(*Client)

// WithTransport makes the client send its requests through rt.
func WithTransport(rt http.RoundTripper) Option { return func(c *Client) { c.http.Transport = rt } }

// WithProgram names the calling program and its version in the User-Agent.
func WithProgram(name, version string) Option {
	return func(c *Client) { c.agent = userAgent(name, version) }
}

// WithRetry bounds for how long a read is repeated while the server cannot be
// reached or says that it is not ready; 0 turns that off. The default is 2 s.
func WithRetry(total time.Duration) Option { return func(c *Client) { c.retry = total } }

// WithRewatch bounds for how long a watch tries to go on after its connection
// broke. The default is 5 min.
func WithRewatch(total time.Duration) Option { return func(c *Client) { c.rewatch = total } }

// OnRetry has f called with the cause before a read is repeated and before a
// watch connects again.
func OnRetry(f func(error)) Option { return func(c *Client) { c.onRetry = f } }

// New makes a client of the server at rawURL, for example
// https://berth.example.com. The token may be empty: some calls need none.
func New(rawURL, token string, opts ...Option) (*Client, error) {
	base, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base:    base,
		token:   token,
		agent:   userAgent("berth", "dev"),
		retry:   2 * time.Second,
		rewatch: 5 * time.Minute,
		onRetry: func(error) {},
		http: &http.Client{
			Transport: newTransport(),
			// A redirected POST would arrive as a GET, and a token might
			// follow to another host: see redirected.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for _, o := range opts {
		o(c)
	}
	return c, nil
}

// NewInProcess makes a client that calls h without a network.
func NewInProcess(h http.Handler, token string, opts ...Option) *Client {
	c, err := New("http://in-process", token, append([]Option{WithTransport(InProcess(h))}, opts...)...)
	if err != nil {
		panic(err) // the URL above is valid
	}
	return c
}

// URL is the address of the server, without a slash at the end.
func (c *Client) URL() string { return c.base.String() }

// Close ends connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, berth.InvalidField("url", "%q is not the address of a server: give it like https://berth.example.com", raw)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, berth.InvalidField("url", "the address of a server has no user, query or fragment: give it like https://berth.example.com")
	}
	return u, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 90 * time.Second, // the longest poll is 30 s
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   8,
		ForceAttemptHTTP2:     true,
	}
}

func userAgent(program, version string) string {
	return program + "/" + version + " (" + runtime.GOOS + "/" + runtime.GOARCH + ")"
}
