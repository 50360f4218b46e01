package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{nil, 200, `"ok":true`},
		{errors.New("dial postgres://berth:hunter2@db"), 503, "database"},
	} {
		h := &handlers{Services: Services{Ready: func(ctx context.Context) error {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("the database may take for ever")
			}
			return c.err
		}}}
		w := httptest.NewRecorder()
		h.health(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || strings.Contains(w.Body.String(), "hunter2") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
	}
}
