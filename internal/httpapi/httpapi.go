package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/apps"
	"github.com/berthdev/berth/internal/audit"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/bundle"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/links"
	"github.com/berthdev/berth/internal/loop"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/signin"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// Services are what the handlers stand in front of. All are needed.
type Services struct {
	Accounts      *accounts.Service
	Organizations *organizations.Service
	Quota         *quota.Service
	Credentials   *credentials.Service
	Providers     *providers.Service
	Templates     *templates.Service
	Workspaces    *workspaces.Service
	Activity      *activity.Book
	Schedules     *schedules.Service
	Notices       *notices.Service
	SignIn        *signin.Service
	Audit         *audit.Service
	Queue         *builds.Queue
	Relay         *links.Relay
	Loops         []*loop.Loop
	Apps          *apps.Proxy // nil: this server serves no apps

	// PasswordOwnersOnly: nobody but owners of the site signs in by password.
	PasswordOwnersOnly bool

	// Ready tells whether the database answers.
	Ready func(ctx context.Context) error
	// Beat is how often a runner beats the lease of a build.
	Beat time.Duration
	// Stopping is closed when the server wants to end: answers that last long
	// end too, and their clients come back.
	Stopping <-chan struct{}
	Proxies  Proxies // in front, whose word counts of where requests come from

	Bundle    *bundle.Bundle
	Dashboard http.Handler
	AccessURL string        // where people and workspaces reach the server, without a slash at the end
	Banner    func() string // what terminals in workspaces begin with; nil: nothing
	Database  string        // engine, to show
	Log       *slog.Logger
}

type handlers struct {
	Services
	origin string // of AccessURL, as browsers name it
	feeds  feeds  // of watched metadata
	doors  *doorkeeper
}

// New makes the handler of everything that the server answers.
func New(s Services) http.Handler {
	h := &handlers{Services: s, origin: originOf(s.AccessURL)}
	h.feeds.call = s.Relay.Call
	h.doors = &doorkeeper{refused: s.Workspaces.Refused, watches: s.Workspaces.WatchAdmission, log: s.Log, every: lookAtAdmissions}
	mux := http.NewServeMux()
	spec := h.mount(mux)
	mountSpec(mux, spec)
	h.mountExternal(mux)
	h.mountSignIn(mux)
	h.mountCompatible(mux)
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("GET /bin/{name}", h.binary)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, berth.Errorf(berth.NotFound, "there is no %s %s; %s%s/docs lists what there is", r.Method, r.URL.Path, s.AccessURL, api.Prefix))
	})
	if s.Apps != nil {
		mux.Handle("/apps/", apps.Pages())
	}
	mux.Handle("/", s.Dashboard)
	return outermost(s.Log, s.Proxies, h.refusals(mux))
}

// mount registers every operation and gives the document that describes them.
func (h *handlers) mount(mux *http.ServeMux) *huma.OpenAPI {
	target := humago.NewWithPrefix(mux, api.Prefix, humaConfig())
	for _, o := range operations {
		o.register(h, target, mux)
	}
	return target.OpenAPI()
}

// humaConfig is huma without its extras: no links to schemas in the answers,
// no pages that load from elsewhere, JSON alone.
func humaConfig() huma.Config {
	c := huma.DefaultConfig("Berth", "v1")
	c.CreateHooks = nil
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Info.Description = "The API of Berth, a platform for developer workspaces. Every error is a Problem."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Components.SecuritySchemes = securitySchemes
	return c
}

// Spec is the OpenAPI document of the API, as it is checked in beside package
// api: indented JSON with a line end.
func Spec() ([]byte, error) {
	h := &handlers{}
	return specJSON(h.mount(http.NewServeMux()))
}
