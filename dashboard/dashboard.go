// Package dashboard serves the browser's side of Berth, which is built from the
// TypeScript in this folder and embedded.
//
// What is in dist is made by `npm run build` and not checked in; without it one
// plain page says so, so that `go build` always works. Every path that is no
// file answers with index.html, since the pages route themselves; paths of the
// API never do. The package knows no user: all data comes from the API.
package dashboard

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist placeholder.html
var embedded embed.FS

// policy lets a page load from its own server only, and nobody frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Handler serves the embedded dashboard at /.
func Handler() http.Handler {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	placeholder, err := embedded.ReadFile("placeholder.html")
	if err != nil {
		panic(err)
	}
	return handler(dist, placeholder)
}

func handler(dist fs.FS, placeholder []byte) http.Handler {
	index, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		index = placeholder
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "pages are read with GET", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name == "api" || strings.HasPrefix(name, "api/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		if data, err := fs.ReadFile(dist, name); err == nil && visible(name) {
			w.Header().Set("Cache-Control", caching(name))
			http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(data))
			return
		}
		if strings.HasPrefix(name, "assets/") {
			http.NotFound(w, r) // a page of an older build asks for what is gone
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(index))
	})
}

// visible keeps index.html on the one path that does not cache it, and hides
// dot files.
func visible(name string) bool {
	return name != "index.html" && !strings.HasPrefix(path.Base(name), ".")
}

// caching lets files whose name holds a hash of their content be kept for ever.
func caching(name string) string {
	if strings.HasPrefix(name, "assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}
