package berth

import (
	"strings"
	"time"
	"unicode"
)

const (
	minLife         = time.Minute
	maxLife         = 30 * 24 * time.Hour
	minDormancy     = time.Hour
	minAutoDeletion = 24 * time.Hour
	maxDormancy     = 5 * 365 * 24 * time.Hour
	maxNotify       = 24 * time.Hour
	maxWeeks        = 16
	maxDeprecated   = 1024
)

// Rollouts lists every Rollout.
var Rollouts = []Rollout{RolloutNextStart, RolloutWhenIdle, RolloutQuietHours}

// ValidateLife checks a time to live, or another length of a run; 0 is never.
func ValidateLife(field string, d time.Duration) error {
	return within(field, d, minLife, maxLife, "1 minute to 30 days")
}

func within(field string, d, least, most time.Duration, words string) error {
	if d != 0 && (d < least || d > most) {
		return InvalidField(field, "it is %s; 0 is never", words)
	}
	return nil
}

// Validate checks a policy as it would be, whose fields are named behind prefix.
func (p TemplatePolicy) Validate(prefix string) error {
	for _, f := range []struct {
		field string
		err   error
	}{
		{"default_ttl_seconds", ValidateLife("", p.DefaultTTL)},
		{"activity_bump_seconds", ValidateLife("", p.ActivityBump)},
		{"failure_ttl_seconds", ValidateLife("", p.FailureTTL)},
		{"dormancy_threshold_seconds", within("", p.DormancyThreshold, minDormancy, maxDormancy, "1 hour to 5 years")},
		{"dormancy_auto_deletion_seconds", within("", p.DormancyAutoDeletion, minAutoDeletion, maxDormancy, "1 day to 5 years, so that owners have a day to read of it")},
		{"autostop_notify_seconds", within("", p.AutostopNotify, minLife, maxNotify, "1 minute to 24 hours")},
	} {
		if f.err != nil {
			return InvalidField(prefix+f.field, "%s", ErrorMessage(f.err))
		}
	}
	known := false
	for _, r := range Rollouts {
		known = known || r == p.Rollout
	}
	switch {
	case p.DormancyAutoDeletion > 0 && p.DormancyThreshold == 0:
		return InvalidField(prefix+"dormancy_auto_deletion_seconds", "only dormant workspaces are deleted by themselves: set the dormancy threshold too")
	case p.AutostopWeeks < 1 || p.AutostopWeeks > maxWeeks:
		return InvalidField(prefix+"autostop_weeks", "a stop is required each week, or every 2 to %d weeks", maxWeeks)
	case p.AutostopWeeks > 1 && p.AutostopDays == 0:
		return InvalidField(prefix+"autostop_weeks", "say on which days of those weeks a stop is required too")
	case !known:
		return InvalidField(prefix+"rollout", "%q is none: use next-start, when-idle or quiet-hours", p.Rollout)
	case len(p.Deprecated) > maxDeprecated:
		return InvalidField(prefix+"deprecated", "it is too long: at most %d characters", maxDeprecated)
	case strings.ContainsFunc(p.Deprecated, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return InvalidField(prefix+"deprecated", "it is shown in one line of a terminal: leave line ends and what else steers one out")
	}
	return nil
}
