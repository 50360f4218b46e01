package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/berthdev/berth"
)

// access says who may call an operation.
type access string

const (
	public access = "public" // everybody
	person access = "person" // a user, by token or login cookie
	agent  access = "agent"  // the agent of a workspace, by its token
	// anyAgent is an agent that need not be allowed anything: its token is known.
	anyAgent access = "any agent"
	runner   access = "runner" // a runner, by its provider's token
)

// caller is the kind of caller that an access wants.
func (a access) caller() access {
	if a == anyAgent {
		return agent
	}
	return a
}

// authenticated is huma's middleware for operations of kind a.
func (h *handlers) authenticated(a access, d *deed) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if a == person || a == public {
			d.intends(r)
		}
		if err := h.authenticate(r, a); err != nil {
			writeProblem(w, r, err)
			return
		}
		next(huma.WithContext(ctx, requestOf(ctx.Context()).recorded(ctx.Context())))
	}
}

// guarded is the same for handlers beside huma.
func (h *handlers) guarded(a access, f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h.authenticate(r, a)
		if err == nil {
			err = f(w, r.WithContext(requestOf(r.Context()).recorded(r.Context())))
		}
		if err != nil {
			writeProblem(w, r, err)
		}
	}
}

// authenticate finds out who calls and keeps it in the request. Each kind of
// caller has tokens of its own, kept apart; none is taken for another.
func (h *handlers) authenticate(r *http.Request, a access) error {
	req := requestOf(r.Context())
	if a == public {
		return h.refuseForeignPages(r)
	}
	token, err := h.credential(r, a)
	if err != nil {
		return err
	}
	req.bearer = token
	req.again = func(ctx context.Context) error { return h.recognize(ctx, req, a, token) }
	return req.again(r.Context())
}

func (h *handlers) recognize(ctx context.Context, req *request, a access, token string) (err error) {
	switch a {
	case person:
		req.actor, req.user, req.token, err = h.Accounts.Authenticate(ctx, token)
		req.who = "user " + req.user.Username
	case agent, anyAgent:
		find := h.Workspaces.AgentByToken
		if a == anyAgent {
			find = h.Workspaces.AnyAgent
		}
		req.agent, err = find(ctx, token)
		req.who = "agent " + string(req.agent.Agent.ID)
	case runner:
		req.provider, err = h.Providers.Authenticate(ctx, token)
		req.who = "provider " + req.provider.Name
	default:
		err = berth.Errorf(berth.Internal, "operation without a declared access")
	}
	if err != nil {
		req.who = ""
	}
	return err
}

// credential is the token that a request carries. Only people have cookies.
func (h *handlers) credential(r *http.Request, a access) (string, error) {
	if given := r.Header.Get("Authorization"); given != "" {
		scheme, token, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return "", berth.Errorf(berth.Unauthenticated, "send a token as Authorization: Bearer TOKEN")
		}
		return token, nil
	}
	login := h.cookieOf(r, loginCookie)
	if login == "" || a != person {
		return "", berth.Errorf(berth.Unauthenticated, "sign in first: berth login URL")
	}
	if !h.ownPage(r) {
		return "", berth.Errorf(berth.Unauthenticated,
			"the login cookie counts only in requests of Berth's own pages; programs send Authorization: Bearer TOKEN")
	}
	return login, nil
}

// ownPage tells whether a page of this server made the request: the browser
// says so, or the origin that it names is ours. Websockets come with an origin
// always, and from some browsers with nothing else.
func (h *handlers) ownPage(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	return origin != "" && (origin == h.origin || loopbackOrigin(origin, r.Host))
}

// refuseForeignPages keeps a page of somebody else from using a visitor's
// browser to sign in, or to make the first user of a server that only the
// visitor reaches. Programs name no origin.
func (h *handlers) refuseForeignPages(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	origin := r.Header.Get("Origin")
	site := r.Header.Get("Sec-Fetch-Site")
	foreign := site != "" && site != "same-origin" && site != "none"
	if !foreign && (origin == "" || origin == h.origin || loopbackOrigin(origin, r.Host)) {
		return nil
	}
	return berth.Errorf(berth.Forbidden, "this request came from a page of another site; open %s instead", h.AccessURL)
}

// loopbackOrigin tells whether origin is r's own host by a loopback name. Other
// names are not taken: one that somebody else controls may point here.
func loopbackOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host != host {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// originOf is the origin that browsers name for pages of a URL.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
