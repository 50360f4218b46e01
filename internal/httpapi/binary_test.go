package httpapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/bundle"
)

func TestBinaries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"berth-agent-linux-amd64", "berth-plugin"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("ELF "+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h := &handlers{Services: Services{Bundle: bundle.New(dir)}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bin/{name}", h.binary)
	all := outermost(slog.New(slog.DiscardHandler), nil, mux)
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		all.ServeHTTP(w, r)
		return w
	}

	w := get("/bin/berth-agent-linux-amd64")
	// What berth carries, in a tree that was built, comes before the directory.
	if w.Code != 200 || !strings.Contains(w.Body.String()[:4], "EL") || w.Header().Get("Content-Encoding") != "" || w.Header().Get("ETag") == "" {
		t.Fatalf("%d %v, %d bytes", w.Code, w.Header(), w.Body.Len())
	}
	if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) {
		t.Errorf("Content-Length %s for %d bytes", got, w.Body.Len())
	}
	tag := w.Header().Get("ETag")
	if w := get("/bin/berth-agent-linux-amd64", "If-None-Match", tag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("unchanged: %d", w.Code)
	}
	if w := get("/bin/berth-agent-linux-amd64", "If-None-Match", `"other"`); w.Code != 200 {
		t.Errorf("changed: %d", w.Code)
	}
	for _, path := range []string{"/bin/berth-plugin", "/bin/..%2f..%2fetc%2fpasswd", "/bin/berth-agent-plan9-386"} {
		if w := get(path); w.Code != 404 || !strings.Contains(w.Body.String(), "not_found") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP;q=0.5": true, "identity": false, "gzip; q=0": false, "xgzip": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
