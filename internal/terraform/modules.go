package terraform

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// ModuleMirror is a place of modules with registry addresses: a directory laid
// out as HOST/NAMESPACE/NAME/PROVIDER/VERSION, or the base address of a server
// that speaks the module registry protocol in the place of a host.
type ModuleMirror struct {
	Dir  string `json:"dir,omitempty"`
	Host string `json:"host,omitempty"` // in whose place URL answers; empty: the public registry
	URL  string `json:"url,omitempty"`
}

// registryConfig is the part of the command line configuration that leads
// terraform to the module mirrors. Directories are served on loopback until
// close: terraform reads registry addresses from registries alone.
func (i *Installer) registryConfig() (config string, close func(), err error) {
	close = func() {}
	services := map[string]string{}
	var hosts []string
	add := func(host, url string) {
		if _, twice := services[host]; !twice { // the first that knows a host answers for it
			services[host], hosts = url, append(hosts, host)
		}
	}
	s := &registry{token: rand.Text()}
	for _, m := range i.ModuleMirrors {
		if m.URL != "" {
			host := m.Host
			if host == "" {
				host = i.registry()
			}
			add(host, strings.TrimSuffix(m.URL, "/")+"/")
			continue
		}
		found, err := os.ReadDir(m.Dir)
		if err != nil {
			return "", close, fmt.Errorf("reading the module mirror: %w", err)
		}
		if s.address == "" {
			if close, err = s.listen(); err != nil {
				return "", close, err
			}
		}
		at := len(s.dirs)
		s.dirs = append(s.dirs, m.Dir)
		for _, entry := range found {
			if name := entry.Name(); !strings.HasPrefix(name, ".") && there(filepath.Join(m.Dir, name)) {
				url := fmt.Sprintf("http://%s/%s/%d/%s/", s.address, s.token, at, name)
				add(name, url)
				if slices.Contains(source.Registries, name) {
					add(i.registry(), url) // the public registries have the same modules
				}
			}
		}
	}
	var b strings.Builder
	for _, host := range hosts {
		fmt.Fprintf(&b, "host %s {\n  services = { \"modules.v1\" = %s }\n}\n", berth.QuoteHCL(host), berth.QuoteHCL(services[host]))
	}
	return b.String(), close, nil
}

// registry serves directories of modules to one run of init.
type registry struct {
	token   string // nobody else on this machine is to read them
	address string
	dirs    []string
}

func (s *registry) listen() (close func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return func() {}, fmt.Errorf("serving the module mirror: %w", err)
	}
	s.address = l.Addr().String()
	mux := http.NewServeMux()
	const module = "GET /{token}/{dir}/{host}/{namespace}/{name}/{provider}/"
	mux.HandleFunc(module+"versions", s.of(s.versions))
	mux.HandleFunc(module+"{version}/download", s.of(s.download))
	mux.HandleFunc(module+"{version}/module.tar.gz", s.of(s.archive))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	return func() { server.Close() }, nil
}

// of finds the directory that a request is about.
func (s *registry) of(answer func(w http.ResponseWriter, root *os.Root)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var at int
		if _, err := fmt.Sscan(r.PathValue("dir"), &at); err != nil || at < 0 || at >= len(s.dirs) || r.PathValue("token") != s.token {
			http.NotFound(w, r)
			return
		}
		name := path.Join(r.PathValue("host"), r.PathValue("namespace"), r.PathValue("name"), r.PathValue("provider"), r.PathValue("version"))
		dir, err := os.OpenRoot(s.dirs[at])
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer dir.Close()
		root, err := dir.OpenRoot(filepath.FromSlash(name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer root.Close()
		answer(w, root)
	}
}

func (s *registry) versions(w http.ResponseWriter, root *os.Root) {
	type version struct {
		Version string `json:"version"`
	}
	list := []version{}
	entries, _ := fs.ReadDir(root.FS(), ".")
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			list = append(list, version{entry.Name()})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"modules": []any{map[string]any{"versions": list}}})
}

func (s *registry) download(w http.ResponseWriter, _ *os.Root) {
	w.Header().Set("X-Terraform-Get", "./module.tar.gz")
	w.WriteHeader(http.StatusNoContent)
}

func (s *registry) archive(w http.ResponseWriter, root *os.Root) {
	w.Header().Set("Content-Type", "application/gzip")
	if packTree(w, root) != nil {
		panic(http.ErrAbortHandler) // a part of a module must not look like one
	}
}

// packTree writes the plain files of a directory as a tar with gzip.
func packTree(w io.Writer, root *os.Root) error {
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	out := tar.NewWriter(zip)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := root.Open(filepath.FromSlash(name))
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if err := out.WriteHeader(&tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = io.Copy(out, file)
		return err
	})
	return errors.Join(err, out.Close(), zip.Close())
}

// fetching names the variables of this process that init sees, and builds do
// not need to: how to reach where modules and plugins are.
var fetching = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_SSH_COMMAND",
}

// fetchers is fetching, and the tokens for private registries.
func fetchers() []string {
	names := slices.Clone(fetching)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "TF_TOKEN_") {
			names = append(names, name)
		}
	}
	return names
}

// offered asks a mirror on the network whether it has a plugin.
func offered(ctx context.Context, mirror string, p berth.Plugin) bool {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(mirror, "/")+"/"+p.Source+"/index.json", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var index struct {
		Versions map[string]json.RawMessage `json:"versions"`
	}
	if answer.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&index) != nil {
		return false
	}
	_, ok := index.Versions[p.Version]
	return ok
}
