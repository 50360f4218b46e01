package lifecycle

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the transcripts of the simulations")

// TestSimulations runs the scripts of testdata and compares what Berth did by
// itself with their transcripts. The words of a script are in simulation.line.
func TestSimulations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no simulations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil || len(archive.Files) != 2 {
				t.Fatal("it has no script and transcript", err)
			}
			s := simulation{t: t, f: world(), zone: time.UTC, answers: true}
			s.f.Build, s.f.Run = berth.Build{ID: "0", Transition: berth.Stop, Reason: berth.ReasonCLI}, nil
			for line := range strings.Lines(string(archive.Files[0].Data)) {
				if words := fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
					s.line(words[0], words[1:])
				}
			}
			if *update {
				archive.Files[1].Data = []byte(s.said.String())
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got := s.said.String(); got != string(archive.Files[1].Data) {
				t.Errorf("it went otherwise (go test ./internal/lifecycle -update rewrites it):\n%s", got)
			}
		})
	}
}

// simulation is one workspace in a world whose clock a script moves.
type simulation struct {
	t       *testing.T
	f       Facts
	now     time.Time
	zone    *time.Location
	look    time.Time
	answers bool
	fails   []string // error codes of the builds that come
	last    string   // what was said last, so that a wait is said once
	said    strings.Builder
}

// fields is the words of a line; what is in quotes is one word, or part of one.
func fields(line string) (words []string) {
	for i, part := range strings.Split(strings.TrimSpace(line), `"`) {
		if i%2 == 1 {
			words[len(words)-1] += part
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// line does what one line of a script says.
func (s *simulation) line(word string, args []string) {
	w := &s.f.Workspace
	s.look = s.now
	if !slices.Contains([]string{"at", "zone", "deadline", "autostart", "forecast"}, word) {
		s.say("", strings.Join(append([]string{word}, args...), " "))
	}
	switch word {
	case "zone":
		zone, err := time.LoadLocation(args[0])
		s.must(err)
		s.zone = zone
	case "at": // the rules are asked until then, and then it is
		at, err := time.ParseInLocation("2006-01-02 15:04", strings.Join(args, " "), s.zone)
		s.must(err)
		if s.now.IsZero() {
			s.now, w.CreatedAt, s.f.Build.CompletedAt, s.f.Build.CreatedAt = at, at, at, at
			break
		}
		s.until(at)
	case "set": // template.ttl=8h …, for all that comes
		s.set(args, false)
	case "edit": // the same, put on what runs
		s.set(args, true)
	case "start": // by a person
		s.build(berth.Start, berth.ReasonCLI, "")
	case "stop":
		s.build(berth.Stop, berth.ReasonCLI, "")
	case "cancel": // somebody canceled the stop that was made
		run := *s.f.Run
		s.f.Build = berth.Build{ID: s.f.Build.ID + "c", Transition: berth.Stop, Reason: berth.ReasonAutostop, CreatedAt: s.now, StartedAt: s.now, CanceledAt: s.now, CompletedAt: s.now}
		s.f.Run, w.ExtendedUntil = &run, s.now.Add(max(s.f.Template.Policy.ActivityBump, time.Hour))
	case "use":
		s.f.Seen.Newest = berth.Evidence{Kind: berth.EvidenceSSH, Since: s.now, At: s.now}
	case "hold":
		s.f.Seen.Holds = append(s.f.Seen.Holds, berth.Hold{By: "ana", Reason: args[1], Until: s.now.Add(s.length(args[0]))})
	case "extend":
		w.ExtendedUntil = s.now.Add(s.length(args[0]))
	case "wake":
		w.DormantAt, w.DeletingAt, w.NoticedAt, w.LastUsedAt = time.Time{}, time.Time{}, time.Time{}, s.now
	case "activate": // a version
		s.f.Template.ActiveVersionID, s.f.Template.Policy.ActivatedAt = berth.VersionID(args[0]), s.now
	case "fail": // the builds that come, with these codes
		s.fails = append(s.fails, args...)
	case "agents":
		s.answers = args[0] == "answer"
	case "place":
		s.f.Place = Place{Ready: args[0] != "away", Full: args[0] == "full", Why: "No runner of its workspace provider was seen for 10 minutes."}
	case "deadline":
		p := Deadline(s.f, s.now)
		line := fmt.Sprintf("%s by %s: %s", s.time(p.At), p.Rule, p.Why)
		if p.Moves > 0 {
			line += fmt.Sprintf("; each use moves it to %s later", length(p.Moves))
		}
		if !p.Never.IsZero() {
			line += fmt.Sprintf("; never past %s: %s", s.time(p.Never), p.Because)
		}
		s.say("deadline", line)
	case "autostart":
		p := Autostart(s.f, s.now)
		s.say("autostart", fmt.Sprintf("%s: %s", s.time(p.At), p.Why))
	case "forecast":
		for _, c := range Forecast(s.f, s.now, s.length(args[0])) {
			unless := ""
			if c.Unless != "" {
				unless = " Unless " + c.Unless + "."
			}
			s.say("forecast", fmt.Sprintf("%s %s by %s: %s%s", s.time(c.At), c.Do, c.Rule, c.Why, unless))
		}
	default:
		s.t.Fatalf("nobody knows what %q is", word)
	}
}

// set changes settings.
func (s *simulation) set(args []string, put bool) {
	f, p := &s.f, &s.f.Template.Policy
	days := func(v string) berth.Weekdays {
		if v == "none" {
			return 0
		}
		w, err := berth.ParseWeekdays("", strings.Split(v, ","))
		s.must(err)
		return w
	}
	for _, arg := range args {
		name, v, _ := strings.Cut(arg, "=")
		owner, _, _ := strings.Cut(name, ".")
		if owner == "workspace" {
			f.Workspace.UpdatedAt = s.now
		}
		switch name {
		case "workspace.ttl":
			f.Workspace.TTL = s.length(v)
		case "workspace.auto-off":
			d := s.length(v)
			f.Workspace.AutoOff = &d
		case "workspace.autostart":
			f.Workspace.Autostart = v
		case "workspace.updates":
			f.Workspace.AutomaticUpdates = berth.Updates(v)
		case "workspace.takes":
			f.Workspace.StartTakes = s.length(v)
		case "template.ttl":
			p.DefaultTTL, p.AllowUserAutostop = s.length(v), false
		case "template.bump":
			p.ActivityBump = s.length(v)
		case "template.autostop-days":
			p.AutostopDays = days(v)
		case "template.autostop-weeks":
			p.AutostopWeeks = int(v[0] - '0')
		case "template.autostart-days":
			p.AutostartDays = days(v)
		case "template.failure-ttl":
			p.FailureTTL = s.length(v)
		case "template.threshold":
			p.DormancyThreshold = s.length(v)
		case "template.auto-deletion":
			p.DormancyAutoDeletion = s.length(v)
		case "template.notify":
			p.AutostopNotify = s.length(v)
		case "template.rollout":
			p.Rollout = berth.Rollout(v)
		case "template.require-active":
			p.RequireActive = v == "true"
		case "organization.auto-off":
			f.Organization.AutoOff = s.length(v)
		case "organization.auto-off-by-user":
			f.Organization.AutoOffByUser = v == "true"
		case "organization.days":
			f.Organization.AutostartDays = days(v)
		case "organization.used-within":
			f.Organization.AutostartUsedWithin = s.length(v)
		case "owner.status":
			f.Owner.Status, f.Owner.UpdatedAt = berth.UserStatus(v), s.now
		case "owner.quiet-hours":
			f.Owner.QuietHours = v
		case "site.grace":
			f.Site.UnknownGrace = s.length(v)
		default:
			s.t.Fatalf("nobody knows what %q is", name)
		}
		if what, stops := puts[name]; put && stops {
			run, p := *f.Run, PutOn(*f, what, s.now)
			run.Policy, f.Run = &p, &run
		}
	}
}

// puts is what settings put on what runs.
var puts = map[string]Put{"workspace.ttl": {TTL: true}, "template.ttl": {TTL: true}, "template.bump": {Bump: true},
	"template.autostop-days": {Required: true}, "template.autostop-weeks": {Required: true},
	"workspace.auto-off": {AutoOff: true}, "organization.auto-off": {AutoOff: true}, "owner.quiet-hours": {QuietHours: true}}

func (s *simulation) length(v string) time.Duration {
	if n, ok := strings.CutSuffix(v, "d"); ok {
		d, err := time.ParseDuration(n + "h")
		s.must(err)
		return 24 * d
	}
	d, err := time.ParseDuration(v)
	s.must(err)
	return d
}

func (s *simulation) must(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *simulation) time(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(s.zone).Format("Mon 02 Jan 15:04")
}

func (s *simulation) say(who, what string) {
	if line := who + what; line != s.last || who != string(Wait) && who != string(PutOff) {
		fmt.Fprintf(&s.said, "%s  %-9s %s\n", s.time(s.now), who, what)
		s.last = line
	}
}

// until asks the rules whenever they want it, at whole minutes as the server does.
func (s *simulation) until(end time.Time) {
	for {
		if s.look.IsZero() || s.look.After(end) {
			s.now = end
			return
		}
		if s.look.After(s.now) {
			s.now = s.look
			if s.now.Truncate(time.Minute).Before(s.now) {
				s.now = s.now.Truncate(time.Minute).Add(time.Minute)
			}
		}
		s.act()
	}
}

// act does what the rules say, as internal/schedules does.
func (s *simulation) act() {
	step := Next(s.f, s.now)
	s.look = step.Look
	if step.Ask {
		asked := s.f
		asked.Asked, asked.Answered = true, s.answers
		step = Next(asked, s.now)
		s.must(Check(asked, step, s.now))
		s.look = step.Look
	} else {
		s.must(Check(s.f, step, s.now))
	}
	w := &s.f.Workspace
	switch step.Do {
	case Nothing:
		return
	case PutOff:
		if w.UnknownSince.IsZero() {
			w.UnknownSince = s.now
		}
	case Start:
		s.build(berth.Start, step.Reason, step.Why)
		if step.Update && s.f.Run != nil && s.f.Run.ID == s.f.Build.ID {
			s.f.Run.VersionID, s.f.Build.VersionID = s.f.Template.ActiveVersionID, s.f.Template.ActiveVersionID
		}
		return
	case Stop:
		if step.Reason == berth.ReasonDormancy && !w.Dormant() {
			s.f = happened(s.f, Step{Do: Dormant}, s.now)
		}
		s.build(berth.Stop, step.Reason, step.Why)
		return
	case Delete:
		s.build(berth.Delete, step.Reason, step.Why)
		return
	default:
		s.f = happened(s.f, step, s.now)
	}
	s.say(string(step.Do), step.Why)
}

// build makes a build that ends at once, well or not.
func (s *simulation) build(t berth.Transition, reason berth.Reason, why string) {
	before := s.f.Build
	b := berth.Build{ID: before.ID + "'", Transition: t, Reason: reason, VersionID: "v1", Tries: 1, CreatedAt: s.now, StartedAt: s.now, CompletedAt: s.now}
	if before.VersionID != "" {
		b.VersionID = before.VersionID
	}
	outcome := ""
	if len(s.fails) > 0 {
		b.ErrorCode, b.Error, s.fails = s.fails[0], "it failed", s.fails[1:]
		outcome = " — which failed: " + b.ErrorCode
		if before.Status() == berth.BuildFailed && before.Transition == t && (t == berth.Stop || strings.Contains(why, "again")) {
			b.Tries = before.Tries + 1
		}
	}
	s.f = ended(s.f, b)
	if t == berth.Start && b.Error != "" && b.ErrorCode != "quota" { // it got as far as to leave something
		p := PolicyOf(s.f)
		b.Policy = &p
		s.f.Run = &b
	}
	s.f.Workspace.UnknownSince = time.Time{}
	s.look = s.now
	if t == berth.Delete && b.Error == "" {
		s.look = time.Time{}
	}
	if why != "" {
		s.say(string(t), why+outcome)
	} else if outcome != "" {
		s.say(string(t), strings.TrimPrefix(outcome, " — "))
	}
}
