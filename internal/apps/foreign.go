package apps

import (
	"net/http"
	"net/url"
	"strings"
)

// foreign tells whether a page that is neither the app's own nor one of its
// owner's other apps makes the request. All apps are of one site to browsers,
// so that their cookies come along from each other's pages; without this,
// somebody's app could use another person's, as that person, when they visit it.
// Following a link is no such request.
func (p *Proxy) foreign(r *http.Request, a asked) bool {
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		// Of pages that only load something from here browsers name no origin. They
		// say what is loaded, but not for whom: the browser keeps it from scripts.
		return r.Header.Get("Upgrade") != "" && fromElsewhere(r)
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return true // "null" among them: a page that has no origin may be anybody's
	}
	if u.Scheme == a.scheme && normal(u.Host, u.Scheme) == a.host {
		return false
	}
	other, ok := p.o.Origins.parse(u.Host, "/")
	return !ok || other.kind != byHost || u.Scheme != other.scheme || !strings.EqualFold(other.ref.Owner, a.ref.Owner)
}

// fromElsewhere tells whether the browser says that a page of another origin
// makes a request.
func fromElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "same-site" || site == "cross-site"
}
