package httpapi

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/api"
)

var update = flag.Bool("update", false, "rewrite api/openapi.json")

const specFile = "../../api/openapi.json"

// The checked-in document is what the server serves, so that a change of the
// contract is a diff that somebody reads.
func TestSpecDrift(t *testing.T) {
	t.Parallel()
	now, err := Spec()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(specFile, now, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), string(now)); diff != "" {
		t.Errorf("the API changed (-checked in +now); if that is meant, run: go test ./internal/httpapi -run Drift -update\n%s", diff)
	}
}

// The page shows every operation and type, runs nothing and loads nothing.
func TestDocsPageStandsAlone(t *testing.T) {
	t.Parallel()
	h := &handlers{}
	mux := http.NewServeMux()
	spec := h.mount(mux)
	mountSpec(mux, spec)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", api.Prefix+"/docs", nil))
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	for _, bad := range []string{"<script", "src=", "<link", "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for path, item := range spec.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if o != nil && !strings.Contains(page, `id="`+o.OperationID+`"`) {
				t.Errorf("%s %s is not on the page", o.Method, path)
			}
		}
	}
	for name := range spec.Components.Schemas.Map() {
		if !strings.Contains(page, `id="type-`+name+`"`) {
			t.Errorf("type %s is not on the page", name)
		}
	}
}

func TestOperationsAreNamedOnceAndWithTheirParameters(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	h := &handlers{}
	for _, item := range h.mount(http.NewServeMux()).Paths {
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if o == nil {
				continue
			}
			if o.OperationID == "" || seen[o.OperationID] || o.Summary == "" {
				t.Errorf("%s %s: id %q, summary %q", o.Method, o.Path, o.OperationID, o.Summary)
			}
			seen[o.OperationID] = true
			documented := map[string]bool{}
			for _, p := range o.Parameters {
				documented[p.Name] = p.In == "path"
			}
			for _, name := range pathParameters(o.Path) {
				if !documented[name] {
					t.Errorf("%s %s: nothing reads {%s}", o.Method, o.Path, name)
				}
			}
		}
	}
}
