package e2e

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/berthdev/berth/test/harness"
)

// A browser that cannot be driven must show here and not in what uses it.
func TestBrowserHarness(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><title>it works</title>"))
	}))
	t.Cleanup(page.Close)
	var got struct{ Title, Websocket string }
	harness.Browser(t, "smoke.mjs", map[string]string{"url": page.URL}, &got)
	if got.Title != "it works" || got.Websocket != "function" {
		t.Errorf("the browser saw %+v", got)
	}
}
