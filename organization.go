package berth

import (
	"slices"
	"strings"
	"time"
)

// Organization is a tenant: members, groups, templates, workspaces, and the
// rules that hold for them.
type Organization struct {
	ID            OrganizationID
	Name          string
	DisplayName   string
	Description   string
	Default       bool
	ConnectStarts bool // connections may start stopped workspaces that let them
	IdleCounts    bool // an open and idle connection is activity
	Sharing       bool // people may share their workspaces
	AutostartDays Weekdays
	AutoOff       time.Duration // inactivity after which workspaces are stopped; 0: never
	AutoOffByUser bool          // people may change that for their own workspaces
	// AutostartUsedWithin: only workspaces that were used within this start by
	// themselves; 0: all.
	AutostartUsedWithin time.Duration
	Limits              WorkspaceLimits
	CreatedAt           time.Time
	UpdatedAt           time.Time
	DeletedAt           time.Time // zero while it lives; the row stays, its name is free
}

// DefaultUsedWithin is AutostartUsedWithin where nobody says otherwise.
const DefaultUsedWithin = 4 * 24 * time.Hour

// DefaultOrganization names the default organization, whatever its name is.
const DefaultOrganization = "default"

// WorkspaceLimits bounds how many workspaces an organization has. 0 is no limit.
type WorkspaceLimits struct {
	Workspaces        int // of the whole organization
	Running           int
	WorkspacesPerUser int
	RunningPerUser    int
}

// Weekdays is a set of days of the week: a bit for each, Sunday the lowest.
type Weekdays uint8

// EveryDay is the whole week.
const EveryDay Weekdays = 1<<7 - 1

// Has tells whether the set has a day.
func (w Weekdays) Has(d time.Weekday) bool { return w&(1<<d) != 0 }

var weekdayNames = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Names lists the days of the set in lower case, Monday first.
func (w Weekdays) Names() []string {
	names := []string{}
	for i := range 7 {
		if d := time.Weekday((i + 1) % 7); w.Has(d) {
			names = append(names, weekdayNames[d])
		}
	}
	return names
}

// ParseWeekdays is the set of named days, whole or of three letters, in any
// case.
func ParseWeekdays(field string, names []string) (w Weekdays, err error) {
	for _, n := range names {
		i := slices.IndexFunc(weekdayNames, func(day string) bool {
			return strings.EqualFold(n, day) || strings.EqualFold(n, day[:3])
		})
		if i < 0 {
			return 0, InvalidField(field, "%q is not a day of the week: use monday, tuesday, …", n)
		}
		w |= 1 << i
	}
	return w, nil
}

// Membership is that a user belongs to an organization, with what roles there.
type Membership struct {
	OrganizationID OrganizationID
	UserID         UserID
	Roles          []Role // in the organization; every member is one besides
	Source         Source
	CreatedAt      time.Time
}

// Source says who keeps a membership: SourceUser, or the id of an identity
// provider, which makes and ends it at its users' sign-ins.
type Source string

// SourceUser is the source of what a person did by hand.
const SourceUser Source = "user"

// Group is some members of an organization, who share a quota allowance and
// what is shared with the group.
type Group struct {
	ID             GroupID
	OrganizationID OrganizationID
	Name           string
	DisplayName    string
	Allowance      Allowance
	Source         Source // other than SourceUser: its members are not changed by hand
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// EveryoneGroup is the name of the group of all members of an organization.
const EveryoneGroup = "Everyone"

// PrebuildsGroup is the name of the group whose allowance prebuilds count for.
const PrebuildsGroup = "prebuilds"

// EveryoneOf is the group of all members of an organization; nobody is put into
// it or taken out of it.
func EveryoneOf(o OrganizationID) GroupID { return GroupID(o) }

// Everyone tells whether g is the group of all members of its organization.
func (g Group) Everyone() bool { return g.ID == EveryoneOf(g.OrganizationID) }

// Allowance is how much a group adds to what each of its members may spend a
// day, in the unit of daily_cost.
type Allowance struct {
	Amount    int
	Unlimited bool
}

// Add sums allowances; with an unlimited one the sum is unlimited.
func (a Allowance) Add(b Allowance) Allowance {
	return Allowance{Amount: AddCosts(a.Amount, b.Amount), Unlimited: a.Unlimited || b.Unlimited}
}
