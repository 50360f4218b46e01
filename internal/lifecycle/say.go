package lifecycle

import (
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// Zone is the zone that the sentences about a workspace tell times in: of its
// owner's quiet hours.
func Zone(f Facts) *time.Location { return zoneOf(f) }

// Says is how a workspace is to be told about: what it does, by which rules,
// what comes of that, and why something does not. One sentence each, the most
// important first.
func Says(f Facts, now time.Time) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	at := func(t time.Time) string { return moment(t, zoneOf(f)) }
	w := f.Workspace
	if w.Prebuild {
		return []string{"It waits in a pool to be claimed: no rule of people's workspaces is for it."}
	}
	if f.Owner.Status == berth.UserSuspended {
		say("Its owner %s is suspended: it is stopped, and nothing starts it.", f.Owner.Username)
	}
	if text := asleepSays(f); text != "" {
		say("%s", text)
	}
	plan := Deadline(f, now)
	switch {
	case f.Build.Active():
		say("Its %s is under way; its rules are asked again when that has ended.", f.Build.Transition)
	case f.Run == nil:
		all = append(all, startSays(f, now)...)
	case !StopAgain(f).IsZero():
		say("Its stop failed, and is tried again on %s.", at(StopAgain(f)))
	case plan.At.IsZero() && stopsLater(f):
		say("Nothing stops it by itself: its settings were changed while it ran, and count from its next start.")
	case plan.At.IsZero():
		say("Nothing stops it by itself: no rule sets it a time.")
	default:
		say("%s", StopSays(f, plan))
	}
	if f.Run != nil && !plan.At.IsZero() {
		for _, h := range f.Seen.Holds {
			say("It is held awake until %s: %s then.", at(h.Until), holdEnds(h))
		}
		if w.ExtendedUntil.After(now) {
			say("Somebody asked that it runs until %s at least.", at(w.ExtendedUntil))
		}
	}
	switch e, last := f.Seen.Newest, seenUse(f); {
	case !e.At.IsZero():
		say("It was last seen in use on %s (%s).", at(e.At), used(e))
	case f.Run != nil && last.After(f.Run.CompletedAt):
		say("It was last used on %s.", at(last))
	case f.Run != nil:
		say("Nobody was seen using it since its start.")
	}
	if !w.UnknownSince.IsZero() {
		text := fmt.Sprintf("It was due, and that is put off since %s: its agents do not answer, so nobody can say whether it is used", at(w.UnknownSince))
		if grace := f.Site.UnknownGrace; grace > 0 && !w.Dormant() {
			text += fmt.Sprintf("; it is put off until %s at most", at(w.UnknownSince.Add(grace)))
		}
		say("%s.", text)
	}
	if step := Next(f, now); step.Do == Wait {
		say("%s", step.Why)
	}
	return all
}

// stopsLater tells whether the settings of now stop what starts next.
func stopsLater(f Facts) bool {
	p := PolicyOf(f)
	return p.TTL > 0 || p.AutoOff > 0 || p.AutostopDays&berth.EveryDay != 0
}

// StopSays is when a workspace stops, why, and what moves that.
func StopSays(f Facts, plan StopPlan) string {
	at := func(t time.Time) string { return moment(t, zoneOf(f)) }
	text := fmt.Sprintf("It stops on %s: %s", at(plan.At), plan.Why)
	never := ""
	if !plan.Never.IsZero() && plan.Rule != RuleRequiredStop {
		never = fmt.Sprintf(", never past %s: %s", at(plan.Never), plan.Because)
	}
	switch {
	case plan.Rule == RuleRequiredStop:
		return text + ". Nothing moves that."
	case plan.Moves > 0:
		return fmt.Sprintf("%s. Each use moves that to %s later%s.", text, length(plan.Moves), never)
	}
	return text + ". Use does not move that" + never + "."
}

// startSays is when a workspace that is stopped starts, or why it does not.
func startSays(f Facts, now time.Time) (all []string) {
	if f.Workspace.Dormant() {
		return nil
	}
	plan := Autostart(f, now)
	if !plan.Missed.IsZero() {
		all = append(all, fmt.Sprintf("Its start of %s could not be made, and is too long ago to be made up for.", moment(plan.Missed, zoneOf(f))))
	}
	switch {
	case !plan.At.IsZero() && plan.At.Before(plan.Slot):
		all = append(all, fmt.Sprintf("It starts for %s, begun %s before so that it is ready: its schedule is %s.", moment(plan.Slot, zoneOf(f)), length(plan.Slot.Sub(plan.At)), plan.Schedule))
	case !plan.At.IsZero():
		all = append(all, fmt.Sprintf("It starts on %s: its schedule is %s.", moment(plan.Slot, zoneOf(f)), plan.Schedule))
	default:
		all = append(all, "Nothing starts it by itself. "+plan.Why)
	}
	return all
}

// asleepSays is what is to be said of a workspace that sleeps.
func asleepSays(f Facts) string {
	w := f.Workspace
	if !w.Dormant() {
		return ""
	}
	text := fmt.Sprintf("It sleeps since %s: nothing starts it until somebody wakes it with berth dormancy wake %s", moment(w.DormantAt, zoneOf(f)), w.Name)
	if !w.DeletingAt.IsZero() {
		text += fmt.Sprintf(". It is deleted on %s unless that happens before", moment(w.DeletingAt, zoneOf(f)))
	}
	return text + "."
}

// used is what was seen.
func used(e berth.Evidence) string {
	if e.Detail == "" {
		return string(e.Kind)
	}
	return strings.TrimSpace(string(e.Kind) + ", " + e.Detail)
}
