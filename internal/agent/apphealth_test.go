package agent

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

func TestAppHealth(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	status.Store(500)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	t.Cleanup(app.Close)
	f := newFake(berth.AgentSpec{Name: "main", Apps: []berth.App{
		{ID: "checked", Slug: "web", Health: &berth.Healthcheck{URL: app.URL, Interval: 1, Threshold: 2}},
		{ID: "unchecked", Slug: "other"},
	}})
	startAgent(t, f)
	saw := func(want ...string) func() bool {
		return func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			var got []string
			for _, h := range f.apps {
				if _, ok := h["unchecked"]; ok {
					t.Error("an app without a health check was reported")
				}
				got = append(got, h["checked"])
			}
			return slices.Equal(got, want)
		}
	}
	eventually(t, "initializing", saw("initializing"))
	eventually(t, "unhealthy", saw("initializing", "unhealthy"))
	status.Store(404) // below 500: it is there
	eventually(t, "healthy", saw("initializing", "unhealthy", "healthy"))
	f.goAway(berth.Errorf(berth.Unavailable, "restarting"))
	app.Close()
	time.Sleep(3 * time.Second)
	f.goAway(nil)
	eventually(t, "unhealthy again, said when the server is back", saw("initializing", "unhealthy", "healthy", "unhealthy"))
}
