package api

// TemplatePolicy is what a template says about the lives of its workspaces. A
// length of 0 seconds is never.
type TemplatePolicy struct {
	DefaultTTL           int      `json:"default_ttl_seconds" doc:"From a start to its stop, of new workspaces; of all where people may not say it"`
	ActivityBump         int      `json:"activity_bump_seconds" doc:"Each use moves the stop to that much later"`
	AutostopDays         []string `json:"autostop_days" doc:"Days of the week on which a stop is required, in the owner's quiet hours"`
	AutostopWeeks        int      `json:"autostop_weeks" doc:"Of every so many weeks"`
	AutostartDays        []string `json:"autostart_days" doc:"Days of the week on which workspaces may start by themselves"`
	FailureTTL           int      `json:"failure_ttl_seconds" doc:"From a failed start to its stop"`
	DormancyThreshold    int      `json:"dormancy_threshold_seconds" doc:"Without use until a workspace is dormant"`
	DormancyAutoDeletion int      `json:"dormancy_auto_deletion_seconds" doc:"Dormant until a workspace is deleted"`
	AllowUserAutostart   bool     `json:"allow_user_autostart" doc:"People may have their workspaces start by themselves"`
	AllowUserAutostop    bool     `json:"allow_user_autostop" doc:"People may say how long their workspaces run"`
	AllowUserCancel      bool     `json:"allow_user_cancel" doc:"People may cancel running builds of their workspaces"`
	RequireActive        bool     `json:"require_active" doc:"Starts take the active version"`
	Rollout              string   `json:"rollout" enum:"next-start,when-idle,quiet-hours" doc:"What a new active version does to what runs an older one"`
	AutostopNotify       int      `json:"autostop_notify_seconds" doc:"Before a stop until its announcement"`
	Deprecated           string   `json:"deprecated,omitempty" doc:"Why no new workspaces are made from it; left out: they are"`
}

// EditTemplatePolicy is what to change of it. What is left out stays.
type EditTemplatePolicy struct {
	DefaultTTL           *int      `json:"default_ttl_seconds,omitempty" doc:"0: never; else 1 minute to 30 days"`
	ActivityBump         *int      `json:"activity_bump_seconds,omitempty" doc:"0: use does not move the stop"`
	AutostopDays         *[]string `json:"autostop_days,omitempty" doc:"Days of the week, such as monday or mon"`
	AutostopWeeks        *int      `json:"autostop_weeks,omitempty" doc:"1 to 16"`
	AutostartDays        *[]string `json:"autostart_days,omitempty" doc:"Days of the week, such as monday or mon"`
	FailureTTL           *int      `json:"failure_ttl_seconds,omitempty" doc:"0: never"`
	DormancyThreshold    *int      `json:"dormancy_threshold_seconds,omitempty" doc:"0: never; else 1 hour or more"`
	DormancyAutoDeletion *int      `json:"dormancy_auto_deletion_seconds,omitempty" doc:"0: never; else 1 day or more, and only with a threshold"`
	AllowUserAutostart   *bool     `json:"allow_user_autostart,omitempty"`
	AllowUserAutostop    *bool     `json:"allow_user_autostop,omitempty"`
	AllowUserCancel      *bool     `json:"allow_user_cancel,omitempty"`
	RequireActive        *bool     `json:"require_active,omitempty"`
	Rollout              *string   `json:"rollout,omitempty" enum:"next-start,when-idle,quiet-hours"`
	AutostopNotify       *int      `json:"autostop_notify_seconds,omitempty" doc:"0: it is not announced"`
	Deprecated           *string   `json:"deprecated,omitempty" doc:"Empty: it is not"`
}

// PolicyEdit says how an edit of settings that reach workspaces is made.
type PolicyEdit struct {
	DryRun  bool   `json:"dry_run,omitempty" doc:"Change nothing; answer what would be, with the effects"`
	Apply   string `json:"apply,omitempty" enum:"next-start,now" doc:"Whether workspaces that run are reached at their next start, or now; left out: at their next start"`
	Confirm bool   `json:"confirm,omitempty" doc:"Make it even if workspaces are stopped, become dormant or are deleted sooner than without it. Without this such an edit is a conflict with field confirm"`
}
