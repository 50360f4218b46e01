package lifecycle

import (
	"slices"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// What a person reads who wonders why a workspace is as it is.
func TestSays(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return monday.Add(time.Duration(n) * time.Hour) }
	off := func(f *Facts) {
		stop := berth.Build{ID: "stop", Transition: berth.Stop, Number: 2, Reason: berth.ReasonAutostop, CreatedAt: hour(8), CompletedAt: hour(8)}
		f.Build, f.Run = stop, nil
	}
	for name, c := range map[string]struct {
		changes []func(*Facts)
		now     time.Time
		want    []string
	}{
		"nothing stops it": {nil, hour(1), []string{
			"Nothing stops it by itself: no rule sets it a time.", "Nobody was seen using it since its start."}},
		"set while it ran": {[]func(*Facts){ttl(8 * time.Hour)}, hour(1), []string{
			"Nothing stops it by itself: its settings were changed while it ran, and count from its next start.", "Nobody was seen using it since its start."}},
		"time to live": {[]func(*Facts){ttl(8 * time.Hour), asItStands}, hour(1), []string{
			"It stops on Monday 16 November 17:00 (UTC): 8 h after its start. Use does not move that.", "Nobody was seen using it since its start."}},
		"somebody connected, and nothing was seen": {[]func(*Facts){ttl(8 * time.Hour), asItStands, func(f *Facts) { f.Workspace.LastUsedAt = f.Run.CompletedAt.Add(time.Minute) }},
			hour(1), []string{"It stops on Monday 16 November 17:00 (UTC): 8 h after its start. Use does not move that.", "It was last used on Monday 16 November 09:01 (UTC)."}},
		"moved by use, up to a required stop": {[]func(*Facts){ttl(8 * time.Hour), bump(time.Hour), usedAt(hour(1)), func(f *Facts) {
			f.Template.Policy.AutostopDays = 1 << time.Tuesday
			f.Owner.QuietHours = "CRON_TZ=Europe/Dublin 0 2 * * *"
		}, asItStands}, hour(2), []string{
			"It stops on Monday 16 November 17:00 (Europe/Dublin): 8 h after its start. Each use moves that to 1 h later, never past Tuesday 17 November 02:00 (Europe/Dublin): a stop is required on Tuesday, when quiet hours begin: 02:00 (Europe/Dublin).",
			"It was last seen in use on Monday 16 November 10:00 (Europe/Dublin) (ssh)."}},
		"held": {[]func(*Facts){ttl(time.Hour), func(f *Facts) {
			f.Seen.Holds = []berth.Hold{{By: "ana", Reason: "training", Until: hour(5)}}
		}, asItStands}, hour(1), []string{
			"It stops on Monday 16 November 14:00 (UTC): when the hold of ana (training) ends. Use does not move that.",
			"It is held awake until Monday 16 November 14:00 (UTC): the hold of ana (training) ends then.",
			"Nobody was seen using it since its start."}},
		"put off": {[]func(*Facts){autoOff(time.Hour), func(f *Facts) { f.Workspace.UnknownSince = hour(1) }, asItStands}, hour(2), []string{
			"It stops on Monday 16 November 10:00 (UTC): 1 h without use. Each use moves that to 1 h later.",
			"Nobody was seen using it since its start.",
			"It was due, and that is put off since Monday 16 November 10:00 (UTC): its agents do not answer, so nobody can say whether it is used; it is put off until Tuesday 17 November 10:00 (UTC) at most."}},
		"no place for the stop": {[]func(*Facts){ttl(time.Hour), func(f *Facts) { f.Place = Place{Why: "No runner is connected."} }, asItStands}, hour(1), []string{
			"It stops on Monday 16 November 10:00 (UTC): 1 h after its start. Use does not move that.", "Nobody was seen using it since its start.",
			"Its stop waits. No runner is connected."}},
		"stopped, without a schedule": {[]func(*Facts){off}, hour(9), []string{"Nothing starts it by itself. It has no schedule."}},
		"stopped, with one": {[]func(*Facts){schedule("CRON_TZ=Europe/Dublin 30 9 * * 1-5"), usedAt(hour(1)), off, func(f *Facts) { f.Workspace.StartTakes = 3 * time.Minute }}, hour(9), []string{
			"It starts for Tuesday 17 November 09:30 (UTC), begun 3 min before so that it is ready: its schedule is 09:30 on Monday to Friday (Europe/Dublin).",
			"It was last seen in use on Monday 16 November 10:00 (UTC) (ssh)."}},
		"asleep": {[]func(*Facts){off, func(f *Facts) { f.Workspace.DormantAt, f.Workspace.DeletingAt = hour(10), hour(10+24*30) }}, hour(11), []string{
			"It sleeps since Monday 16 November 19:00 (UTC): nothing starts it until somebody wakes it with berth dormancy wake web. It is deleted on Wednesday 16 December 19:00 (UTC) unless that happens before."}},
		"in a pool": {[]func(*Facts){func(f *Facts) { f.Workspace.Prebuild = true }}, hour(1), []string{
			"It waits in a pool to be claimed: no rule of people's workspaces is for it."}},
		"starting": {[]func(*Facts){func(f *Facts) {
			f.Build = berth.Build{ID: "b", Transition: berth.Start, Number: 2, CreatedAt: hour(1)}
			f.Run = nil
		}}, hour(1), []string{"Its start is under way; its rules are asked again when that has ended."}},
	} {
		if got := Says(world(c.changes...), c.now); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}
