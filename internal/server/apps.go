package server

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/apps"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/workspaces"
)

// noApps as --apps-listen turns the default off.
const noApps = "off"

// listenApps opens the port that is for apps alone, where there is one, and
// settles where apps live. A server that listens on loopback has one by itself:
// the next port, or any other where that is taken.
func (s *Server) listenApps(main net.Addr) (l net.Listener, err error) {
	switch given := s.o.AppsListen; {
	case given == noApps:
	case given != "":
		if l, err = net.Listen("tcp", given); err != nil {
			return nil, appsListenProblem(given, err)
		}
	case s.o.Listener == nil && onLoopback(main) && loopbackURL(s.URL):
		host, port, _ := net.SplitHostPort(main.String())
		n, _ := strconv.Atoi(port)
		if l, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(n+1))); err != nil {
			if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
				return nil, appsListenProblem(host, err)
			}
		}
	}
	s.origins = apps.Origins{Access: s.URL, Path: s.o.AppsURL, Wildcard: wildcardURL(s.o.AppsWildcard, s.URL)}
	if l != nil {
		s.origins = withDefaults(s.origins, l.Addr())
	}
	if err := s.origins.Check(); err != nil {
		if l != nil {
			l.Close()
		}
		return nil, err
	}
	return l, nil
}

// wildcardURL gives a wildcard that is a bare host the scheme and port of the
// access URL.
func wildcardURL(given, access string) string {
	if given == "" || strings.Contains(given, "://") {
		return strings.TrimRight(given, "/")
	}
	u, err := url.Parse(access)
	if err != nil {
		return given
	}
	if port := u.Port(); port != "" && !strings.Contains(given, ":") {
		given += ":" + port
	}
	return u.Scheme + "://" + given
}

// withDefaults gives apps that have a port for themselves their origins on it.
// On loopback browsers find every name under localhost by themselves, and path
// apps get the other name of loopback than the dashboard: cookies know no
// ports.
func withDefaults(o apps.Origins, addr net.Addr) apps.Origins {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return o
	}
	if !onLoopback(addr) {
		if o.Path == "" {
			o.Path = accessURL(addr)
		}
		return o
	}
	if o.Wildcard == "" {
		o.Wildcard = "http://*.apps.localhost:" + port
	}
	if o.Path == "" {
		if u, err := url.Parse(o.Access); err != nil || u.Hostname() != "localhost" {
			host = "localhost"
		}
		o.Path = "http://" + net.JoinHostPort(host, port)
	}
	return o
}

func onLoopback(addr net.Addr) bool {
	host, _, err := net.SplitHostPort(addr.String())
	return err == nil && net.ParseIP(host).IsLoopback()
}

func loopbackURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

func appsListenProblem(address string, err error) error {
	return &berth.Error{Code: berth.ErrorCode(listenProblem(address, err)), Err: err,
		Message: strings.ReplaceAll(berth.ErrorMessage(listenProblem(address, err)), "--listen", "--apps-listen")}
}

// newApps makes the proxy of apps; nil where they have no origin.
func (s *Server) newApps(p *parts, keys *seal.Keys) *apps.Proxy {
	if s.origins.Path == "" && s.origins.Wildcard == "" {
		return nil
	}
	s.log.Info("apps are served", "path", s.origins.Path, "wildcard", s.origins.Wildcard)
	return apps.New(apps.Options{
		Origins: s.origins, Open: p.openApp, Keys: accounts.NewSigner(p.db, keys, "apps"), Notes: p.activity, Log: s.log,
		Watch: func(v apps.Visitor, w berth.WorkspaceID) (<-chan struct{}, func()) {
			return p.workspaces.WatchAdmission(workspaces.Admission{User: v.User, Login: v.Login, Workspace: w})
		},
		Dial: func(ctx context.Context, agent berth.AgentID, actor, kind string) (net.Conn, error) {
			stream, err := p.relay.Dial(ctx, agent, actor, kind)
			if err != nil {
				return nil, err
			}
			return stream, nil
		},
	})
}

// openApp says what an address of an app leads to.
func (p *parts) openApp(ctx context.Context, v apps.Visitor, ref berth.AppRef, onPath bool) (apps.Door, error) {
	o, err := p.workspaces.OpenApp(ctx, v.User, v.Login, ref, onPath)
	if err != nil {
		return apps.Door{}, err
	}
	door := apps.Door{
		Workspace: o.Workspace.ID, WorkspaceName: o.Owner + "/" + o.Workspace.Name, Status: o.Status, Reason: o.Reason,
		MayStart: o.MayStart, Agent: o.Agent.ID, Connected: o.Agent.ID != "" && o.Agent.Status(time.Now()) == berth.AgentConnected,
		Level: o.Level, Title: "Port " + strconv.Itoa(ref.Port),
	}
	if ref.App == "" {
		door.Upstream = &url.URL{Scheme: "http", Host: "localhost:" + strconv.Itoa(ref.Port)}
		if ref.HTTPS || o.HTTPS {
			door.Upstream.Scheme = "https"
		}
		return door, nil
	}
	if door.Title = o.App.DisplayName; door.Title == "" {
		door.Title = ref.App
	}
	door.Health = o.Agent.AppHealth[o.App.ID]
	switch {
	case o.App.External:
		door.External = o.App.URL
	case o.App.Command != "":
		door.Command = o.App.Command
	case o.App.URL != "":
		if door.Upstream, err = url.Parse(o.App.URL); err != nil {
			door.Upstream = &url.URL{} // what no URL is cannot be opened, and is said so
		}
	}
	return door, nil
}

// besides gives requests on the origins of apps to them, and the others to the
// API, for a server behind one port.
func besides(proxy *apps.Proxy, api http.Handler) http.Handler {
	if proxy == nil {
		return api
	}
	origins := proxy.Origins()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origins.Serves(r) {
			proxy.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}
