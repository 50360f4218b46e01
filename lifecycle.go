package berth

import "time"

// Lifecycle is what is kept of a workspace for the rules by which it starts,
// stops, sleeps and leaves by itself. Prebuilds have none of it.
type Lifecycle struct {
	Autostart        string         // weekly schedule, see ParseSchedule; empty: none
	TTL              time.Duration  // from a start to its stop; 0: never
	AutoOff          *time.Duration // inactivity until a stop, where the organization lets people say it; nil: as the organization says, 0: never
	AutomaticUpdates Updates
	ExtendedUntil    time.Time // somebody asked that it runs until then at least
	DormantAt        time.Time // zero: it is not dormant
	DeletingAt       time.Time // when a dormant one is deleted; zero: never
	NoticedAt        time.Time // when the notice of DeletingAt was in the owner's inbox
	UnknownSince     time.Time // since when an act is put off because nobody can say whether it is used
	RemindedFor      time.Time // the stop that was announced last
	StartTakes       time.Duration
	NextLook         time.Time // when the rules are asked again; zero: when something changes
	Prebuild         bool
}

// Dormant tells whether the workspace sleeps: it starts again only when somebody
// wakes it.
func (l Lifecycle) Dormant() bool { return !l.DormantAt.IsZero() }

// Updates says whether a start by itself or by a connection takes the active
// version.
type Updates string

const (
	UpdatesAlways Updates = "always"
	UpdatesNever  Updates = "never"
)

// TemplatePolicy is what a template says about the lives of its workspaces. A
// length of 0 is never.
type TemplatePolicy struct {
	DefaultTTL           time.Duration // of new workspaces; of all where people may not say it
	ActivityBump         time.Duration // each use moves the stop to that much later
	AutostopDays         Weekdays      // days on which a stop is required, in the owner's quiet hours; none: it is not
	AutostopWeeks        int           // of every so many weeks
	AutostartDays        Weekdays      // days on which auto-start is allowed
	FailureTTL           time.Duration // from a failed start to its stop
	DormancyThreshold    time.Duration // without use until it sleeps
	DormancyAutoDeletion time.Duration // asleep until it is deleted
	AllowUserAutostart   bool
	AllowUserAutostop    bool
	AllowUserCancel      bool // people may cancel builds of their workspaces that run
	RequireActive        bool // starts take the active version
	Rollout              Rollout
	AutostopNotify       time.Duration // before a stop until its announcement
	Deprecated           string        // why no new workspaces are made from it; empty: they are
	ActivatedAt          time.Time     // when the active version became that
	TightenedAt          time.Time     // when what holds at once, such as DormancyThreshold, was last made to act sooner
}

// Rollout says what a new active version does to running workspaces of older
// ones.
type Rollout string

const (
	RolloutNextStart  Rollout = "next-start"  // nothing
	RolloutWhenIdle   Rollout = "when-idle"   // they are stopped once nobody uses them
	RolloutQuietHours Rollout = "quiet-hours" // the same, in their owner's quiet hours
)

// Policy is by what a running workspace is stopped. A start keeps it as it stood
// when it ended: later edits reach the run only if that makes it stop later, or
// if the editor wanted it.
type Policy struct {
	TTL           time.Duration `json:"ttl,omitempty"`
	Bump          time.Duration `json:"bump,omitempty"`
	AutoOff       time.Duration `json:"auto_off,omitempty"`
	AutostopDays  Weekdays      `json:"autostop_days,omitempty"`
	AutostopWeeks int           `json:"autostop_weeks,omitempty"`
	QuietHours    string        `json:"quiet_hours,omitempty"`
	PutAt         time.Time     `json:"put_at,omitzero"`   // when an edit was put on the run; zero: it is as it began
	DaysAt        time.Time     `json:"days_at,omitzero"`  // the same, of the days on which a stop is required
	QuietAt       time.Time     `json:"quiet_at,omitzero"` // and of quiet hours
}

// Act is something that Berth did with a workspace by itself, or could not do.
type Act struct {
	ID          ActID
	WorkspaceID WorkspaceID
	At          time.Time
	Did         string         // start, stop, delete, dormant, remind, put-off, wait
	Rule        string         // which rule decided; see internal/lifecycle
	Why         string         // in one sentence
	Facts       map[string]any // what it rested on, by name
	BuildID     BuildID        // empty if it made none
}
