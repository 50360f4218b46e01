package apps

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth"
)

// Origins are where apps live. Either may be empty, which turns its kind off.
type Origins struct {
	Access   string // the server's own URL; never an origin of apps
	Wildcard string // https://*.apps.example.com
	Path     string // https://apps.example.org
}

// Check says what is wrong with the origins, naming the settings.
func (o Origins) Check() error {
	access, err := url.Parse(o.Access)
	if err != nil {
		return err
	}
	if o.Wildcard != "" {
		u, err := url.Parse(o.Wildcard)
		if err != nil || !plain(u) || !strings.HasPrefix(u.Host, "*.") || strings.Contains(u.Host[2:], "*") || u.Hostname() == "*." {
			return berth.Errorf(berth.Invalid, "--apps-wildcard %s: give a host whose first part is a star, such as *.apps.example.com", o.Wildcard)
		}
		if _, under := label(strings.ToLower(access.Hostname()), strings.ToLower(u.Hostname())); under { // cookies know no ports
			return berth.Errorf(berth.Invalid, "--apps-wildcard %s covers the access URL %s: choose a wildcard that apps have for themselves", o.Wildcard, o.Access)
		}
	}
	if o.Path == "" {
		return nil
	}
	u, err := url.Parse(o.Path)
	if err != nil || !plain(u) || strings.Contains(u.Host, "*") {
		return berth.Errorf(berth.Invalid, "--apps-url %s: give scheme and host, and a port where it is needed, such as https://apps.example.org", o.Path)
	}
	if hostOf(u) == hostOf(access) {
		return berth.Errorf(berth.Invalid, "--apps-url %s is the access URL: apps must not share the dashboard's origin; choose another host, or another port with --apps-listen", o.Path)
	}
	if o.Wildcard != "" {
		w, _ := url.Parse(o.Wildcard)
		if _, under := label(strings.ToLower(u.Hostname()), strings.ToLower(w.Hostname())); under {
			return berth.Errorf(berth.Invalid, "--apps-url %s is covered by --apps-wildcard %s: choose a host for path apps that it does not cover", o.Path, o.Wildcard)
		}
	}
	return nil
}

func plain(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

// hostOf is a URL's host and port, as its origin compares: in lower case,
// without the scheme's own port.
func hostOf(u *url.URL) string { return normal(u.Host, u.Scheme) }

func normal(host, scheme string) string {
	host = strings.ToLower(host)
	name, port, err := net.SplitHostPort(host)
	if err == nil && (scheme == "http" && port == "80" || scheme == "https" && port == "443") {
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
		host = name
	}
	return strings.TrimSuffix(host, ".")
}

// label is the first label of a host that a wildcard covers.
func label(host, wildcard string) (string, bool) {
	first, ok := strings.CutSuffix(host, strings.TrimPrefix(wildcard, "*"))
	return first, ok && first != "" && !strings.Contains(first, ".")
}

// kind is how an app is reached.
type kind int

const (
	byHost kind = iota + 1
	byPath
)

// place is one origin of apps, as a request names it.
type place struct {
	kind   kind
	scheme string
	host   string // of the request, in lower case, with its port
	label  string // of a wildcard host
}

func (p place) secure() bool { return p.scheme == "https" }

// find tells which origin of ours a host is.
func (o Origins) find(host string) (place, bool) {
	if o.Wildcard != "" {
		w, err := url.Parse(o.Wildcard)
		if err == nil {
			if first, ok := label(normal(host, w.Scheme), hostOf(w)); ok {
				return place{byHost, w.Scheme, normal(host, w.Scheme), first}, true
			}
		}
	}
	if o.Path != "" {
		u, err := url.Parse(o.Path)
		if err == nil && normal(host, u.Scheme) == hostOf(u) {
			return place{byPath, u.Scheme, hostOf(u), ""}, true
		}
	}
	return place{}, false
}

// Serves tells whether a request is for an origin of apps.
func (o Origins) Serves(r *http.Request) bool {
	_, ok := o.find(r.Host)
	return ok
}

// HowToWildcard and HowToPath say how to turn on what is off.
const (
	HowToWildcard = "Apps with a host of their own are off: start the server with --apps-wildcard '*.apps.example.com', a wildcard whose DNS name leads here."
	HowToPath     = "Apps under a path are off: give them an origin of their own with --apps-listen ADDRESS:PORT or --apps-url https://HOST."
)

// HostURL is the URL of an app or port at a host of its own.
func (o Origins) HostURL(ref berth.AppRef) (string, error) {
	if o.Wildcard == "" {
		return "", berth.Errorf(berth.Unavailable, HowToWildcard)
	}
	first, err := FormatLabel(ref)
	if err != nil {
		return "", err
	}
	return strings.Replace(strings.TrimRight(o.Wildcard, "/"), "*", first, 1) + "/", nil
}

// PathURL is the URL of an app under the origin of path apps. Ports have none.
func (o Origins) PathURL(ref berth.AppRef) (string, error) {
	if o.Path == "" {
		return "", berth.Errorf(berth.Unavailable, HowToPath)
	}
	if ref.App == "" {
		return "", berth.Errorf(berth.Unavailable, "Ports have a host of their own only. "+HowToWildcard)
	}
	return strings.TrimRight(o.Path, "/") + FormatPath(ref), nil
}

// PortTemplate is the URL of a workspace's ports with {{port}} in it, as editors
// want it; empty when there is none.
func (o Origins) PortTemplate(ref berth.AppRef) string {
	ref.App, ref.Port, ref.HTTPS = "", 65535, true // the longest
	text, err := o.HostURL(ref)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.Replace(text, "65535s--", "{{port}}--", 1), "/")
}
