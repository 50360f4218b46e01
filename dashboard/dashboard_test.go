package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	built := handler(fstest.MapFS{
		"index.html":           {Data: []byte("the pages")},
		"assets/main-1a2b.js":  {Data: []byte("code")},
		"assets/main-1a2b.css": {Data: []byte("looks")},
		"robots.txt":           {Data: []byte("no")},
		".gitkeep":             {},
	}, nil)

	for _, c := range []struct {
		method, path string
		status       int
		body, cache  string
	}{
		{"GET", "/", 200, "the pages", "no-store"},
		{"GET", "/index.html", 200, "the pages", "no-store"},
		{"GET", "/workspaces/anna/hello", 200, "the pages", "no-store"},
		{"GET", "/assets/main-1a2b.js", 200, "code", "public, max-age=31536000, immutable"},
		{"GET", "/assets/../robots.txt", 200, "no", "no-cache"},
		{"GET", "/assets/main-0000.js", 404, "404", ""},
		{"GET", "/.gitkeep", 200, "the pages", "no-store"},
		{"GET", "/api/v1/nothing", 404, "404", ""},
		{"GET", "/api", 404, "404", ""},
		{"GET", "//api/v1/nothing", 404, "404", ""},
		{"POST", "/", 405, "GET", ""},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(c.method, "http://berth.test/", nil)
		r.URL.Path = c.path
		built.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s: %d %q", c.method, c.path, w.Code, w.Body)
		}
		if got := w.Header().Get("Cache-Control"); got != c.cache {
			t.Errorf("%s %s: Cache-Control %q, want %q", c.method, c.path, got, c.cache)
		}
		if w.Code == 200 && w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s: no content security policy", c.method, c.path)
		}
	}
}

func TestWithoutABuildAPageSaysSo(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	handler(fstest.MapFS{}, []byte("built without")).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "built without") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestEmbeddedDashboardAnswers(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Berth") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
