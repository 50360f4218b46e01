package api

import "time"

// Ahead is what the rules have in store for a workspace, as things are.
type Ahead struct {
	StopsAt    *time.Time `json:"stops_at,omitempty" doc:"When it is stopped by itself, as things are; use may move that"`
	StopsWhy   string     `json:"stops_why,omitempty"`
	StartsAt   *time.Time `json:"starts_at,omitempty" doc:"When its schedule starts it next"`
	DormantAt  *time.Time `json:"dormant_at,omitempty" doc:"Since when it sleeps: nothing starts it until somebody wakes it"`
	DeletingAt *time.Time `json:"deleting_at,omitempty" doc:"When it is deleted unless somebody wakes it before"`
}

// Schedule is by what a workspace starts, stops and sleeps by itself.
// GET /workspaces/{workspace}/schedule
type Schedule struct {
	Autostart        string `json:"autostart" doc:"Weekly schedule by which it starts, as in CRON_TZ=Europe/Dublin 30 9 * * 1-5; empty: none"`
	AutostartSays    string `json:"autostart_says,omitempty" doc:"The same in words"`
	AutostartFixed   string `json:"autostart_fixed,omitempty" doc:"Why people cannot change it"`
	AutostartNot     string `json:"autostart_not,omitempty" doc:"Why its schedule does not start it as things are"`
	TTL              int64  `json:"ttl_seconds" doc:"From each start to its stop; 0: never"`
	TTLFixed         string `json:"ttl_fixed,omitempty" doc:"Why people cannot change it"`
	ActivityBump     int64  `json:"activity_bump_seconds" doc:"Use moves the stop by the time to live to that much later; 0: it does not"`
	AutoOff          int64  `json:"auto_off_seconds" doc:"Without use until its stop; 0: never"`
	AutoOffOwn       bool   `json:"auto_off_own" doc:"The workspace's own; else the organization's"`
	AutoOffFixed     string `json:"auto_off_fixed,omitempty" doc:"Why people cannot change it"`
	RequiredStop     string `json:"required_stop,omitempty" doc:"On which days the template requires a stop"`
	QuietHours       string `json:"quiet_hours" doc:"When on those days, by its owner's quiet hours, in words"`
	AutomaticUpdates string `json:"automatic_updates" enum:"always,never"`

	Ahead
	StopsMoves    int64      `json:"stops_moves_seconds,omitempty" doc:"Each use moves the stop to that much later"`
	StopsLatest   *time.Time `json:"stops_latest,omitempty" doc:"Nothing moves the stop past that"`
	StopsBecause  string     `json:"stops_latest_why,omitempty"`
	ExtendedUntil *time.Time `json:"extended_until,omitempty" doc:"Somebody asked that it runs until then at least"`
}

// EditSchedule: PATCH /workspaces/{workspace}/schedule. What is left out stays.
type EditSchedule struct {
	Autostart        *string `json:"autostart,omitempty" doc:"Weekly schedule; empty: none"`
	TTL              *int64  `json:"ttl_seconds,omitempty" doc:"1 minute to 30 days; 0: never"`
	AutoOff          *int64  `json:"auto_off_seconds,omitempty" doc:"5 minutes to 30 days; 0: never"`
	AutoOffDefault   bool    `json:"auto_off_default,omitempty" doc:"Instead: as the organization says"`
	AutomaticUpdates *string `json:"automatic_updates,omitempty" enum:"always,never"`
	ApplyNow         bool    `json:"apply_now,omitempty" doc:"What runs stops by the new settings too, though that may be sooner: in an hour at the earliest"`
	DryRun           bool    `json:"dry_run,omitempty" doc:"Change nothing; tell what would come of it"`
}

// EditedSchedule is a schedule after a change.
type EditedSchedule struct {
	Schedule
	Changed   bool       `json:"changed"`
	StoppedAt *time.Time `json:"stopped_at,omitempty" doc:"What stops_at was before"`
	NowAt     *time.Time `json:"apply_now_stops_at,omitempty" doc:"When apply_now would stop what runs, where that is sooner than stops_at"`
	Notes     []string   `json:"notes" doc:"What to know besides, one sentence each"`
}

// Extend: POST /workspaces/{workspace}/extend
type Extend struct {
	Seconds int64      `json:"seconds,omitempty" doc:"From now on"`
	Until   *time.Time `json:"until,omitempty" doc:"Instead of seconds"`
}

// QuietHours: GET /users/{user}/quiet-hours
type QuietHours struct {
	Schedule string     `json:"schedule" doc:"The user's own, as in CRON_TZ=Europe/Dublin 0 22 * * *; empty: the server's"`
	Says     string     `json:"says" doc:"Those that hold, in words"`
	Next     *time.Time `json:"next,omitempty" doc:"When they begin next"`
	Fixed    bool       `json:"fixed,omitempty" doc:"The server lets nobody set their own"`
}

// EditQuietHours: PATCH /users/{user}/quiet-hours
type EditQuietHours struct {
	Schedule string `json:"schedule" doc:"Daily, at one time; empty: the server's"`
	ApplyNow bool   `json:"apply_now,omitempty" doc:"What runs stops by them too, though that may be sooner: in an hour at the earliest"`
}

// Sleep: PUT /workspaces/{workspace}/dormant
type Sleep struct {
	Reason string `json:"reason,omitempty" doc:"Of the stop of a workspace that runs" enum:"initiator,cli,dashboard"`
}
