package server

import (
	"net"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/apps"
)

func tcp(t *testing.T, address string) net.Addr {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestOriginsOfApps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		access, listen string
		given          apps.Origins
		path, wildcard string
	}{
		{"http://127.0.0.1:7080", "127.0.0.1:7081", apps.Origins{}, "http://localhost:7081", "http://*.apps.localhost:7081"},
		{"http://localhost:7080", "127.0.0.1:7081", apps.Origins{}, "http://127.0.0.1:7081", "http://*.apps.localhost:7081"}, // cookies know no ports
		{"http://localhost:7080", "[::1]:7081", apps.Origins{}, "http://[::1]:7081", "http://*.apps.localhost:7081"},
		{"https://berth.example.com", "127.0.0.1:7081", apps.Origins{Path: "https://a.example.org", Wildcard: "https://*.b.example.org"}, "https://a.example.org", "https://*.b.example.org"},
		{"http://10.0.0.1:7080", "10.0.0.1:7081", apps.Origins{}, "http://10.0.0.1:7081", ""},
	} {
		c.given.Access = c.access
		got := withDefaults(c.given, tcp(t, c.listen))
		if got.Path != c.path || got.Wildcard != c.wildcard || got.Check() != nil {
			t.Errorf("%s, %s: %+v, %v", c.access, c.listen, got, got.Check())
		}
	}
	for given, want := range map[string]string{
		"": "", "*.apps.example.com": "https://*.apps.example.com:8443", "*.apps.example.com:443": "https://*.apps.example.com:443", "http://*.x.example/": "http://*.x.example",
	} {
		if got := wildcardURL(given, "https://berth.example.com:8443"); got != want {
			t.Errorf("--apps-wildcard %s is %s, want %s", given, got, want)
		}
	}
}

func TestPortOfApps(t *testing.T) {
	t.Parallel()
	main, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer main.Close()
	s := &Server{URL: "http://" + main.Addr().String()}
	first, err := s.listenApps(main.Addr())
	if err != nil || first == nil {
		t.Fatalf("on loopback: %v, %v", first, err)
	}
	defer first.Close()
	second, err := s.listenApps(main.Addr()) // the next port is taken now
	if err != nil || second == nil || second.Addr().String() == first.Addr().String() {
		t.Fatalf("where the next port is taken: %v, %v", second, err)
	}
	second.Close()
	s.o.AppsListen = first.Addr().String()
	if _, err := s.listenApps(main.Addr()); err == nil || !strings.Contains(err.Error(), "--apps-listen") {
		t.Errorf("a port that is taken: %v", err)
	}
	s.o.AppsListen = noApps
	if l, err := s.listenApps(main.Addr()); err != nil || l != nil || s.origins.Path != "" || s.origins.Wildcard != "" {
		t.Errorf("off: %v, %v, %+v", l, err, s.origins)
	}
	s.o.AppsListen, s.URL = "", "https://berth.example.com"
	if l, err := s.listenApps(main.Addr()); err != nil || l != nil || s.origins.Path != "" {
		t.Errorf("behind a proxy nothing is guessed: %v, %v, %+v", l, err, s.origins)
	}
	s.o.AppsWildcard = "*.example.com"
	if _, err := s.listenApps(main.Addr()); err == nil {
		t.Error("a wildcard that covers the access URL was taken")
	}
}
