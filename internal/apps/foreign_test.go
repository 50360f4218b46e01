package apps

import (
	"io"
	"net/http"
	"testing"
)

// Pages of other people's apps do not get to use somebody's app as them, though
// all apps are of one site and browsers send the cookies along.
func TestOtherPeoplesPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the app") })
	const hosted, path = "http://" + onHost + "/", "http://apps.example.org" + onPath
	b := h.browser().signIn(hosted).signIn(path)
	for name, c := range map[string]struct {
		method, address string
		header          []string
		want            int
	}{
		"a link":                     {"GET", hosted, []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate"}, 200},
		"the app's own":              {"POST", hosted, []string{"Origin", "http://" + onHost}, 200},
		"its form without referrer":  {"POST", hosted, []string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, 200},
		"the owner's other port":     {"POST", hosted, []string{"Origin", "http://3000--web--ana.apps.example.com", "Sec-Fetch-Site", "same-site"}, 200},
		"the owner's other one":      {"POST", hosted, []string{"Origin", "http://3000--other--ana.apps.example.com"}, 200},
		"eve's app":                  {"POST", hosted, []string{"Origin", "http://evil--web--eve.apps.example.com", "Sec-Fetch-Site", "same-site"}, 401},
		"eve's app, in an old one":   {"POST", hosted, []string{"Origin", "http://evil--web--eve.apps.example.com"}, 401},
		"eve's name in ana's":        {"POST", hosted, []string{"Origin", "http://ana--web--eve.apps.example.com"}, 401},
		"eve's websocket":            {"GET", hosted, []string{"Origin", "http://evil--web--eve.apps.example.com", "Upgrade", "websocket", "Connection", "Upgrade"}, 401},
		"a websocket of nobody's":    {"GET", hosted, []string{"Upgrade", "websocket", "Connection", "Upgrade", "Sec-Fetch-Site", "same-site"}, 401},
		"a sandbox":                  {"POST", hosted, []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, 401},
		"another site":               {"POST", hosted, []string{"Origin", "http://evil.example"}, 401},
		"no app":                     {"POST", hosted, []string{"Origin", "http://apps.example.com"}, 401},
		"another scheme":             {"POST", hosted, []string{"Origin", "https://3000--web--ana.apps.example.com"}, 401},
		"under a path, its own":      {"POST", path, []string{"Origin", "http://apps.example.org"}, 200},
		"under a path, eve's app":    {"POST", path, []string{"Origin", "http://evil--web--eve.apps.example.com"}, 401},
		"a path's page to the other": {"POST", hosted, []string{"Origin", "http://apps.example.org", "Sec-Fetch-Site", "cross-site"}, 401},
	} {
		if res := b.do(c.method, c.address, c.header...); res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, c.want)
		}
	}
}
