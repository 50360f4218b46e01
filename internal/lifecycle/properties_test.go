package lifecycle

import (
	"reflect"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"pgregory.net/rapid"
)

// drawn makes facts of every kind, also such that should not exist.
type drawn struct {
	*rapid.T
	now  time.Time
	unit time.Duration // of all times
}

func (d drawn) pick(name string, lengths ...time.Duration) time.Duration {
	return rapid.SampledFrom(lengths).Draw(d.T, name)
}

func (d drawn) yes(name string) bool { return rapid.Bool().Draw(d.T, name) }

// around is a time near now, or none.
func (d drawn) around(name string) time.Time {
	if rapid.IntRange(0, 2).Draw(d.T, name+" is set") == 0 {
		return time.Time{}
	}
	span := d.pick(name+" span", time.Minute, time.Hour, 24*time.Hour, 40*24*time.Hour)
	return d.now.Add(time.Duration(rapid.Int64Range(-int64(span), int64(span/4)).Draw(d.T, name))).Truncate(d.unit)
}

// before is a time before now.
func (d drawn) before(name string) time.Time {
	at := d.around(name)
	if at.IsZero() || at.After(d.now) {
		return d.now.Add(-d.pick(name+" ago", time.Second, time.Minute, time.Hour, 26*time.Hour, 9*24*time.Hour)).Truncate(d.unit)
	}
	return at
}

const day = 24 * time.Hour

func (d drawn) policy(name string) berth.Policy {
	return berth.Policy{TTL: d.pick(name+" ttl", 0, time.Minute, 8*time.Hour, 30*day), Bump: d.pick(name+" bump", 0, time.Hour, 3*time.Hour),
		AutoOff: d.pick(name+" auto-off", 0, time.Minute, 2*time.Hour), AutostopDays: berth.Weekdays(rapid.SampledFrom([]int{0, 0, 1, 64, 127}).Draw(d.T, name+" days")),
		AutostopWeeks: rapid.IntRange(0, 17).Draw(d.T, name+" weeks"), QuietHours: d.quiet(name + " quiet hours")}
}

func (d drawn) quiet(name string) string {
	return rapid.SampledFrom([]string{"", "CRON_TZ=UTC 0 0 * * *", "CRON_TZ=Europe/Dublin 30 1 * * *", "CRON_TZ=America/New_York 50 23 * * *", "nonsense"}).Draw(d.T, name)
}

func (d drawn) build(name string) berth.Build {
	b := berth.Build{ID: berth.BuildID(name), Number: 1, Tries: rapid.IntRange(0, 7).Draw(d.T, name+" tries"), StartedAt: d.now, VersionID: rapid.SampledFrom([]berth.VersionID{"v1", "v2"}).Draw(d.T, name+" version"),
		Reason:     rapid.SampledFrom([]berth.Reason{berth.ReasonCLI, berth.ReasonAutostart, berth.ReasonAutostop, berth.ReasonDormancy, berth.ReasonAutodelete, berth.ReasonSuspended}).Draw(d.T, name+" reason"),
		Transition: rapid.SampledFrom([]berth.Transition{berth.Start, berth.Stop, berth.Stop, berth.Delete}).Draw(d.T, name+" transition")}
	b.CompletedAt = d.before(name + " ended")
	b.CreatedAt = b.CompletedAt.Add(-d.pick(name+" took", time.Second, 3*time.Minute)).Truncate(d.unit)
	b.StartedAt = b.CreatedAt
	switch rapid.IntRange(0, 3).Draw(d.T, name+" outcome") {
	case 0:
		b.Error, b.ErrorCode = "failed", rapid.SampledFrom([]string{"terraform", "quota"}).Draw(d.T, name+" code")
	case 1:
		b.CanceledAt = b.CompletedAt
	}
	return b
}

func (d drawn) facts() Facts {
	f := Facts{
		Workspace: berth.Workspace{ID: "w", CreatedAt: d.before("created"), LastUsedAt: d.around("used"), UpdatedAt: d.around("changed"), Lifecycle: berth.Lifecycle{
			Autostart: rapid.SampledFrom([]string{"", "CRON_TZ=UTC 0 9 * * *", "CRON_TZ=Europe/Dublin 30 1 * * 1-5", "*/5 * * * *", "nonsense"}).Draw(d.T, "autostart"),
			TTL:       d.pick("ttl", 0, time.Minute, 8*time.Hour, 30*day), AutomaticUpdates: berth.UpdatesNever,
			ExtendedUntil: d.around("extended"), DormantAt: d.around("dormant"), DeletingAt: d.around("deleting"), NoticedAt: d.around("noticed"),
			UnknownSince: d.around("unknown"), RemindedFor: d.around("reminded"), StartTakes: d.pick("start takes", 0, time.Minute, time.Hour),
			Prebuild: rapid.IntRange(0, 30).Draw(d.T, "prebuild") == 30}},
		Organization: berth.Organization{AutostartDays: berth.Weekdays(rapid.SampledFrom([]int{0, 127, 62}).Draw(d.T, "days")), AutoOff: d.pick("auto-off", 0, 2*time.Hour),
			AutoOffByUser: d.yes("auto-off by user"), AutostartUsedWithin: d.pick("used within", 0, 4*day)},
		Template: berth.Template{ActiveVersionID: "v2"},
		Owner: berth.User{Username: "ana", QuietHours: d.quiet("quiet hours"), UpdatedAt: d.around("owner changed"),
			Status: rapid.SampledFrom([]berth.UserStatus{berth.UserActive, berth.UserActive, berth.UserDormant, berth.UserSuspended}).Draw(d.T, "status")},
		Build: d.build("newest"),
		Asked: d.yes("asked"), Answered: d.yes("answered"),
		Place: Place{Ready: rapid.IntRange(0, 5).Draw(d.T, "ready") > 0, Why: "No runner is there.", Full: rapid.IntRange(0, 5).Draw(d.T, "full") == 0},
		Site:  Site{QuietHours: "CRON_TZ=UTC 0 0 * * *", CustomQuietHours: d.yes("custom quiet hours"), UnknownGrace: d.pick("grace", 0, day)},
	}
	if d.yes("own auto-off") {
		own := d.pick("own auto-off", 0, time.Hour)
		f.Workspace.AutoOff = &own
	}
	p := d.policy("template")
	f.Template.Policy = berth.TemplatePolicy{DefaultTTL: p.TTL, ActivityBump: p.Bump, AutostopDays: p.AutostopDays, AutostopWeeks: p.AutostopWeeks,
		AutostartDays: berth.Weekdays(rapid.SampledFrom([]int{0, 127, 62}).Draw(d.T, "template days")), FailureTTL: d.pick("failure ttl", 0, time.Hour),
		DormancyThreshold: d.pick("threshold", 0, 10*day), DormancyAutoDeletion: d.pick("auto-deletion", 0, time.Hour, 5*day),
		AllowUserAutostart: d.yes("allow autostart"), AllowUserAutostop: d.yes("allow autostop"), RequireActive: d.yes("require active"),
		Rollout:        rapid.SampledFrom([]berth.Rollout{berth.RolloutNextStart, berth.RolloutWhenIdle, berth.RolloutQuietHours}).Draw(d.T, "rollout"),
		AutostopNotify: d.pick("notify", 0, 15*time.Minute), ActivatedAt: d.around("activated")}
	if b := f.Build; b.Transition == berth.Start && (b.Status() == berth.BuildSucceeded || d.yes("left something")) {
		f.Run = &b
	} else if b.Status() != berth.BuildSucceeded && d.yes("ran before") {
		run := d.build("run")
		run.Transition, run.CompletedAt = berth.Start, b.CreatedAt.Add(-d.pick("run before", time.Minute, day, 8*day))
		run.CreatedAt = run.CompletedAt.Add(-time.Minute)
		f.Run = &run
	}
	if f.Run != nil && d.yes("has a policy") {
		p := d.policy("stood")
		f.Run.Policy = &p
		if f.Build.ID == f.Run.ID {
			f.Build.Policy = &p
		}
	}
	if rapid.IntRange(0, 20).Draw(d.T, "under way") == 0 {
		f.Build.CompletedAt, f.Build.Error = time.Time{}, ""
	}
	if at := d.around("evidence"); !at.IsZero() {
		f.Seen.Newest = berth.Evidence{Kind: berth.EvidenceSSH, Since: at, At: at}
	}
	if rapid.IntRange(0, 4).Draw(d.T, "held") == 0 {
		f.Seen.Holds = []berth.Hold{{Until: d.around("hold"), By: "ana", Reason: "training"}}
	}
	return f
}

func draw(t *rapid.T) (Facts, time.Time) {
	return drawIn(t, time.Second)
}

func drawIn(t *rapid.T, unit time.Duration) (Facts, time.Time) {
	d := drawn{t, time.Unix(1700000000+rapid.Int64Range(0, 6*365*86400).Draw(t, "now"), 0).Truncate(unit), unit}
	return d.facts(), d.now
}

// taken is what Next wants once the agents were asked, if it wants that.
func taken(f Facts, now time.Time) (Facts, Step) {
	s := Next(f, now)
	if s.Ask {
		f.Asked, f.Answered = true, true
		s = Next(f, now)
	}
	return f, s
}

func TestNoStepIsEverWrong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := draw(t)
		if s := Next(f, now); s.Ask && Check(f, s, now) == nil {
			t.Fatalf("%+v could be taken with nobody asked", s)
		}
		f, s := taken(f, now)
		if s.Ask {
			t.Fatalf("it wants to ask twice: %+v", s)
		}
		if err := Check(f, s, now); err != nil {
			t.Fatalf("%+v: %s", s, err)
		}
	})
}

func TestSameFactsSameStep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := draw(t)
		before := f
		if f.Run != nil {
			run := *f.Run
			before.Run = &run
		}
		one, plan := Next(f, now), Deadline(f, now)
		Forecast(f, now, 7*day)
		if two := Next(f, now); one != two || plan != Deadline(f, now) {
			t.Fatalf("%+v, then %+v", one, two)
		}
		if !reflect.DeepEqual(f, before) {
			t.Fatal("the facts were changed")
		}
	})
}

// TestNothingIsMissed: until it is to be looked at again, there is nothing to do.
func TestNothingIsMissed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := draw(t)
		s := Next(f, now)
		if s.Do != Nothing {
			return
		}
		for range 20 {
			at := now.Add(time.Duration(rapid.Int64Range(0, int64(60*day)).Draw(t, "later")))
			if !s.Look.IsZero() && !at.Before(s.Look) {
				at = now.Add(s.Look.Sub(now) / 2)
			}
			if s := Next(f, at); s.Do != Nothing {
				t.Fatalf("nothing at %s until %s, but at %s %+v", now, s.Look, at, s)
			}
		}
	})
}

// notSooner tells whether a plan stops no sooner than another.
func notSooner(p, than StopPlan) bool {
	return p.At.IsZero() || !than.At.IsZero() && !p.At.Before(than.At)
}

func TestWhatPeopleDoNeverStopsSooner(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := draw(t)
		before := Deadline(f, now)
		more := time.Duration(rapid.Int64Range(0, int64(3*day)).Draw(t, "more"))
		switch rapid.IntRange(0, 2).Draw(t, "what") {
		case 0:
			f.Seen.Newest.At = later(f.Seen.Newest.At, now.Add(-time.Hour)).Add(more)
		case 1:
			f.Workspace.ExtendedUntil = later(f.Workspace.ExtendedUntil, now).Add(more)
		case 2:
			f.Seen.Holds = append(f.Seen.Holds, berth.Hold{Until: now.Add(more)})
		}
		after := Deadline(f, now)
		if !notSooner(after, before) {
			t.Fatalf("from %+v to %+v", before, after)
		}
		if !after.Never.Equal(before.Never) || !after.Never.IsZero() && (after.At.IsZero() || after.At.After(after.Never)) {
			t.Fatalf("the required stop was moved: %+v to %+v", before, after)
		}
	})
}

// TestEditsReachNoRun: an edit that nobody put on what runs never stops it
// sooner.
func TestEditsReachNoRun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := draw(t)
		if f.Run == nil {
			return
		}
		edited := Deadline(f, now)
		// As if nothing had been edited.
		p := f.Run.Policy
		if p == nil {
			p = &berth.Policy{}
		}
		f.Template.Policy.AllowUserAutostop, f.Template.Policy.DefaultTTL, f.Template.Policy.ActivityBump = false, p.TTL, p.Bump
		f.Template.Policy.AutostopDays, f.Template.Policy.AutostopWeeks = p.AutostopDays, p.AutostopWeeks
		f.Organization.AutoOffByUser, f.Organization.AutoOff, f.Owner.QuietHours, f.Site.CustomQuietHours = false, p.AutoOff, p.QuietHours, true
		if p.QuietHours == "" {
			f.Site.QuietHours = ""
		}
		if stood := Deadline(f, now); !notSooner(edited, stood) {
			t.Fatalf("it stood %+v, and an edit made it %+v", stood, edited)
		}
	})
}

// TestEditsCanBeTakenBack: what is put on what runs stops nothing for an hour.
func TestEditsCanBeTakenBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := draw(t)
		if f.Run == nil {
			return
		}
		before := Deadline(f, now)
		put := later(now, f.Run.CompletedAt.Add(time.Second))
		d := drawn{t, now, time.Second}
		var what Put
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			p := d.policy("edited")
			f.Template.Policy.DefaultTTL, f.Template.Policy.ActivityBump, f.Template.Policy.AutostopDays, f.Template.Policy.AutostopWeeks = p.TTL, p.Bump, p.AutostopDays, p.AutostopWeeks
			what = Put{TTL: true, Bump: true, Required: true}
		case 1:
			f.Workspace.TTL, what.TTL = d.pick("edited ttl", 0, time.Minute, time.Hour), true
		case 2:
			f.Organization.AutoOff, what.AutoOff = d.pick("edited auto-off", 0, time.Minute, time.Hour), true
		case 3:
			f.Owner.QuietHours, what.QuietHours = d.quiet("edited quiet hours"), true
		}
		run, p := *f.Run, PutOn(f, what, put)
		run.Policy, f.Run = &p, &run
		if after := Deadline(f, now); !notSooner(after, before) && after.At.Before(put.Add(time.Hour)) {
			t.Fatalf("from %+v to %+v within an hour of %s", before, after, put)
		}
	})
}

// TestForecastComes: what is forecast is what happens to somebody who looks each
// minute.
func TestForecastComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := drawIn(t, time.Minute)
		within := day / 2
		forecast := Forecast(f, now, within)
		var last time.Time
		acts := 0
		full := len(forecast) == maxComing
		f = undisturbed(f, now)
		for at := later(now, f.Build.CompletedAt); // each minute
		!at.After(now.Add(within)); at = at.Add(time.Minute) {
			s := Next(f, at)
			if s.Do == Nothing {
				continue
			}
			if err := Check(f, s, at); err != nil {
				t.Fatalf("%+v: %s", s, err)
			}
			if acts++; at.After(last) {
				last, acts = at, 0
			} else if acts > 5 {
				t.Fatalf("at %s again and again %+v", at, s)
			}
			if s.Do != Remind && len(forecast) == 0 {
				if full || at.Equal(now.Add(within)) {
					return
				}
				t.Fatalf("at %s %+v, which was not forecast", at, s)
			}
			if s.Do != Remind {
				c := forecast[0]
				forecast = forecast[1:]
				if c.Do != s.Do || c.Rule != s.Rule || at.Sub(c.At).Abs() > time.Minute {
					t.Fatalf("at %s %+v, but the forecast was %+v", at, s, c)
				}
			}
			if s.Do == Delete {
				return
			}
			f = happened(f, s, at)
			at = later(at, f.Build.CompletedAt).Add(-time.Minute)
		}
		for _, c := range forecast {
			if c.At.Before(now.Add(within - 10*time.Minute)) {
				t.Fatalf("%+v did not happen", c)
			}
		}
	})
}

// TestClocksThatJump: at any other time the step for the same facts is right too.
func TestClocksThatJump(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, now := draw(t)
		for range 5 {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(400*day), int64(400*day)).Draw(t, "jump")))
			f, s := taken(f, now)
			if err := Check(f, s, now); err != nil {
				t.Fatalf("%+v: %s", s, err)
			}
		}
	})
}
