package terraform

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

// moduleMirror is a directory of modules.
func moduleMirror(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := workDir(t)
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var mirrored = map[string]string{
	"registry.terraform.io/acme/one/x/1.0.0/main.tf":      `output "v" { value = "one 1.0.0" }`,
	"registry.terraform.io/acme/one/x/1.2.0/main.tf":      `output "v" { value = "one 1.2.0 ${module.two.v}" }` + "\n" + `module "two" { source = "mods.example.com/acme/two/x" }`,
	"registry.terraform.io/acme/one/x/2.0.0/main.tf":      `output "v" { value = "one 2.0.0" }`,
	"mods.example.com/acme/two/x/0.1.0/main.tf":           `output "v" { value = file("${path.module}/files/text") }`,
	"mods.example.com/acme/two/x/0.1.0/files/text":        "two 0.1.0",
	"mods.example.com/acme/two/x/0.1.0/.git/config":       "not a module's",
	"mods.example.com/acme/two/x/0.1.0/examples/a/out.tf": "",
}

func TestModulesFromAMirrorDirectory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.installer.ModuleMirrors = []ModuleMirror{{Dir: moduleMirror(t, mirrored)}}
	files := map[string]string{"main.tf": `
module "one" {
  source  = "acme/one/x"
  version = "~> 1.0"
}
resource "terraform_data" "x" { input = module.one.v }
`}
	i := s.must(files)
	r, err := Run(t.Context(), s.options(i, berth.Start, nil), &recorder{t: t}, allow(nil))
	if err != nil || !strings.Contains(string(r.State), "one 1.2.0 two 0.1.0") {
		t.Errorf("%v %s", err, r.State)
	}
	_, modules, err := resolved(i.Dir)
	if err != nil || len(modules) != 2 || modules[0].Version != "1.2.0" && modules[1].Version != "1.2.0" {
		t.Errorf("%+v %v", modules, err)
	}
	for what, text := range map[string]string{
		"1.0.5":  `module "one" { source = "acme/one/x", version = "1.0.5" }`,
		"absent": `module "three" { source = "acme/three/x" }`,
	} {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "{ ", "{\n"), ", ", "\n")
		_, err := s.install(map[string]string{"main.tf": strings.ReplaceAll(text, " }", "\n}")})
		if !errors.Is(err, berth.Invalid) || !strings.Contains(err.Error(), "module mirror") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A server in the place of a registry, asked in vain by one that has no leave.
func TestModulesFromAMirrorServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := moduleMirror(t, mirrored)
	var asked []string
	files := &registry{dirs: []string{filepath.Join(dir, "mods.example.com")}}
	root, err := os.OpenRoot(filepath.Join(dir, "mods.example.com/acme/two/x/0.1.0"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		switch r.URL.Path {
		case "/v1/modules/acme/two/x/versions":
			fmt.Fprint(w, `{"modules":[{"versions":[{"version":"0.1.0"}]}]}`)
		case "/v1/modules/acme/two/x/0.1.0/download":
			files.download(w, nil)
		case "/v1/modules/acme/two/x/0.1.0/module.tar.gz":
			files.archive(w, root)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	s.installer.ModuleMirrors = []ModuleMirror{{Host: "private.example.com", URL: server.URL + "/v1/modules"}}
	i := s.must(map[string]string{"main.tf": `module "two" { source = "private.example.com/acme/two/x" }` + "\n" + `resource "terraform_data" "x" { input = module.two.v }`})
	if _, modules, err := resolved(i.Dir); err != nil || len(modules) != 1 || modules[0].Version != "0.1.0" || len(asked) < 3 {
		t.Errorf("%+v %v, asked %v", modules, err, asked)
	}
}

// A mirror of plugins on the network, whose certificate is named in the
// environment; so this test runs alone.
func TestPluginsFromANetworkMirror(t *testing.T) {
	s := newSite(t)
	host := s.installer.registry()
	from, ok := pluginDir([]string{pluginMirror}, berth.Plugin{Source: host + "/berthdev/berth", Version: "1.0.0"})
	if !ok {
		t.Fatal("no plugin")
	}
	archive := zipOf(t, from)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/mirror/" + host + "/acme/berth/index.json":
			_ = json.NewEncoder(w).Encode(map[string]any{"versions": map[string]any{"3.1.0": map[string]any{}, "3.2.0": map[string]any{}}})
		case "/mirror/" + host + "/acme/berth/3.1.0.json", "/mirror/" + host + "/acme/berth/3.2.0.json":
			_ = json.NewEncoder(w).Encode(map[string]any{"archives": map[string]any{platform: map[string]any{"url": "plugin.zip"}}})
		case "/mirror/" + host + "/acme/berth/plugin.zip":
			w.Header().Set("Content-Type", "application/zip")
			_, _ = w.Write(archive)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	t.Setenv("SSL_CERT_FILE", certificateFile(t, server))
	s.installer.PluginURLs = []string{server.URL + "/mirror"}
	main := `terraform {
  required_providers {
    berth = { source = "acme/berth" }
  }
}
`
	for version, files := range map[string]map[string]string{
		"3.2.0": {"main.tf": main},
		"3.1.0": {"main.tf": main, lockName: `provider "` + host + `/acme/berth" { version = "3.1.0" }`},
	} {
		i, err := s.install(files)
		if err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		plugins, _, err := resolved(i.Dir)
		if err != nil || len(plugins) != 1 || plugins[0].Version != version || len(i.Notes) > 0 {
			t.Errorf("%s: %v %v, notes %v", version, plugins, err, i.Notes)
		}
		if r, err := Run(t.Context(), s.options(i, berth.Start, nil), &recorder{t: t}, allow(nil)); err != nil {
			t.Errorf("%s: %v %s", version, err, r.State)
		}
	}
}

// zipOf packs a plugin's directory as mirrors do.
func zipOf(t *testing.T, dir string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// certificateFile writes the certificate of a server where programs look for
// those that they trust.
func certificateFile(t *testing.T, s *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
