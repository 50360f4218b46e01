package schedules_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// ptr is a pointer to a value.
func ptr[T any](v T) *T { return &v }

func ttl(d time.Duration) schedules.Edit {
	return schedules.Edit{Settings: workspaces.Settings{TTL: &d}}
}

// refused wants an error of a code about a field, with a word of the cure in it.
func refused(t *testing.T, err error, code berth.Code, field, cure string) {
	t.Helper()
	var e *berth.Error
	if !errors.As(err, &e) || e.Code != code || e.Field != field || !strings.Contains(e.Message, cure) {
		t.Errorf("%v; want %s about %q that says %q", err, code, field, cure)
	}
}

// What runs is stopped by what held when it started, unless a change makes that
// later, or somebody wants it now; then there is an hour to take it back.
func TestEditReachesWhatRuns(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.ActivityBump = 8*time.Hour, 0 })
		id := h.running("web")
		began := h.facts(id).Run.CompletedAt
		edit := func(in schedules.Edit, stops time.Duration) schedules.Edited {
			t.Helper()
			e, err := h.schedules.Edit(t.Context(), h.mel, id, in)
			must(t, err)
			if got := e.Stop.At.Sub(began); e.Stop.At.IsZero() && stops != 0 || !e.Stop.At.IsZero() && got != stops {
				t.Errorf("%v: it stops %v after its start, want %v", *in.TTL, got, stops)
			}
			return e
		}
		time.Sleep(30 * time.Minute)
		dry := ttl(time.Hour)
		dry.DryRun = true
		if e := edit(dry, 8*time.Hour); !e.Changed || e.NowAt.Sub(began) != 90*time.Minute {
			t.Errorf("a dry run: %+v", e)
		}
		if f := h.facts(id); f.Workspace.TTL != 8*time.Hour {
			t.Errorf("a dry run changed the time to live to %v", f.Workspace.TTL)
		}
		e := edit(ttl(time.Hour), 8*time.Hour)
		if e.NowAt.Sub(began) != 90*time.Minute {
			t.Errorf("now it would stop %v after its start", e.NowAt.Sub(began))
		}
		now := ttl(time.Hour)
		now.Now = true
		edit(now, 90*time.Minute)
		edit(ttl(12*time.Hour), 12*time.Hour)
		if e := edit(ttl(12*time.Hour), 12*time.Hour); e.Changed {
			t.Errorf("the same again changed something: %+v", e)
		}
		edit(ttl(0), 0)
		if a, err := h.schedules.Show(t.Context(), h.mel, id); err != nil || !a.Stop.At.IsZero() {
			t.Errorf("without a time to live it stops at %v, %v", a.Stop.At, err)
		}
	})
}

// What was put on a run says nothing of later changes: they count from the next
// start again.
func TestAChangeForNowOpensNoDoorToOthers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) {
			p.DefaultTTL, p.ActivityBump, p.AutostopDays, p.AutostopWeeks = 20*24*time.Hour, 0, berth.EveryDay, 1
		})
		h.organization(func(o *berth.Organization) { o.AutoOffByUser = true })
		quiet := func(text string, now bool) {
			t.Helper()
			_, err := h.schedules.SetQuietHours(t.Context(), h.mel, "me", text, now)
			must(t, err)
		}
		quiet("CRON_TZ=UTC 0 20 * * *", false)
		id := h.running("web")
		began := h.facts(id).Run.CompletedAt
		time.Sleep(30 * time.Minute)
		stops := func(what string, at, never time.Duration) {
			t.Helper()
			if stop := h.show(id).Stop; stop.At.Sub(began).Round(time.Minute) != at || stop.Never.Sub(began).Round(time.Minute) != never {
				t.Errorf("%s: it stops %v after its start, %v at the latest; want %v, %v", what, stop.At.Sub(began), stop.Never.Sub(began), at, never)
			}
		}
		edit := func(s workspaces.Settings, now bool) {
			t.Helper()
			_, err := h.schedules.Edit(t.Context(), h.mel, id, schedules.Edit{Settings: s, Now: now})
			must(t, err)
		}
		stops("at first", 20*time.Hour, 20*time.Hour)
		quiet("CRON_TZ=UTC 0 18 * * *", true)
		stops("other quiet hours", 18*time.Hour, 18*time.Hour)
		quiet("CRON_TZ=UTC 0 16 * * *", false)
		stops("quiet hours for the next start", 18*time.Hour, 18*time.Hour)
		edit(workspaces.Settings{TTL: ptr(4 * time.Hour)}, true)
		stops("a time to live", 4*time.Hour, 18*time.Hour)
		edit(workspaces.Settings{TTL: ptr(2 * time.Hour)}, false)
		stops("one for the next start", 4*time.Hour, 18*time.Hour)
		edit(workspaces.Settings{AutoOff: ptr(3 * time.Hour)}, true)
		stops("auto-off", 3*time.Hour, 18*time.Hour)
		edit(workspaces.Settings{AutoOff: ptr(2 * time.Hour)}, false)
		stops("one for the next start", 3*time.Hour, 18*time.Hour)
		edit(workspaces.Settings{TTL: ptr(2 * time.Hour)}, true)
		stops("the time to live of before", 2*time.Hour, 18*time.Hour)
	})
}

// What a template or an organization does not let people say is refused with the
// reason; to take a schedule away is always allowed.
func TestEditIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		edit := func(s workspaces.Settings) error {
			_, err := h.schedules.Edit(t.Context(), h.mel, id, schedules.Edit{Settings: s})
			return err
		}
		must(t, edit(workspaces.Settings{Autostart: ptr("CRON_TZ=Europe/Dublin 30 9 * * MON-FRI")}))
		if got := h.facts(id).Workspace.Autostart; got != "CRON_TZ=Europe/Dublin 30 9 * * 1-5" {
			t.Errorf("the schedule is kept as %q", got)
		}
		refused(t, edit(workspaces.Settings{Autostart: ptr("CRON_TZ=Europe/Dublin 30 9 1 * *")}), berth.Invalid, "autostart", "day of the month")
		refused(t, edit(workspaces.Settings{TTL: ptr(59 * time.Second)}), berth.Invalid, "ttl_seconds", "1 minute to 30 days")
		refused(t, edit(workspaces.Settings{TTL: ptr(31 * 24 * time.Hour)}), berth.Invalid, "ttl_seconds", "1 minute to 30 days")
		h.organization(func(o *berth.Organization) { o.AutoOffByUser = false })
		refused(t, edit(workspaces.Settings{AutoOff: ptr(time.Hour)}), berth.Forbidden, "auto_off_seconds", "ask one of its owners")
		refused(t, edit(workspaces.Settings{AutoOff: ptr(time.Minute)}), berth.Invalid, "auto_off_seconds", "5 minutes")
		refused(t, edit(workspaces.Settings{AutoOff: ptr(time.Hour), AutoOffDefault: true}), berth.Invalid, "auto_off_default", "not both")
		refused(t, edit(workspaces.Settings{AutomaticUpdates: ptr(berth.Updates("often"))}), berth.Invalid, "automatic_updates", "always or never")
		h.policy(func(p *berth.TemplatePolicy) { p.AllowUserAutostart, p.AllowUserAutostop = false, false })
		refused(t, edit(workspaces.Settings{Autostart: ptr("0 8 * * *")}), berth.Forbidden, "autostart", "the template dev does not let")
		refused(t, edit(workspaces.Settings{TTL: ptr(time.Hour)}), berth.Forbidden, "ttl_seconds", "ask who manages it")
		_, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "other", Template: "dev", Settings: workspaces.Settings{Autostart: ptr("0 8 * * *")}})
		refused(t, err, berth.Forbidden, "autostart", "ask who manages it")
		must(t, edit(workspaces.Settings{Autostart: ptr("")}))
		if a, err := h.schedules.Show(t.Context(), h.mel, id); err != nil || !a.Start.At.IsZero() || a.AutostartFixed() == "" || a.TTLFixed() == "" {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := h.schedules.Edit(t.Context(), h.person("eve"), id, ttl(time.Hour)); !errors.Is(err, berth.NotFound) {
			t.Errorf("somebody else's edit: %v", err)
		}
	})
}

// A workspace's own auto-off holds only where its organization lets people say
// it.
func TestOwnAutoOff(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		holds := func(want time.Duration, own bool) {
			t.Helper()
			a, err := h.schedules.Show(t.Context(), h.mel, id)
			must(t, err)
			if p := a.Policy(); p.AutoOff != want || a.AutoOffOwn() != own {
				t.Errorf("auto-off %v, own %v; want %v, %v", p.AutoOff, a.AutoOffOwn(), want, own)
			}
		}
		h.organization(func(o *berth.Organization) { o.AutoOff, o.AutoOffByUser = 4*time.Hour, true })
		holds(4*time.Hour, false)
		_, err := h.schedules.Edit(t.Context(), h.mel, id, schedules.Edit{Settings: workspaces.Settings{AutoOff: ptr(time.Duration(0))}})
		must(t, err)
		holds(0, true)
		h.organization(func(o *berth.Organization) { o.AutoOffByUser = false })
		holds(4*time.Hour, false)
		_, err = h.schedules.Edit(t.Context(), h.mel, id, schedules.Edit{Settings: workspaces.Settings{AutoOffDefault: true}})
		must(t, err)
		h.organization(func(o *berth.Organization) { o.AutoOffByUser = true })
		holds(4*time.Hour, false)
	})
}

// An extension moves a stop to later only, at least half an hour ahead, and never
// past a stop that is required.
func TestExtend(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		extend := func(in schedules.Extend) error {
			_, err := h.schedules.Extend(t.Context(), h.mel, id, in)
			return err
		}
		refused(t, extend(schedules.Extend{For: time.Hour}), berth.Conflict, "", "nothing stops")
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL = 4 * time.Hour })
		id = h.running("api")
		refused(t, extend(schedules.Extend{For: 10 * time.Minute}), berth.Invalid, "seconds", "30 minutes")
		refused(t, extend(schedules.Extend{For: 31 * 24 * time.Hour}), berth.Invalid, "seconds", "30 days")
		refused(t, extend(schedules.Extend{For: 3 * time.Hour}), berth.Invalid, "seconds", "anyway")
		refused(t, extend(schedules.Extend{For: 5 * time.Hour, Until: time.Now().Add(time.Hour)}), berth.Invalid, "until", "not both")
		a, err := h.schedules.Extend(t.Context(), h.mel, id, schedules.Extend{For: 5 * time.Hour})
		must(t, err)
		if left := time.Until(a.Stop.At); left < 5*time.Hour-time.Second || left > 5*time.Hour+time.Second {
			t.Errorf("it runs for %v more", left)
		}
		use := h.shared(id, "gus", berth.GrantUse)
		if _, err := h.schedules.Extend(t.Context(), use, id, schedules.Extend{For: 6 * time.Hour}); err != nil {
			t.Errorf("who uses it by a share extends it: %v", err)
		}
		if _, err := h.schedules.Edit(t.Context(), use, id, ttl(time.Hour)); !errors.Is(err, berth.Forbidden) {
			t.Errorf("who uses it by a share sets it: %v", err)
		}
		h.policy(func(p *berth.TemplatePolicy) { p.AutostopDays, p.AutostopWeeks = berth.EveryDay, 1 })
		id = h.running("db")
		never := h.show(id).Stop.Never
		if never.IsZero() {
			t.Fatal("no stop is required")
		}
		refused(t, extend(schedules.Extend{Until: never.Add(time.Minute)}), berth.Invalid, "until", "at the latest")
		must(t, extend(schedules.Extend{Until: never}))
		if got := h.show(id).Stop.At; !got.Equal(never) {
			t.Errorf("it stops at %v, want %v", got, never)
		}
		id = h.stopped("off")
		refused(t, extend(schedules.Extend{For: time.Hour}), berth.Conflict, "", "berth start off")
	})
}

// organization changes what the default organization says.
func (h *house) organization(change func(o *berth.Organization)) {
	h.Helper()
	h.write(func(tx *store.Tx) error {
		o, err := tx.OrganizationRef("")
		if err != nil {
			return err
		}
		change(&o)
		return tx.UpdateOrganization(o)
	})
}

func (h *house) show(id berth.WorkspaceID) schedules.Ahead {
	h.Helper()
	a, err := h.schedules.Show(h.Context(), h.mel, id)
	must(h.T, err)
	return a
}

// shared shares a workspace with a new member.
func (h *house) shared(id berth.WorkspaceID, name string, role berth.GrantRole) authz.Actor {
	h.Helper()
	who := h.person(name)
	h.write(func(tx *store.Tx) error {
		return tx.PutGrant(store.WorkspaceGrants(id), berth.Grant{To: berth.Grantee{Kind: berth.GranteeUser, ID: string(who.UserID)}, Role: role}, h.mel.UserID)
	})
	return who
}

// New workspaces have the time to live of their template, unless they say
// another one.
func TestCreateWithSettings(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL = 3 * time.Hour })
		for name, c := range map[string]struct {
			in   workspaces.Settings
			want time.Duration
		}{"plain": {workspaces.Settings{}, 3 * time.Hour}, "own": {workspaces.Settings{TTL: ptr(time.Hour)}, time.Hour}, "never": {workspaces.Settings{TTL: ptr(time.Duration(0))}, 0}} {
			v, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: name, Template: "dev", Settings: c.in})
			must(t, err)
			if got := v.Workspace.TTL; got != c.want {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	})
}
