package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// refresh asks the agents of a running workspace what it is used for. unknown
// tells that they did not answer, while people could work there.
func refresh(ctx context.Context, c *client.Client, w *api.Workspace) (unknown bool) {
	if w.Status != "running" || w.Activity == nil {
		return false
	}
	asked, err := c.Activity(ctx, w.ID)
	if err != nil {
		return false // a server that does not know how
	}
	w.Activity = &asked.Activity
	return !asked.Known && slices.ContainsFunc(w.Agents, func(g api.Agent) bool { return g.Status == "connected" })
}

// showActivity says what keeps a workspace awake, or when it was last used.
func (a *app) showActivity(w api.Workspace, now time.Time) {
	act := w.Activity
	if act == nil {
		a.field("last used", agoPtr(w.LastUsedAt, now))
		return
	}
	a.field("activity", awake(*act, now))
	used := agoPtr(w.LastUsedAt, now)
	if n := act.Newest; n != nil {
		used = ago(n.At, now) + " (" + use(*n) + ")"
		if w.LastUsedAt != nil && w.LastUsedAt.Sub(n.At) > time.Minute {
			used = agoPtr(w.LastUsedAt, now)
		}
	}
	a.field("last used", used)
}

// awake is one sentence on what keeps a workspace awake; empty when nothing
// does and nothing is to be said.
func awake(act api.Activity, now time.Time) string {
	var why []string
	if act.Awake && act.Newest != nil && now.Sub(act.Newest.At) <= berth.SpellGap+time.Minute {
		why = append(why, "kept awake by "+use(*act.Newest)+" since "+clock(act.Newest.Since, now))
	}
	if act.Awake {
		for _, h := range act.Holds {
			text := "held until " + clock(h.Until, now) + " by " + cell(h.By)
			if h.Reason != "held by "+h.By {
				text += ": " + cell(h.Reason)
			}
			why = append(why, text)
		}
	}
	if len(why) == 0 && !act.IdleCounts {
		for _, e := range act.Evidence {
			if e.Kind == berth.EvidenceConnection && now.Sub(e.At) <= berth.SpellGap+time.Minute {
				why = append(why, "not in use: a connection is open and idle, which is no activity")
			}
		}
	}
	return strings.Join(why, "; ")
}

// use names evidence as in "kept awake by …".
func use(e berth.Evidence) string {
	detail := cell(e.Detail)
	with := func(noun string) string {
		if detail == "" {
			return noun
		}
		return noun + " (" + detail + ")"
	}
	switch e.Kind {
	case berth.EvidenceSSH:
		return with("an SSH session")
	case berth.EvidenceTerminal:
		return "a terminal session" // there is one kind of them
	case berth.EvidenceIDE:
		return first(editorTitle(detail), with("an editor"))
	case berth.EvidenceForward:
		return with("a forwarded port")
	case berth.EvidenceApp:
		return with("an app")
	case berth.EvidenceProcessor:
		return with("work of the processor")
	case berth.EvidenceProcess:
		return with("a process")
	case berth.EvidenceConnection:
		return with("an open connection")
	}
	return with(string(e.Kind))
}

// editorTitle is what people call an editor that says its name; empty for one
// that is not known.
func editorTitle(name string) string {
	for _, e := range editors {
		if e.name == name {
			return e.title
		}
	}
	return ""
}

// clock is a time as people say it: 10:04, with the day when it is another.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2 Jan 15:04")
}

// day is a time of which the day matters: Fri 3 Jan 15:04, with the year when it
// is another.
func day(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Year() != now.Year() {
		return t.Format("2 Jan 2006 15:04")
	}
	return t.Format("Mon 2 Jan 15:04")
}

// clockPtr is clock, or nothing of no time; dayPtr is day in the same way.
func clockPtr(t *time.Time, now time.Time) string { return ifAny(t, now, clock) }

func dayPtr(t *time.Time, now time.Time) string { return ifAny(t, now, day) }

func ifAny(t *time.Time, now time.Time, format func(t, now time.Time) string) string {
	if t == nil {
		return ""
	}
	return format(*t, now)
}

// showPressure says what of an agent's computer is too full.
func (a *app) showPressure(g api.Agent, now time.Time) {
	for _, p := range g.Pressure {
		what := "memory"
		if p.Path != "" {
			what = "the volume of " + cell(p.Path)
		}
		a.field("warning", a.look.warn(fmt.Sprintf("%s: %s is %d%% full since %s; the template warns from %d%%", g.Name, what, p.Percent, clock(p.Since, now), p.Limit)))
	}
}
