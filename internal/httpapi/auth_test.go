package httpapi

import (
	"net/http/httptest"
	"testing"
	"time"
)

// Whose page a request came from, as browsers tell it.
func TestForeignPagesAreRefused(t *testing.T) {
	t.Parallel()
	h := &handlers{Services: Services{AccessURL: "https://berth.test"}, origin: "https://berth.test"}
	for _, c := range []struct {
		what, site, origin, host string
		cookie, signIn           bool // the cookie counts; people may sign in
	}{
		{"our page", "same-origin", "https://berth.test", "berth.test", true, true},
		{"our page in an old browser", "", "https://berth.test", "berth.test", true, true},
		{"a program", "", "", "berth.test", false, true},
		{"typed into the address bar", "none", "", "berth.test", false, true},
		{"another site", "cross-site", "https://evil.test", "berth.test", false, false},
		{"another site in an old browser", "", "https://evil.test", "berth.test", false, false},
		{"a sandboxed frame", "cross-site", "null", "berth.test", false, false},
		{"a workspace's app on a sister host", "same-site", "https://app.berth.test", "berth.test", false, false},
		{"a name that was made to point here", "same-origin", "http://evil.test:7080", "evil.test:7080", true, false},
		{"this machine by another name", "same-origin", "http://localhost:7080", "localhost:7080", true, true},
		{"this machine by its address", "same-origin", "http://127.0.0.1:7080", "127.0.0.1:7080", true, true},
	} {
		r := httptest.NewRequest("POST", "/api/v1/login", nil)
		r.Host = c.host
		r.Header.Set("Sec-Fetch-Site", c.site)
		r.Header.Set("Origin", c.origin)
		if got := h.ownPage(r); got != c.cookie {
			t.Errorf("%s: the cookie counts: %v", c.what, got)
		}
		if got := h.refuseForeignPages(r) == nil; got != c.signIn {
			t.Errorf("%s: may sign in: %v", c.what, got)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	h := &handlers{origin: "https://berth.test"}
	for _, c := range []struct {
		what, header, cookie string
		who                  access
		want                 string
	}{
		{"a token", "Bearer abc", "", person, "abc"},
		{"in lower case", "bearer abc", "", runner, "abc"},
		{"both: the token was meant", "Bearer abc", "def", person, "abc"},
		{"a cookie", "", "def", person, "def"},
		{"an agent has no cookie", "", "def", agent, ""},
		{"a runner has no cookie", "", "def", runner, ""},
		{"nothing", "", "", person, ""},
		{"another scheme", "Basic abc", "", person, ""},
		{"no token", "Bearer ", "", person, ""},
	} {
		r := httptest.NewRequest("GET", "/api/v1/users/me", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		if c.cookie != "" {
			r.Header.Set("Cookie", loginCookie+"="+c.cookie)
		}
		got, err := h.credential(r, c.who)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", c.what, got, err)
		}
	}
}

// A sister host can plant cookies of our names, but not with the prefix.
func TestCookiesOfSisterHosts(t *testing.T) {
	t.Parallel()
	for address, name := range map[string]string{"https://berth.test": "__Host-berth_login", "http://127.0.0.1:7080": "berth_login"} {
		h := &handlers{Services: Services{AccessURL: address}, origin: address}
		baked := h.bakeCookie(attemptCookie, "x", "/login/", time.Now())
		if h.secure() && (baked.Name != "__Host-berth_sign_in_" || baked.Path != "/" || !baked.Secure || baked.Domain != "") || !h.secure() && baked.Path != "/login/" {
			t.Errorf("%s: %v", address, baked)
		}
		for given, want := range map[string]string{name + "=ours": "ours", "berth_login=planted; " + name + "=ours": "ours", "berth_login=planted": "planted"} {
			if h.secure() && want == "planted" {
				want = ""
			}
			if given == "berth_login=planted; berth_login=ours" {
				continue // without TLS there is no telling them apart
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Cookie", given)
			if got := h.cookieOf(r, loginCookie); got != want {
				t.Errorf("%s: %q is %q, want %q", address, given, got, want)
			}
		}
	}
}
