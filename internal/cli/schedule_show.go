package cli

import (
	"time"

	"github.com/berthdev/berth/api"
)

// showSchedule shows by what a workspace starts and stops, and when.
func (a *app) showSchedule(s api.Schedule, t target, now time.Time) {
	a.field("starts", startsWords(s, now))
	a.field("stops", stopsWords(s, now))
	if s.DormantAt != nil {
		a.field("dormant", asleepWords(s.Ahead, t, now))
	}
	a.say("")
	a.field("schedule", fixed(first(s.AutostartSays, "none: it is started by hand"), s.AutostartFixed))
	a.field("time to live", fixed(ttlWords(s), s.TTLFixed))
	a.field("auto-off", fixed(autoOffWords(s), s.AutoOffFixed))
	if s.RequiredStop != "" {
		a.field("required stop", s.RequiredStop+", in quiet hours")
		a.field("quiet hours", s.QuietHours)
	}
	updates := "never by itself"
	if s.AutomaticUpdates == "always" {
		updates = "to the active version when it is started by itself or by a connection"
	}
	a.field("updates", updates)
}

// showAhead says in a line each what the rules have in store for a workspace.
func (a *app) showAhead(w api.Workspace, now time.Time) {
	if w.StopsAt != nil {
		a.field("stops", day(*w.StopsAt, now)+" ("+cell(w.StopsWhy)+"); more with berth schedule show "+w.Name)
	}
	if w.StartsAt != nil {
		a.field("starts", day(*w.StartsAt, now)+", if it is stopped then")
	}
	if w.DormantAt != nil {
		a.field("dormant", asleepWords(w.Ahead, target{owner: w.Owner, name: w.Name}, now))
	}
}

func startsWords(s api.Schedule, now time.Time) string {
	switch {
	case s.StartsAt != nil:
		return day(*s.StartsAt, now) + ", if it is stopped then"
	case s.AutostartNot != "":
		return "not by its schedule. " + cell(s.AutostartNot)
	default:
		return "by hand alone"
	}
}

// stopsWords says when a workspace is stopped, and what moves that.
func stopsWords(s api.Schedule, now time.Time) string {
	if s.StopsAt == nil {
		return "by hand alone, as things are"
	}
	text := day(*s.StopsAt, now) + " (" + cell(s.StopsWhy) + ")"
	latest := s.StopsLatest != nil && s.StopsLatest.After(*s.StopsAt)
	if s.StopsMoves > 0 {
		text += "; each use moves that to " + inWords(time.Duration(s.StopsMoves)*time.Second) + " later"
	}
	if latest {
		text += "; never past " + day(*s.StopsLatest, now) + ", since " + cell(s.StopsBecause)
	}
	return text
}

func ttlWords(s api.Schedule) string {
	if s.TTL == 0 {
		return "none: it runs until something else stops it"
	}
	text := inWords(time.Duration(s.TTL)*time.Second) + " after each start"
	if s.ActivityBump > 0 {
		text += ", and " + inWords(time.Duration(s.ActivityBump)*time.Second) + " after each use at least"
	}
	return text
}

func autoOffWords(s api.Schedule) string {
	text := "none"
	if s.AutoOff > 0 {
		text = "after " + inWords(time.Duration(s.AutoOff)*time.Second) + " without use"
	}
	if !s.AutoOffOwn {
		text += ", as its organization says"
	}
	return text
}

// fixed adds why people cannot change something.
func fixed(text, why string) string {
	if why == "" {
		return text
	}
	return text + " (" + cell(why) + ")"
}

// editedWords says what came of a change, or would.
func editedWords(e api.EditedSchedule, in api.EditSchedule, t target, now time.Time) (lines []string) {
	name := t.String()
	say := func(text string) { lines = append(lines, text) }
	if !e.Changed {
		say(name + ": nothing changes")
	}
	if in.DryRun {
		name = "dry run: " + name
	}
	if in.Autostart != nil {
		switch {
		case e.Autostart == "":
			say(name + " is started by hand alone")
		case e.StartsAt == nil:
			say(name + " starts at " + e.AutostartSays + ", but not as things are. " + cell(e.AutostartNot))
		default:
			say(name + " starts at " + e.AutostartSays + ", next on " + day(*e.StartsAt, now))
		}
	}
	if in.TTL != nil {
		say(name + ", time to live: " + ttlWords(e.Schedule))
	}
	if in.AutoOff != nil || in.AutoOffDefault {
		say(name + ", auto-off: " + autoOffWords(e.Schedule))
	}
	if in.TTL != nil || in.AutoOff != nil || in.AutoOffDefault {
		lines = append(lines, runWords(e, now)...)
	}
	for _, n := range e.Notes {
		say(cell(n))
	}
	return lines
}

// runWords says what a change does to what runs now.
func runWords(e api.EditedSchedule, now time.Time) (lines []string) {
	switch before := e.StoppedAt; {
	case before == nil && e.StopsAt == nil && e.NowAt == nil:
		return nil // it does not run, or nothing stops it either way
	case e.NowAt != nil:
		until := "runs on"
		if e.StopsAt != nil {
			until = "stops on " + day(*e.StopsAt, now) + " as before"
		}
		return []string{"What runs now " + until + "; the change counts from its next start. With --now it stops on " + day(*e.NowAt, now) + "."}
	case e.StopsAt == nil:
		return []string{"What runs now is not stopped by that any more."}
	case before == nil || !before.Equal(*e.StopsAt):
		return []string{"What runs now stops on " + day(*e.StopsAt, now) + ", " + cell(e.StopsWhy) + "."}
	default:
		return []string{"What runs now stops on " + day(*e.StopsAt, now) + " as before."}
	}
}

// asleepWords says that a workspace is dormant, and what comes of it.
func asleepWords(s api.Ahead, t target, now time.Time) string {
	text := "since " + clock(*s.DormantAt, now)
	if s.DeletingAt != nil {
		text += ", deleted on " + day(*s.DeletingAt, now)
	}
	return text + "; wake it with: berth dormancy wake " + t.String()
}
