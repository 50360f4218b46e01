package httpapi

import (
	"net/http"
	"strings"
	"time"
)

// The cookies of this server's pages. What lives on a sister host, apps of
// workspaces for example, could set one of the same name for both: a browser that
// somebody else signed in would do the rest. Over https the names have a prefix
// that browsers take from this host alone (RFC 6265bis, section 4.1.3.2).
const (
	loginCookie   = "berth_login"     // the token of a browser's login
	nonceCookie   = "berth_external_" // binds an external sign-in to the browser that began it; one for each provider
	attemptCookie = "berth_sign_in_"  // the same for signing in here; one for each attempt
	hostPrefix    = "__Host-"
)

func (h *handlers) secure() bool { return strings.HasPrefix(h.AccessURL, "https://") }

// cookieName is a cookie's name as browsers know it.
func (h *handlers) cookieName(name string) string {
	if h.secure() {
		return hostPrefix + name
	}
	return name
}

// bakeCookie makes a cookie for a path. Scripts cannot read it, other sites'
// requests do not carry it but where they only lead here, which redirects of
// providers do, and over https it never travels in the clear.
func (h *handlers) bakeCookie(name, value, path string, expires time.Time) *http.Cookie {
	if h.secure() {
		path = "/" // the prefix wants it
	}
	return &http.Cookie{Name: h.cookieName(name), Value: value, Path: path, Expires: expires,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.secure()}
}

// cookieOf is the value of a cookie; empty without one.
func (h *handlers) cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(h.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}
