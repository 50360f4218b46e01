package httpapi

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/apps"
	"github.com/berthdev/berth/internal/audit"
	"github.com/berthdev/berth/internal/workspaces"
)

type agentAppsInput struct{ Body api.AgentApps }

func (h *handlers) agentApps(ctx context.Context, in *agentAppsInput) (*struct{}, error) {
	return nil, h.Workspaces.AgentApps(ctx, requestOf(ctx).agent, in.Body.Boot, in.Body.Health)
}

type askTicketInput struct{ Body api.AskTicket }

func (h *handlers) askTicket(ctx context.Context, in *askTicketInput) (*body[api.AppTicket], error) {
	if h.Apps == nil {
		return nil, berth.Errorf(berth.Unavailable, "this server serves no apps. %s %s", apps.HowToPath, apps.HowToWildcard)
	}
	req := requestOf(ctx)
	opened, err := h.Apps.Ticket(ctx, apps.Visitor{User: req.user.ID, Login: req.token.ID}, in.Body.To, in.Body.Nonce)
	if err == nil && in.Body.Nonce != "" && opened.Status == berth.StatusRunning {
		h.Audit.Connections().Note(ctx, audit.Connection{Actor: req.user.ID, Workspace: opened.Workspace, Through: "app " + opened.Title})
	}
	return answered(api.AppTicket{
		URL: opened.URL, Workspace: opened.WorkspaceName, WorkspaceID: string(opened.Workspace),
		Status: string(opened.Status), Reason: opened.Reason, Connected: opened.Connected, MayStart: opened.MayStart,
	}, err)
}

func (h *handlers) listApps(ctx context.Context, in *WorkspaceInput) (*body[api.Page[api.WorkspaceApp]], error) {
	shared, err := h.Workspaces.SharedOf(ctx, actorOf(ctx), in.id())
	if err != nil {
		return nil, err
	}
	o := h.origins()
	items := []api.WorkspaceApp{}
	for _, a := range shared.Agents {
		for _, app := range a.Apps {
			items = append(items, viewApp(o, shared, a, app))
		}
	}
	for _, p := range shared.Ports {
		v := viewPort(o, shared, p.Agent, berth.Port{Port: p.Port})
		items = append(items, api.WorkspaceApp{Agent: p.Agent, Port: p.Port, Name: "port " + formatInt(p.Port), Kind: "port", URL: v.URL, Note: v.Note, Share: v.Share})
	}
	return answered(api.Page[api.WorkspaceApp]{Items: items}, nil)
}

func (h *handlers) origins() apps.Origins {
	if h.Apps == nil {
		return apps.Origins{Access: h.AccessURL}
	}
	return h.Apps.Origins()
}

func ref(s workspaces.Shared, agent string) berth.AppRef {
	r := berth.AppRef{Owner: s.Owner, Workspace: s.Workspace.Name, Agent: agent}
	if s.Only {
		r.Agent = ""
	}
	return r
}

func viewApp(o apps.Origins, s workspaces.Shared, a berth.Agent, app berth.App) api.WorkspaceApp {
	v := api.WorkspaceApp{
		Agent: a.Name, Slug: app.Slug, Name: app.DisplayName, Icon: app.Icon, Kind: "web", Command: app.Command,
		Share: string(s.AppLevel(app)), Health: a.AppHealth[app.ID], Group: app.Group, Hidden: app.Hidden, OpenIn: app.OpenIn, Tooltip: app.Tooltip,
	}
	if v.Name == "" {
		v.Name = app.Slug
	}
	switch {
	case app.External:
		v.Kind, v.URL = "external", app.URL
		return v
	case app.Command != "":
		v.Kind, v.Note = "command", "Runs in the web terminal."
		v.URL = o.Access + "/@" + s.Owner + "/" + s.Workspace.Name + "." + a.Name + "/terminal?" + url.Values{"command": {app.Command}}.Encode()
		return v
	}
	r := ref(s, a.Name)
	r.App = app.Slug
	byHost, hostErr := o.HostURL(r)
	byPath, pathErr := o.PathURL(r)
	share := berth.Share(v.Share)
	switch {
	case hostErr == nil && (app.Subdomain || share != berth.ShareOwner || pathErr != nil):
		v.URL = byHost
	case pathErr == nil && !app.Subdomain:
		if v.URL = byPath; share != berth.ShareOwner {
			v.Note = "Only the owner can open it under a path. " + berth.ErrorMessage(hostErr)
		}
	case pathErr == nil:
		v.URL, v.Note = byPath, "The template wants a host of its own for it. "+berth.ErrorMessage(hostErr)
	case app.Subdomain:
		v.Note = berth.ErrorMessage(hostErr)
	default:
		v.Note = berth.ErrorMessage(pathErr)
	}
	return v
}

type openAppInput struct {
	AgentInput
	App string `path:"app" doc:"Slug of an external app"`
}

// externalLife is how long the token of an external app's address is good: long
// enough for a day's work of an IDE on the person's computer.
const externalLife = 12 * time.Hour

// openApp makes a token where the address of an external app has a place for
// one. It is a POST of its own, and never part of a list, since each makes one.
func (h *handlers) openApp(ctx context.Context, in *openAppInput) (*body[api.OpenApp], error) {
	a, err := h.Workspaces.ResolveAgent(ctx, actorOf(ctx), in.id(), in.Agent)
	if err != nil {
		return nil, err
	}
	for _, app := range a.Apps {
		if !strings.EqualFold(app.Slug, in.App) {
			continue
		}
		if !app.External {
			return nil, berth.InvalidField("app", "%s is not an external app: open its address in a browser", app.Slug)
		}
		out := api.OpenApp{URL: app.URL}
		if err := safeScheme(app.URL); err != nil {
			return nil, err
		}
		if strings.Contains(app.URL, tokenPlace) {
			if err := h.mayCarryToken(ctx, in); err != nil {
				return nil, err
			}
			name := "app-" + strings.ToLower(app.Slug)
			if len(name) > 20 {
				name = strings.TrimRight(name[:20], "-")
			}
			secret, _, err := h.Accounts.CreateToken(ctx, actorOf(ctx), accounts.NewToken{Name: name + "-" + randomName(), Lifetime: externalLife})
			if err != nil {
				return nil, err
			}
			out.URL = strings.ReplaceAll(app.URL, tokenPlace, url.QueryEscape(secret))
		}
		return answered(out, nil)
	}
	return nil, berth.Errorf(berth.NotFound, "there is no app %s in this workspace", in.App)
}

// mayCarryToken lets the owner of a workspace alone send a token of theirs to an
// address of it: what the address is depends on answers that the owner gave.
func (h *handlers) mayCarryToken(ctx context.Context, in *openAppInput) error {
	actor := actorOf(ctx)
	v, err := h.Workspaces.Get(ctx, actor, in.id())
	if err == nil && v.Workspace.OwnerID != actor.UserID {
		return berth.Errorf(berth.Forbidden, "opening %s would send a token of yours to an address that the owner of the workspace chose: only they open it", in.App)
	}
	return err
}

// tokenPlace stands for a token in the address of an external app.
const tokenPlace = "$SESSION_TOKEN"

// safeScheme refuses addresses that a browser would run, and to hand a token
// to a web site.
func safeScheme(address string) error {
	u, err := url.Parse(strings.ReplaceAll(address, tokenPlace, "x"))
	if err != nil || u.Scheme == "" {
		return berth.Errorf(berth.Invalid, "the template gives this app an address that is none: %q", address)
	}
	switch strings.ToLower(u.Scheme) {
	case "javascript", "data", "vbscript", "blob", "about":
		return berth.Errorf(berth.Forbidden, "the template gives this app an address that would run in your browser (%s:): it is not opened", u.Scheme)
	case "http", "https", "ftp":
		if strings.Contains(address, tokenPlace) {
			return berth.Errorf(berth.Forbidden, "the template would send a token of yours to %s: it is not opened", u.Host)
		}
	}
	return nil
}
