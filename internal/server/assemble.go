package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/dashboard"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/apps"
	"github.com/berthdev/berth/internal/audit"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/bundle"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/httpapi"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/links"
	"github.com/berthdev/berth/internal/loop"
	"github.com/berthdev/berth/internal/machines"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/plugin"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/runner"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/signin"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// beat is how often runners beat the leases of their builds.
const beat = 10 * time.Second

// parts is everything that a server is made of.
type parts struct {
	db          *store.DB
	accounts    *accounts.Service
	tenants     *organizations.Service
	credentials *credentials.Service
	signIn      *signin.Service
	identities  *identities
	providers   *providers.Service
	templates   *templates.Service
	workspaces  *workspaces.Service
	queue       *builds.Queue
	relay       *links.Relay
	activity    *activity.Book
	schedules   *schedules.Service
	notices     *notices.Service
	audit       *audit.Service
	apps        *apps.Proxy // nil where they have no origin
	handler     http.Handler
	runner      *runner.Runner // nil without one
	loops       []*loop.Loop
	replica     string // id of this server among those on its database
}

func (s *Server) assemble(ctx context.Context) (_ *parts, err error) {
	keys, err := seal.Load(s.data.keys())
	if err != nil {
		return nil, err
	}
	p := &parts{replica: string(berth.NewID[Server]())}
	if p.db, err = store.Open(ctx, s.o.databaseURL()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.db.Close()
		}
	}()
	if p.notices, err = notices.New(p.db, s.o.notices(s.URL, s.log)); err != nil {
		return nil, err
	}
	p.queue = builds.New(p.db, keys, builds.Kinds{}, builds.Options{Beat: beat})
	var ways []*signin.Provider
	if s.o.SignIn != "" {
		if ways, err = signin.LoadProviders(s.o.SignIn); err != nil {
			return nil, err
		}
	}
	p.accounts = accounts.NewWith(p.db, accounts.Options{
		MinPasswordLength: s.o.MinPasswordLength, MaxTokenLifetime: s.o.MaxTokenLifetime, PasswordOwnersOnly: s.o.DisablePassword, Teller: p.notices,
		SignIns: func(how berth.SignIn) bool { return signin.Offers(ways, how) },
	})
	proxies, err := httpapi.ParseProxies(s.o.TrustedProxies)
	if err != nil {
		return nil, err
	}
	p.tenants = organizations.New(p.db)
	p.providers = providers.New(p.db)
	p.templates = templates.New(p.db, keys, p.queue)
	p.templates.SetTeller(p.notices)
	p.activity = activity.New(p.db, activity.Options{Agent: p.askAgent, MaxHold: s.o.MaxHold, Log: s.log})
	p.audit = audit.New(p.db, audit.Options{Keep: s.o.AuditRetention, KeepConnections: s.o.ConnectionRetention, Log: s.log})
	var external []*credentials.Provider
	if s.o.ExternalAuth != "" {
		if external, err = credentials.LoadProviders(s.o.ExternalAuth); err != nil {
			return nil, err
		}
	}
	p.signIn = signin.New(p.db, keys, signin.Options{AccessURL: s.URL, Providers: ways, Accounts: p.accounts, Log: s.log})
	p.credentials = credentials.New(p.db, keys, credentials.Options{AccessURL: s.URL, Providers: external, Log: s.log})
	clouds, err := machines.Load(s.o.InstanceCerts)
	if err != nil {
		return nil, fmt.Errorf("--instance-certificates: %w", err)
	}
	p.workspaces = workspaces.New(p.db, keys, p.queue, p.accounts, p.templates, p.providers, workspaces.Options{
		AccessURL: s.URL, HostProcesses: s.o.AllowHostProcesses, Machines: clouds, Credentials: p.credentials, SignIns: p.signIn, Recent: p.activity.Recent, Pressed: p.notices.Pressed,
	})
	p.schedules = schedules.New(p.db, p.workspaces, p.notices, schedules.Options{Ask: p.activity.Ask, Recent: p.activity.Recent, Room: p.queue.RoomOf, Remind: p.remind(s.log), Log: s.log,
		Site: lifecycle.Site{QuietHours: s.o.QuietHours, CustomQuietHours: !s.o.FixedQuietHours, UnknownGrace: s.o.UnknownGrace}})
	p.templates.SetGuard(p.schedules)
	p.tenants.SetGuard(p.schedules)
	p.queue.SetKinds(builds.Kinds{Workspace: p.schedules.Kind(), Import: p.templates.Kind(), Look: p.workspaces.LookKind()})
	if err := p.accounts.EnsureDefaults(ctx); err != nil {
		return nil, fmt.Errorf("making the defaults: %w", err)
	}
	placed, err := providers.ParseTags(s.o.ProviderTags)
	if err != nil {
		return nil, err // it was checked
	}
	if err := p.providers.EnsureBuiltIn(ctx, placed); err != nil {
		return nil, fmt.Errorf("making the built-in provider: %w", err)
	}
	// Before anybody can call: leases that lapsed while no server was up have
	// not lapsed.
	if _, err := p.queue.Downtime(ctx, p.replica); err != nil {
		return nil, fmt.Errorf("counting the time without a server: %w", err)
	}
	p.identities = newIdentities(p, s.log)
	p.relay = links.New(p.relayOptions(s))
	p.apps = s.newApps(p, keys)
	p.loops = p.allLoops()
	carried := bundle.New(s.o.bundleDirs()...)
	p.handler = httpapi.New(httpapi.Services{
		Accounts: p.accounts, Organizations: p.tenants, Credentials: p.credentials, SignIn: p.signIn, PasswordOwnersOnly: s.o.DisablePassword, Providers: p.providers, Templates: p.templates, Workspaces: p.workspaces, Activity: p.activity, Schedules: p.schedules, Notices: p.notices, Audit: p.audit,
		Quota: quota.New(p.db),
		Queue: p.queue, Relay: p.relay, Apps: p.apps, Loops: p.loops,
		Beat: beat, Ready: p.db.Ping, Stopping: s.stopping,
		Proxies: proxies, Bundle: carried, Dashboard: dashboard.Handler(), AccessURL: s.URL, Banner: s.bannerNow, Database: p.db.Engine(), Log: s.log,
	})
	if !s.o.NoRunner {
		if p.runner, err = s.newRunner(ctx, p, carried); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// bundleDirs are where unpacked binaries may lie.
func (o Options) bundleDirs() []string {
	dirs := []string{o.BundleDir, os.Getenv("BERTH_BUNDLE_DIR")}
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(exe))
	}
	return dirs
}

// newRunner makes the runner of the built-in provider. It speaks to the API
// like any other runner, only without a network in between.
func (s *Server) newRunner(ctx context.Context, p *parts, carried *bundle.Bundle) (*runner.Runner, error) {
	if err := s.installPlugins(carried); err != nil {
		return nil, err
	}
	as, err := buildAs(s.o.BuildUser, s.log)
	if err != nil {
		return nil, err
	}
	if as != nil {
		// Homes of process workspaces are made by, and belong to, the build user.
		if err := os.Chown(s.data.processes(), int(as.UID), int(as.GID)); err != nil {
			return nil, dataProblem(s.o.Data, err)
		}
	}
	mirrors, urls, err := pluginMirrors(s.o.PluginMirror)
	if err != nil {
		return nil, err
	}
	modules, err := moduleMirrors(s.o.ModuleMirror)
	if err != nil {
		return nil, err
	}
	token, err := p.providers.BuiltInToken(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the runner's token: %w", err)
	}
	return runner.New(runner.Options{
		Client:    client.NewInProcess(p.handler, token, client.WithProgram("berth-runner", berth.Release)),
		Dir:       s.data.runner(),
		Work:      s.data.work(),
		Mirrors:   mirrors,
		Fetch:     runner.Fetch{PluginURLs: urls, ModuleMirrors: modules},
		Slots:     s.o.Slots,
		Terraform: s.o.Terraform,
		As:        as,
		Env:       map[string]string{"BERTH_PROCESS_ROOT": s.data.processes()},
		Pass:      passed,
		Warm:      s.o.WarmPlugins == "auto", WarmMemory: int64(s.o.WarmMemory) << 20,
		Version: berth.Release,
		Log:     s.log.With("runner", berth.BuiltInProvider),
	})
}

// passed are the variables of the server's environment that plugins see: how to
// reach Docker, Kubernetes and, through a proxy, the network. The rest is not
// theirs.
var passed = []string{
	"DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
}

// installPlugins lays out the plugins that berth carries, where Terraform
// finds them.
func (s *Server) installPlugins(carried *bundle.Bundle) error {
	if _, err := carried.Find(bundle.Plugin); err != nil {
		return &berth.Error{Code: berth.Unavailable, Err: err, Message: "this berth was built without the Terraform plugin that every template needs: " +
			"build it with make build, or set BERTH_BUNDLE_DIR to a directory that has berth-plugin in it"}
	}
	err := plugin.Install(s.data.mirror(), func(name string) (io.Reader, error) {
		f, err := carried.Find(name)
		if err != nil {
			return nil, err
		}
		return f.Open()
	})
	if err != nil {
		return dataProblem(s.o.Data, fmt.Errorf("installing the Terraform plugins: %w", err))
	}
	return nil
}

// relayOptions connects the relay with the use cases.
func (p *parts) relayOptions(s *Server) links.Options {
	return links.Options{
		Log: s.log, Evidence: forwarded{p.activity},
		Auth: func(ctx context.Context, token string) (links.Identity, error) {
			who, err := p.workspaces.AgentForLink(ctx, token)
			return links.Identity{Agent: who.Agent.ID, Workspace: who.Workspace.ID, Token: who.Agent.TokenHash}, err
		},
		Linked: func(ctx context.Context, id links.Identity, _ time.Time) error {
			if err := p.workspaces.Linked(ctx, id.Agent); err != nil {
				return err
			}
			p.identities.linked(id)
			return nil
		},
		Unlinked: func(ctx context.Context, id links.Identity, _ time.Time, _ string) {
			p.identities.unlinked(id.Agent)
			if err := p.workspaces.Unlinked(ctx, id.Agent); err != nil && !errors.Is(err, berth.NotFound) {
				s.log.Error("keeping the end of a link", "agent", id.Agent, "error", err)
			}
		},
		Seen: func(ctx context.Context, signs []links.Sign) {
			ids := make([]berth.AgentID, len(signs))
			for i, sign := range signs {
				ids[i] = sign.Agent
			}
			if err := p.workspaces.Seen(ctx, ids); err != nil {
				s.log.Error("keeping signs of life", "agents", len(ids), "error", err)
			}
		},
		Second: func(ctx context.Context, second links.Second) {
			s.log.Warn("a second link with the token of one agent", "agent", second.Agent, "workspace", second.Workspace,
				"refused", second.Refused, "old", second.Old, "new", second.New)
			if !second.Refused {
				return // the first was dead: an agent that comes back after its network did
			}
			if err := p.workspaces.SecondLink(ctx, second.Agent, second.New); err != nil {
				s.log.Error("auditing a second link", "agent", second.Agent, "error", err)
			}
		},
		Look: func(ctx context.Context, id berth.AgentID) (a berth.Agent, err error) {
			err = p.db.Read(ctx, func(q *store.Query) error {
				a, err = q.Agent(id)
				return err
			})
			return a, err
		},
	}
}
