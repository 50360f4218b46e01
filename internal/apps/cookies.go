package apps

import (
	"net/http"
	"strings"
	"time"
)

// ours begins the name of every cookie of Berth. No app sees one, and none can
// set one.
const ours = "berth_"

// hostPrefix makes browsers refuse the cookie of that name from anybody but the
// host itself. They know it over TLS only.
const hostPrefix = "__Host-"

// isOurs tells whether a cookie's name is one of Berth's.
func isOurs(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	return strings.HasPrefix(strings.TrimPrefix(name, strings.ToLower(hostPrefix)), ours) ||
		strings.HasPrefix(strings.TrimPrefix(name, "__secure-"), ours)
}

// nonceName holds what binds a ticket to the browser that asked for it;
// sessionName the session for one app.
func nonceName(p place) string { return named(p, "nonce") }

func sessionName(p place, app string) string { return named(p, "app_"+hashText(app)[:10]) }

func named(p place, what string) string {
	if p.secure() {
		return hostPrefix + ours + what
	}
	return ours + what
}

// cookie is one of ours for this host alone, out of reach of scripts. A life of
// 0 removes it.
func cookie(p place, name, value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: p.secure(), SameSite: http.SameSiteLaxMode,
	}
	if life == 0 {
		c.MaxAge = -1
	}
	return c
}

// values are all values that a request has for a cookie: a sibling host may
// have put one of the same name beside ours.
func values(r *http.Request, name string) (list []string) {
	for _, c := range r.CookiesNamed(name) {
		list = append(list, c.Value)
	}
	return list
}

// withoutOurs takes Berth's cookies out of a Cookie header. The others stay as
// they are, byte by byte.
func withoutOurs(header []string) []string {
	var kept []string
	for _, line := range header {
		var left []string
		for part := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(part, "=")
			if !isOurs(name) && strings.TrimSpace(part) != "" {
				left = append(left, strings.TrimSpace(part))
			}
		}
		if len(left) > 0 {
			kept = append(kept, strings.Join(left, "; "))
		}
	}
	return kept
}

// settable takes out of Set-Cookie headers what an app may not set: cookies of
// Berth's names, and the reach beyond its own host.
func settable(header []string) []string {
	var kept []string
	for _, line := range header {
		parts := strings.Split(line, ";")
		name, _, _ := strings.Cut(parts[0], "=")
		if isOurs(name) || strings.ContainsAny(name, "\x00\r\n\t") {
			continue
		}
		left := parts[:1]
		for _, attribute := range parts[1:] {
			if key, _, _ := strings.Cut(strings.TrimSpace(attribute), "="); !strings.EqualFold(strings.TrimSpace(key), "domain") {
				left = append(left, attribute)
			}
		}
		kept = append(kept, strings.Join(left, ";"))
	}
	return kept
}
