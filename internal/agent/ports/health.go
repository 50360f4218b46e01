package ports

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/retry"
)

// Health asks the apps that have a health check how they are, each at its
// interval, and tells the server of every change how all of them are.
type Health struct {
	*retry.Outbox
	apps   func() []berth.App // as the template has them now
	health map[string]string
}

// NewHealth makes one that tells the server by send, as the process that
// started at boot.
func NewHealth(log *slog.Logger, boot int64, apps func() []berth.App, send func(context.Context, api.AgentApps) error) *Health {
	h := &Health{apps: apps, health: map[string]string{}}
	h.Outbox = retry.NewOutbox(log, "the health of apps", func() retry.Report {
		now := api.AgentApps{Boot: boot, Health: maps.Clone(h.health)}
		return retry.Report{UpTo: h.News(), Send: func(ctx context.Context) error { return send(ctx, now) }}
	})
	h.Newer = true
	return h
}

// lookAgain is how soon a change of the template's apps is noticed.
const lookAgain = 15 * time.Second

// Run checks and reports until ctx ends.
func (h *Health) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { h.Outbox.Run(ctx) })
	defer work.Wait()
	for ctx.Err() == nil {
		apps := h.apps()
		checking, stop := context.WithCancel(ctx)
		h.begin(apps)
		var checks sync.WaitGroup
		for _, app := range apps {
			if app.Health != nil && app.Health.URL != "" && app.Health.Interval > 0 {
				checks.Go(func() { h.watch(checking, app) })
			}
		}
		for retry.Pause(ctx, lookAgain) && reflect.DeepEqual(apps, h.apps()) {
		}
		stop()
		checks.Wait()
	}
}

// begin forgets apps that are gone; new ones are initializing.
func (h *Health) begin(apps []berth.App) {
	h.Lock()
	defer h.Unlock()
	now := map[string]string{}
	for _, app := range apps {
		if app.Health != nil && app.Health.URL != "" && app.Health.Interval > 0 {
			if now[app.ID] = h.health[app.ID]; now[app.ID] == "" {
				now[app.ID] = berth.AppInitializing
			}
		}
	}
	if !maps.Equal(now, h.health) {
		h.health = now
		h.Note()
	}
}

// watch asks one app at its interval.
func (h *Health) watch(ctx context.Context, app berth.App) {
	interval := time.Duration(app.Health.Interval) * time.Second
	client := healthClient(interval)
	defer client.CloseIdleConnections()
	failed := 0
	for {
		began := time.Now()
		if answers(ctx, client, app.Health.URL) {
			failed = 0
			h.set(app, berth.AppHealthy)
		} else if failed++; failed >= max(app.Health.Threshold, 1) && ctx.Err() == nil {
			h.set(app, berth.AppUnhealthy)
		}
		if !retry.Pause(ctx, max(interval-time.Since(began), 0)) {
			return
		}
	}
}

// healthClient asks within the workspace, where certificates are the apps' own.
func healthClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answers tells whether the app answered with anything but an error of its own.
func answers(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	req.Header.Set("User-Agent", "berth-agent")
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	return res.StatusCode < http.StatusInternalServerError
}

func (h *Health) set(app berth.App, health string) {
	h.Lock()
	defer h.Unlock()
	if h.health[app.ID] != health {
		h.Log.Info("app is "+health, "app", app.Slug)
		h.health[app.ID] = health
		h.Note()
	}
}
