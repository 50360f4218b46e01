package apps

import (
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

// anyRef draws an app that can have an address.
func anyRef(t *rapid.T) berth.AppRef {
	name := rapid.StringMatching(`[a-z0-9]{1,5}(-[a-z0-9]{1,4})?`)
	ref := berth.AppRef{Owner: name.Draw(t, "owner"), Workspace: name.Draw(t, "workspace")}
	if rapid.Bool().Draw(t, "agent named") {
		ref.Agent = name.Draw(t, "agent")
	}
	if ref.App = name.Draw(t, "app"); portForm.MatchString(ref.App) || rapid.Bool().Draw(t, "port") {
		ref.App, ref.Port, ref.HTTPS = "", rapid.IntRange(1, 65535).Draw(t, "number"), rapid.Bool().Draw(t, "https")
	}
	return ref
}

func TestAddressesReadBack(t *testing.T) {
	t.Parallel()
	o := Origins{Access: "https://berth.example.com", Wildcard: "https://*.apps.example.com:8443", Path: "https://apps.example.org"}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		ref := anyRef(t)
		label, err := FormatLabel(ref)
		if err != nil {
			t.Fatalf("%+v: %v", ref, err)
		}
		if back, ok := ParseLabel(strings.ToUpper(label)); !ok || back != ref {
			t.Fatalf("%s reads back as %+v, want %+v", label, back, ref)
		}
		if a, ok := o.parse(label+".APPS.example.com:8443", "/x"); !ok || a.ref != ref || a.rest != "/x" {
			t.Fatalf("the host of %+v reads back as %+v, %v", ref, a, ok)
		}
		if ref.App == "" {
			return
		}
		rest := rapid.SampledFrom([]string{"", "/", "/a/b", "/%2f/..", "//x"}).Draw(t, "rest")
		path := strings.TrimSuffix(FormatPath(ref), "/") + rest
		if a, ok := o.parse("apps.example.org", path); !ok || a.ref != ref || a.rest != rest || a.prefix+a.rest != path {
			t.Fatalf("%s reads back as %+v, %v", path, a, ok)
		}
	})
}

func TestStrangeAddresses(t *testing.T) {
	t.Parallel()
	for _, label := range []string{
		"", "a", "a--b", "a--b--c--d--e", "--b--c", "a----c", "a--b--", "a_b--c--d", "a--b.c--d", "65536--b--c",
		"-a--b--c", "a-----b--c", strings.Repeat("a", 60) + "--b--c", "a--b--c\x00", "é--b--c", "a--b--c d",
	} {
		if ref, ok := ParseLabel(label); ok {
			t.Errorf("%q was read as %+v", label, ref)
		}
	}
	for _, path := range []string{
		"", "/", "/@", "/@o", "/@o/w", "/@o/w/apps", "/@o/w/apps/", "/o/w/apps/x/", "/%40o/w/apps/x/", "/@o/w/app/x/", "/@o%2fw/x/apps/x/",
		"/@o/w/apps/%2e%2e/", "/@o/../apps/x/", "/@o/w.a.b/apps/x/", "/@o/w./apps/x/", "//@o/w/apps/x/", "/@o/w/apps/x%2fy/", "/@o//apps/x/", "/@o/w/apps/../x/",
	} {
		if ref, _, ok := ParsePath(path); ok {
			t.Errorf("%q was read as %+v", path, ref)
		}
	}
	if _, err := FormatLabel(berth.AppRef{Owner: "o", Workspace: "w", App: "8080"}); err == nil || !strings.Contains(err.Error(), "like a port") {
		t.Errorf("a slug that reads like a port: %v", err)
	}
	if _, err := FormatLabel(berth.AppRef{Owner: strings.Repeat("o", 32), Workspace: strings.Repeat("w", 32), App: "code"}); err == nil || !strings.Contains(err.Error(), "DNS allows 63") {
		t.Errorf("a label that is too long: %v", err)
	}
}

func TestOriginsAreChecked(t *testing.T) {
	t.Parallel()
	const access = "https://berth.example.com"
	for _, o := range []Origins{
		{Wildcard: "https://*.example.com"},        // covers the access URL
		{Wildcard: "https://*.example.com:8443"},   // cookies know no ports
		{Wildcard: "https://apps.example.com"},     // no star
		{Wildcard: "https://*"},                    // no host
		{Wildcard: "ftp://*.apps.example.com"},     //
		{Wildcard: "https://*.apps.example.com/x"}, //
		{Path: access},                          // the dashboard's own origin
		{Path: "https://BERTH.example.com:443"}, // the same, spelled otherwise
		{Path: "https://*.example.org"},         //
		{Path: "javascript:alert(1)"},           //
		{Path: "https://user@apps.example.org"}, //
		{Path: "https://x.apps.example.com", Wildcard: "https://*.apps.example.com"}, // an app's host could be it
	} {
		o.Access = access
		if o.Check() == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	for _, o := range []Origins{{}, {Path: "https://berth.example.com:8443"}, {Path: "https://apps.example.org", Wildcard: "https://*.apps.example.com"},
		{Path: "http://localhost:7081", Wildcard: "http://*.apps.localhost:7081"}} {
		o.Access = access
		if err := o.Check(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestHostsOfOthers(t *testing.T) {
	t.Parallel()
	o := Origins{Access: "http://127.0.0.1:7080", Wildcard: "http://*.apps.localhost:7081", Path: "http://localhost:7081"}
	for host, want := range map[string]bool{
		"a--b--c.apps.localhost:7081": true, "localhost:7081": true, "LOCALHOST:7081": true,
		"127.0.0.1:7080": false, "127.0.0.1:7081": false, "apps.localhost:7081": false, "a--b--c.apps.localhost": false, "a--b--c.apps.localhost:7080": false,
		"x.a--b--c.apps.localhost:7081": false, "a--b--c.apps.localhost:7081.evil.example": false, "evilapps.localhost:7081": false, "": false, ".apps.localhost:7081": false,
		"localhost:7081@evil.example": false,
	} {
		if got := o.Serves(&http.Request{Host: host}); got != want {
			t.Errorf("%q is ours: %v", host, got)
		}
	}
}

func TestPortTemplate(t *testing.T) {
	t.Parallel()
	o := Origins{Wildcard: "http://*.apps.localhost:7081"}
	if got := o.PortTemplate(berth.AppRef{Owner: "Ana", Workspace: "web", Agent: "main"}); got != "http://{{port}}--main--web--ana.apps.localhost:7081" {
		t.Error(got)
	}
	if got := (Origins{}).PortTemplate(berth.AppRef{Owner: "ana", Workspace: "web"}); got != "" {
		t.Error(got)
	}
}
