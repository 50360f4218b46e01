package lifecycle

import (
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// monday is 09:00 of a Monday, on which the clocks of no zone change.
var monday = time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)

// world is the facts of a workspace that runs since monday and that no rule says
// anything of, with changes.
func world(changes ...func(*Facts)) Facts {
	run := berth.Build{ID: "run", Transition: berth.Start, Number: 1, Reason: berth.ReasonCLI, VersionID: "v1", Policy: &berth.Policy{},
		CreatedAt: monday.Add(-time.Minute), StartedAt: monday.Add(-time.Minute), CompletedAt: monday, Tries: 1}
	f := Facts{
		Workspace:    berth.Workspace{ID: "w", Name: "web", CreatedAt: monday.Add(-24 * time.Hour), Lifecycle: berth.Lifecycle{AutomaticUpdates: berth.UpdatesNever}},
		Organization: berth.Organization{AutostartDays: berth.EveryDay},
		Template: berth.Template{ActiveVersionID: "v1", Policy: berth.TemplatePolicy{AllowUserAutostart: true, AllowUserAutostop: true,
			AutostartDays: berth.EveryDay, AutostopWeeks: 1, Rollout: berth.RolloutNextStart}},
		Owner: berth.User{Username: "ana", Status: berth.UserActive},
		Build: run, Run: &run,
		Place: Place{Ready: true},
		Site:  Site{QuietHours: "CRON_TZ=UTC 0 0 * * *", CustomQuietHours: true, UnknownGrace: 24 * time.Hour},
	}
	for _, change := range changes {
		change(&f)
	}
	return f
}

// asItStands gives the run the policy that holds.
func asItStands(f *Facts) {
	p := PolicyOf(*f)
	f.Run.Policy = &p
}

func ttl(d time.Duration) func(*Facts)     { return func(f *Facts) { f.Workspace.TTL = d } }
func bump(d time.Duration) func(*Facts)    { return func(f *Facts) { f.Template.Policy.ActivityBump = d } }
func autoOff(d time.Duration) func(*Facts) { return func(f *Facts) { f.Organization.AutoOff = d } }
func usedAt(t time.Time) func(*Facts) {
	return func(f *Facts) { f.Seen.Newest = berth.Evidence{Kind: berth.EvidenceSSH, Since: t, At: t} }
}
func schedule(s string) func(*Facts) { return func(f *Facts) { f.Workspace.Autostart = s } }

func TestDeadlineOfTTL(t *testing.T) {
	t.Parallel()
	at := func(h float64) time.Time { return monday.Add(time.Duration(h * float64(time.Hour))) }
	for name, c := range map[string]struct {
		changes []func(*Facts)
		now     time.Time
		want    time.Time
	}{
		"none":                                        {nil, at(1), time.Time{}},
		"from the end of the start":                   {[]func(*Facts){ttl(8 * time.Hour)}, at(1), at(8)},
		"use moves it":                                {[]func(*Facts){ttl(8 * time.Hour), bump(time.Hour), usedAt(at(7.5))}, at(7.6), at(8.5)},
		"use does not move it to sooner":              {[]func(*Facts){ttl(8 * time.Hour), bump(time.Hour), usedAt(at(1))}, at(2), at(8)},
		"without a bump, use does not move it":        {[]func(*Facts){ttl(8 * time.Hour), usedAt(at(7.5))}, at(7.6), at(8)},
		"a person's start is no use of what runs":     {[]func(*Facts){ttl(time.Minute), bump(time.Hour), func(f *Facts) { f.Workspace.LastUsedAt = f.Run.CompletedAt }}, at(0), at(1. / 60)},
		"a connection since is":                       {[]func(*Facts){ttl(time.Minute), bump(time.Hour), func(f *Facts) { f.Workspace.LastUsedAt = at(0.01) }}, at(0.01), at(1.01)},
		"past the next start by schedule":             {[]func(*Facts){ttl(25 * time.Hour), schedule("0 9 * * *")}, at(1), at(24 + 25)},
		"use past the next start by schedule":         {[]func(*Facts){ttl(8 * time.Hour), bump(2 * time.Hour), usedAt(at(23)), schedule("0 9 * * *")}, at(23.5), at(24 + 8)},
		"it stays so when it is used after the start": {[]func(*Facts){ttl(8 * time.Hour), bump(2 * time.Hour), usedAt(at(25)), schedule("0 9 * * *")}, at(25), at(24 + 8)},
	} {
		f := world(append(c.changes, asItStands)...)
		if got := Deadline(f, c.now).At; !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
