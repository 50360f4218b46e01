package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

// Facts is all that a decision rests on.
type Facts struct {
	Workspace    berth.Workspace // with its Lifecycle
	Organization berth.Organization
	Template     berth.Template // with its Policy
	Owner        berth.User

	// Build is the newest build. Run is the newest start that may have left
	// something running, which is Build itself or an older one; nil when a stop
	// has succeeded since, or nothing ever started. Its Policy is set when it ends,
	// also when it failed; a run without one is from before there were rules, and
	// only what was put on it since holds for it.
	Build berth.Build
	Run   *berth.Build

	// Seen is what is known of its use, and holds. Unless Asked, it is what was
	// written down, which may be a minute old and lacks what only agents know.
	Seen     berth.Activity
	Asked    bool // the agents were asked at this moment,
	Answered bool // and all of them did

	// Place is whether its workspace provider can take a build now.
	Place Place
	Site  Site
}

// Place is the state of a workspace provider.
type Place struct {
	Ready bool
	Why   string // a sentence with the cure, when it is not ready
	Full  bool   // its queue holds as many automatic builds as it should
}

// Site is what the server says for all.
type Site struct {
	QuietHours       string        // of people who set none
	CustomQuietHours bool          // people may set their own
	UnknownGrace     time.Duration // for how long at most an act is put off because nobody can say whether a workspace is used
}

// Do is what is to be done.
type Do string

const (
	Nothing Do = ""
	Start   Do = "start"
	Stop    Do = "stop"
	Delete  Do = "delete"
	Dormant Do = "dormant" // mark it; it is stopped already
	Remind  Do = "remind"  // tell that it will be stopped
	PutOff  Do = "put-off" // it is time for an act, but nobody can say whether the workspace is used
	Wait    Do = "wait"    // it is time for a build, but none can be queued
)

// Rule is what decided.
type Rule string

const (
	RuleSchedule     Rule = "schedule"      // auto-start
	RuleTTL          Rule = "ttl"           // time to live, moved by use
	RuleAutoOff      Rule = "auto-off"      // inactivity, as the organization or the workspace says
	RuleRequiredStop Rule = "required-stop" // days of the week, in quiet hours
	RuleVersion      Rule = "new-version"   // what a new version does to what runs
	RuleFailedStart  Rule = "failed-start"  // cleaned up after a while
	RuleFailedStop   Rule = "failed-stop"   // tried again
	RuleSuspended    Rule = "suspended"     // the owner is
	RuleDormancy     Rule = "dormancy"
	RuleDeletion     Rule = "deletion"
)

// Step is a decision.
type Step struct {
	Do     Do
	Rule   Rule
	Reason berth.Reason // of the build, where Do makes one; of a stop, a dormant one is marked too when it is ReasonDormancy
	Why    string       // one sentence, for people
	Due    time.Time    // the moment that the rule is about: the deadline, the slot of the schedule
	Unless string       // what would keep it from being done; empty: nothing would
	Update bool         // a start: with the active version
	// Ask: the step is for want of use and rests on what was written down. Ask the
	// agents, put that into the facts, and decide again.
	Ask  bool
	Look time.Time // when to look again if nothing changes; zero: there is no need to
}

// StopPlan is when and why a running workspace will be stopped.
type StopPlan struct {
	At      time.Time // as things are; zero: nothing stops it
	Rule    Rule
	Why     string        // "8 h after its start", "2 h without use", …
	Moves   time.Duration // each use moves it to that much later; 0: use does not move it
	Never   time.Time     // it is not moved past that; zero: there is no such moment
	Because string        // of Never: "a stop is required on Saturdays", …
}

// StartPlan is when a workspace will be started by its schedule.
type StartPlan struct {
	At       time.Time // when; a little before Slot, so that it is ready by then; zero: it will not
	Slot     time.Time // the time of the schedule
	Why      string    // one sentence: what starts it, or why nothing does
	Schedule string    // for people, on the days that are allowed; empty if it has none
	Missed   time.Time // a time of the schedule that is too long ago to be caught up; zero: none is
}

// Coming is one act that a forecast expects.
type Coming struct {
	At     time.Time
	Do     Do
	Rule   Rule
	Why    string
	Unless string // what would keep it from happening; empty: nothing would
}
