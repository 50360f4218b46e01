package httpapi

import (
	"net/http"
	"testing"
)

func TestWhereRequestsComeFrom(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies("10.0.0.0/8, 127.0.0.1,fd00::/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"nonsense", "10.0.0.0/99", "10.0.0.1:80"} {
		if _, err := ParseProxies(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, c := range []struct {
		name, peer, want string
		headers          []string
	}{
		{"no proxy, and a header that somebody made up", "192.0.2.1:9", "192.0.2.1:9", []string{"198.51.100.7"}},
		{"a proxy", "10.1.2.3:9", "198.51.100.7", []string{"198.51.100.7"}},
		{"what the client said before counts for nothing", "10.1.2.3:9", "198.51.100.7", []string{"127.0.0.1, 203.0.113.9, 198.51.100.7"}},
		{"several proxies, several headers", "127.0.0.1:9", "198.51.100.7", []string{"203.0.113.9,198.51.100.7", "10.0.0.2"}},
		{"nothing said", "10.1.2.3:9", "10.1.2.3", nil},
		{"nonsense said", "10.1.2.3:9", "10.1.2.3", []string{"198.51.100.7, unknown"}},
		{"within the network alone", "10.1.2.3:9", "10.9.9.9", []string{"10.9.9.9"}},
		{"the newer protocol", "[fd00::1]:9", "2001:db8::1", []string{"2001:db8::1"}},
		{"an old address in a new one", "[::ffff:10.1.2.3]:9", "198.51.100.7", []string{"::ffff:198.51.100.7"}},
		{"within the process", "", "", []string{"198.51.100.7"}},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.headers}}
		if got := proxies.remote(r); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	r := &http.Request{RemoteAddr: "127.0.0.1:9", Header: http.Header{"X-Forwarded-For": {"198.51.100.7"}}}
	if got := (Proxies)(nil).remote(r); got != "127.0.0.1:9" {
		t.Errorf("without trusted proxies: %q", got)
	}
}
