package apps

import (
	"net"
	"net/http"
	"strings"
)

// loginPrefix begins the text of every token of a person.
const loginPrefix = "berth_"

// tokenHeaders are names under which programs send tokens of ours.
var tokenHeaders = []string{"Coder-Session-Token", "Berth-Session-Token"}

// hideLogin takes everything out of a request's headers that could sign
// somebody in with Berth.
func hideLogin(h http.Header) {
	if cookies := withoutOurs(h["Cookie"]); len(cookies) > 0 {
		h["Cookie"] = cookies
	} else {
		h.Del("Cookie")
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		for _, value := range h[name] {
			if _, text, _ := strings.Cut(value, " "); strings.HasPrefix(strings.TrimSpace(text), loginPrefix) || strings.HasPrefix(value, loginPrefix) {
				h.Del(name)
			}
		}
	}
	for _, name := range tokenHeaders {
		h.Del(name)
	}
}

// hideTicket takes the ticket out of a raw query.
func hideTicket(query string) string {
	var left []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if part != "" && !strings.EqualFold(name, ticketParameter) {
			left = append(left, part)
		}
	}
	return strings.Join(left, "&")
}

// bound takes out of an app's answer what would reach beyond the app: Berth's
// cookies, other hosts' cookies, and orders to the browser about the whole host
// or site.
func bound(h http.Header, k kind) {
	if cookies := settable(h["Set-Cookie"]); len(cookies) > 0 {
		h["Set-Cookie"] = cookies
	} else {
		h.Del("Set-Cookie")
	}
	h.Del("Clear-Site-Data")
	h.Del("Strict-Transport-Security")
	h.Del("Alt-Svc")
	if k == byPath {
		h.Del("Service-Worker-Allowed")
	}
}

// forwarded tells the app who asked, by which name. What a proxy in front of us
// on this computer says of the browser is believed.
func forwarded(out, in *http.Request, p place, prefix string) {
	from, _, err := net.SplitHostPort(in.RemoteAddr)
	if err == nil {
		if before := in.Header.Get("X-Forwarded-For"); before != "" && net.ParseIP(from).IsLoopback() {
			from = before + ", " + from
		}
		out.Header.Set("X-Forwarded-For", from)
	}
	out.Header.Set("X-Forwarded-Host", in.Host)
	out.Header.Set("X-Forwarded-Proto", p.scheme)
	if prefix != "" {
		out.Header.Set("X-Forwarded-Prefix", prefix)
	} else {
		out.Header.Del("X-Forwarded-Prefix")
	}
}
