package server

import (
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/httpapi"
	"github.com/berthdev/berth/internal/providers"
)

// Options are the settings of a server. Each field with a flag tag is a setting:
// the flag --NAME, the variable BERTH_NAME, a row in docs/config.md. The fields
// without one are for tests and for programs that embed a server.
type Options struct {
	Data                string        `flag:"data" default:".berth" doc:"Directory of everything that the server keeps: database, keys, builds. Made when it is not there."`
	Listen              string        `flag:"listen" default:"127.0.0.1:7080" doc:"Address and port to listen on. There is no TLS: put a proxy in front that passes websockets, and listen on loopback."`
	AccessURL           string        `flag:"access-url" doc:"Where people and workspaces reach the server, such as https://berth.example.com. Empty: http:// and the listening address, which only this machine's workspaces reach."`
	AppsListen          string        `flag:"apps-listen" doc:"Address and port for apps of workspaces alone. Empty: the next port (or any free one) when the server listens on loopback, otherwise none; off: none."`
	AppsURL             string        `flag:"apps-url" doc:"Where apps under a path live, such as https://apps.example.org: never the access URL, and no host that --apps-wildcard covers. Empty: the address of --apps-listen; without that, apps under a path are off."`
	AppsWildcard        string        `flag:"apps-wildcard" doc:"Hosts that apps have for themselves, such as *.apps.example.com, with the scheme and port of the access URL unless they are given too. DNS and the proxy in front lead all of them here. Empty: *.apps.localhost when --apps-listen is on loopback; otherwise they are off."`
	DatabaseURL         string        `flag:"database-url" doc:"postgres://USER:PASSWORD@HOST/NAME for PostgreSQL, which more than one server can share. Empty: SQLite in the data directory."`
	BuildUser           string        `flag:"build-user" doc:"User that runs Terraform, its plugins and process workspaces when the server is root; it must be able to pass through to the data directory. root is possible, and lets whoever pushes templates do anything. Empty: nobody when the server is root, else the server's own user."`
	Terraform           string        `flag:"terraform" doc:"Path of terraform or tofu, 1.9 or newer. Empty: terraform, then tofu, on the PATH."`
	Slots               int           `flag:"slots" doc:"Builds that run at a time. 0: twice the processors."`
	PluginMirror        []string      `flag:"plugin-mirror" doc:"Directory of more Terraform plugins, laid out as terraform providers mirror does, unpacked, or the https address of a network mirror of plugins. May be given several times; in the variable, separated by colons, or by commas where there is an address."`
	ModuleMirror        []string      `flag:"module-mirror" doc:"Where modules with registry addresses come from instead of their registries: a directory laid out HOST/NAMESPACE/NAME/PROVIDER/VERSION, the address of a server that speaks the module registry protocol in the place of the public registry, or HOST=ADDRESS for one in the place of another. May be given several times; in the variable, separated as --plugin-mirror. docs/operating.md has more."`
	InstanceCerts       string        `flag:"instance-certificates" doc:"Directory of certificates by which agents on machines of clouds prove who they are: aws/*.pem, azure/*.pem, google.json; docs/templates.md has the rest. Empty: none of AWS, what this computer trusts for Azure, and Google is asked."`
	ProviderTags        string        `flag:"provider-tags" doc:"Tags of the built-in workspace provider, with commas, such as region=eu,gpu=yes. Templates whose tags it lacks make no workspaces there."`
	WarmPlugins         string        `flag:"warm-plugins" default:"auto" doc:"auto: Terraform plugins serve one build after the other where that is safe, so that builds need not wait for them to start. off: every build starts its own. docs/operating.md says when it is safe."`
	WarmMemory          int           `flag:"warm-memory" default:"1024" doc:"Megabytes that such plugins may have for themselves before those that no build uses are ended. 0: no bound."`
	AllowHostProcesses  bool          `flag:"allow-host-processes" doc:"Let everybody, not the first user alone, run workspaces that are processes of this machine."`
	MaxHold             time.Duration `flag:"max-hold" default:"24h" doc:"How long a hold may keep a workspace awake before it has to be renewed."`
	AuditRetention      time.Duration `flag:"audit-retention" doc:"How long the record of what was done is kept, such as 8760h. 0: for ever. Connections have --connection-retention."`
	ConnectionRetention time.Duration `flag:"connection-retention" default:"2160h" doc:"How long it is kept who connected to which workspace. 0: for ever."`
	QuietHours          string        `flag:"quiet-hours" default:"CRON_TZ=UTC 0 0 * * *" doc:"When, each day, workspaces of people who set no quiet hours of their own are stopped where a template requires stops."`
	FixedQuietHours     bool          `flag:"fixed-quiet-hours" doc:"Do not let people set quiet hours of their own."`
	UnknownGrace        time.Duration `flag:"unknown-grace" default:"24h" doc:"How long a stop for want of use is put off at most while the agents of a workspace cannot be asked whether it is used. 0: until they can."`
	SMTPAddress         string        `flag:"smtp-address" doc:"Host and port of the mail server that notices are sent by, such as mail.example.com:587. Empty: no e-mail. docs/notices.md has the rest."`
	SMTPFrom            string        `flag:"smtp-from" doc:"Address that notices come from, such as Berth <berth@example.com>."`
	SMTPUsername        string        `flag:"smtp-username" doc:"Name to sign in to the mail server with. Empty: it takes mail without."`
	SMTPPasswordFile    string        `flag:"smtp-password-file" doc:"File with the password for that; read again for each connection."`
	SMTPTLS             string        `flag:"smtp-tls" default:"starttls" doc:"How the connection to the mail server is secured: starttls, tls from the first byte, or none, which is for a mail server on this machine alone."`
	WebhookURL          string        `flag:"webhook-url" doc:"URL that every notice is posted to, signed. Empty: none."`
	WebhookSecretFile   string        `flag:"webhook-secret-file" doc:"File with the secret that signs what is posted there; several lines sign several times. Read again for each connection."`
	SSHBanner           string        `flag:"ssh-banner" doc:"Text that new terminals in workspaces begin with, unless the home has a .hushlogin. @ and the path of a file takes the text of that file, which is read again at each start of an agent."`
	ExternalAuth        string        `flag:"external-auth" doc:"JSON file of the external services (git hosts, OAuth2 servers) at which people sign in; docs/credentials.md describes it."`
	MinPasswordLength   int           `flag:"min-password-length" default:"8" doc:"Fewest characters of a new password, 8 or more."`
	MaxTokenLifetime    time.Duration `flag:"max-token-lifetime" default:"43800h" doc:"How long tokens for programs may last at most."`
	TrustedProxies      string        `flag:"trusted-proxies" doc:"Addresses or networks, with commas, such as 10.0.0.0/8,127.0.0.1, of proxies in front whose X-Forwarded-For is believed when it says where requests come from. Empty: none; everybody behind a proxy is one address then, to the limits of signing in and to the audit."`
	SignIn              string        `flag:"sign-in" doc:"JSON file of the identity providers (OpenID Connect, GitHub) by which people sign in; docs/sign-in.md describes it."`
	DisablePassword     bool          `flag:"disable-password-auth" doc:"Let nobody sign in by password but owners of the site, who need that when an identity provider is away."`
	LogLevel            string        `flag:"log-level" default:"info" doc:"debug, info, warn or error."`
	LogFormat           string        `flag:"log-format" default:"text" doc:"text or json."`

	Listener  net.Listener     // listened on instead of Listen
	NoRunner  bool             // take no builds; needs no terraform and no plugins
	Log       *slog.Logger     // instead of LogLevel and LogFormat
	BundleDir string           // unpacked agent and plugin, for a berth built without them
	Healthy   func(url string) // called once the server works
}

// databaseURL is the database to open.
func (o Options) databaseURL() string {
	if o.DatabaseURL == "" {
		return "sqlite:" + filepath.Join(o.Data, "db", "berth.db")
	}
	return o.DatabaseURL
}

// check looks at what can be wrong before anything is made.
func (o Options) check() error {
	if o.Data == "" {
		return berth.Errorf(berth.Invalid, "--data needs a directory")
	}
	if o.Slots < 0 {
		return berth.Errorf(berth.Invalid, "--slots %d: give a number of builds, or 0 for twice the processors", o.Slots)
	}
	if o.WarmPlugins != "" && o.WarmPlugins != "auto" && o.WarmPlugins != "off" {
		return berth.Errorf(berth.Invalid, "--warm-plugins %s: give auto or off", o.WarmPlugins)
	}
	if o.WarmMemory < 0 {
		return berth.Errorf(berth.Invalid, "--warm-memory %d: give a number of megabytes, or 0 for no bound", o.WarmMemory)
	}
	if o.MinPasswordLength < 0 || o.MinPasswordLength > berth.MaxPasswordLength {
		return berth.Errorf(berth.Invalid, "--min-password-length %d: give a number between %d and %d", o.MinPasswordLength, berth.MinPasswordLength, berth.MaxPasswordLength)
	}
	if o.MaxTokenLifetime != 0 && o.MaxTokenLifetime < time.Minute {
		return berth.Errorf(berth.Invalid, "--max-token-lifetime %s: give at least a minute, such as 2160h", o.MaxTokenLifetime)
	}
	if _, err := httpapi.ParseProxies(o.TrustedProxies); err != nil {
		return err
	}
	if _, err := providers.ParseTags(o.ProviderTags); err != nil {
		return berth.Errorf(berth.Invalid, "--provider-tags: %s", berth.ErrorMessage(err))
	}
	if o.MaxHold < 0 {
		return berth.Errorf(berth.Invalid, "--max-hold %s: give how long a hold may last, such as 24h", o.MaxHold)
	}
	for flag, d := range map[string]time.Duration{"audit-retention": o.AuditRetention, "connection-retention": o.ConnectionRetention} {
		if d != 0 && d < time.Hour {
			return berth.Errorf(berth.Invalid, "--%s %s: give at least 1h, or 0 to keep everything", flag, d)
		}
	}
	if scheme, _, _ := strings.Cut(o.DatabaseURL, ":"); o.DatabaseURL != "" && scheme != "postgres" && scheme != "postgresql" && scheme != "sqlite" {
		return berth.Errorf(berth.Invalid, "--database-url %s:…: Berth knows postgres://USER:PASSWORD@HOST/NAME, and SQLite when nothing is given", scheme)
	}
	if o.QuietHours != "" {
		if _, err := berth.ParseQuietHours("", o.QuietHours); err != nil {
			return berth.Errorf(berth.Invalid, "--quiet-hours: %s", berth.ErrorMessage(err))
		}
	}
	if _, err := o.banner(); err != nil {
		return err
	}
	if o.DisablePassword && o.SignIn == "" {
		return berth.Errorf(berth.Invalid, "--disable-password-auth would leave people no way to sign in: give one with --sign-in")
	}
	if o.AccessURL != "" {
		_, err := cleanURL(o.AccessURL)
		return err
	}
	return nil
}

// cleanURL is an access URL without a slash at the end.
func cleanURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", berth.Errorf(berth.Invalid, "--access-url %s: give scheme and host, and a port where it is needed, such as https://berth.example.com", text)
	}
	return u.String(), nil
}

// accessURL is the URL at which a server that listens on addr is reached, when
// nothing was said: by this machine, at the loopback address or, where it
// listens on all, at the first address that others can use too.
func accessURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://localhost"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = outward()
	}
	return "http://" + net.JoinHostPort(host, port)
}

func outward() string {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}
