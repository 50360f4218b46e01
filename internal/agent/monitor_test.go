package agent

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

func TestMonitor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var memory, home int
		server := newFake(berth.AgentSpec{})
		measure := func(path string) (int, error) {
			switch path {
			case "":
				return memory, nil
			case "/home":
				return home, nil
			}
			return 100, errors.New("there is no such volume")
		}
		m := monitoring(slog.New(slog.DiscardHandler), 1, server.AgentPressure, &berth.Monitoring{Memory: &berth.Threshold{Percent: 80},
			Volumes: []berth.Threshold{{Path: "/gone", Percent: 1}, {Path: "/home", Percent: 90}}}, measure)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go m.Outbox.Run(ctx)
		var reports []api.AgentPressure
		wait := func(d time.Duration) { // as run does
			for range d / monitorEvery {
				time.Sleep(monitorEvery)
				m.look(time.Now())
				synctest.Wait()
			}
			reports = server.pressure
		}

		memory, home = 79, 50
		wait(time.Hour)
		if len(reports) != 0 {
			t.Fatalf("below the thresholds: %+v", reports)
		}
		memory = 95
		wait(90 * time.Second)
		if len(reports) != 0 {
			t.Errorf("after 90 s: %+v", reports)
		}
		wait(10 * time.Second)
		if len(reports) != 1 || len(reports[0].Pressure) != 1 || reports[0].Pressure[0] != (api.Pressed{Percent: 95, Limit: 80, Began: 90_000}) {
			t.Fatalf("after 100 s: %+v", reports)
		}
		memory = 10
		wait(4 * time.Minute)
		if len(reports) != 1 {
			t.Errorf("within five minutes of the report: %+v", reports[1:])
		}
		home = 99
		server.goAway(errors.New("away"))
		wait(10 * time.Minute)
		server.goAway(nil)
		wait(monitorEvery)
		if len(reports) != 2 || len(reports[1].Pressure) != 1 || reports[1].Pressure[0].Path != "/home" || reports[1].Pressure[0].Began < 9*60_000 {
			t.Errorf("once the server is back: %+v", reports[1:])
		}
		// At its threshold, now over it and now not: it stays as it was.
		for i := range 360 {
			home = 88 + i%4
			wait(monitorEvery)
		}
		home = 10
		wait(10 * time.Minute)
		if last := reports[len(reports)-1]; len(reports) != 3 || len(last.Pressure) != 0 {
			t.Errorf("after an hour at the threshold and then below: %+v", reports[2:])
		}
	})
}

// A template that watches nothing costs nothing.
func TestNoMonitor(t *testing.T) {
	t.Parallel()
	monitoring(nil, 1, nil, nil, nil).run(t.Context())
}
