package httpapi

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/templates"
)

func howOf(in api.PolicyEdit) (policies.How, error) {
	return policies.ParseHow(in.DryRun, in.Confirm, in.Apply)
}

// templateEdit is an edit from the wire.
func templateEdit(in api.EditTemplate) (e templates.Edit, err error) {
	e = templates.Edit{Name: in.Name, DisplayName: in.DisplayName, Description: in.Description, Icon: in.Icon, MaxShare: in.MaxShare, Private: in.Private}
	if in.Limits != nil {
		e.Workspaces, e.WorkspacesPerUser = in.Limits.Workspaces, in.Limits.WorkspacesPerUser
	}
	if e.How, err = howOf(in.PolicyEdit); err != nil || in.Policy == nil {
		return e, err
	}
	p := in.Policy
	e.Policy = templates.PolicyEdit{AutostopWeeks: p.AutostopWeeks, AllowUserAutostart: p.AllowUserAutostart, AllowUserAutostop: p.AllowUserAutostop,
		AllowUserCancel: p.AllowUserCancel, RequireActive: p.RequireActive, Rollout: (*berth.Rollout)(p.Rollout), Deprecated: p.Deprecated}
	for _, f := range []struct {
		field string
		to    **time.Duration
		from  *int
	}{
		{"default_ttl_seconds", &e.Policy.DefaultTTL, p.DefaultTTL}, {"activity_bump_seconds", &e.Policy.ActivityBump, p.ActivityBump},
		{"failure_ttl_seconds", &e.Policy.FailureTTL, p.FailureTTL}, {"dormancy_threshold_seconds", &e.Policy.DormancyThreshold, p.DormancyThreshold},
		{"dormancy_auto_deletion_seconds", &e.Policy.DormancyAutoDeletion, p.DormancyAutoDeletion},
		{"autostop_notify_seconds", &e.Policy.AutostopNotify, p.AutostopNotify},
	} {
		if *f.to, err = secondsIfAny("policy."+f.field, f.from); err != nil {
			return e, err
		}
	}
	if e.Policy.AutostopDays, err = daysIfAny("policy.autostop_days", p.AutostopDays); err != nil {
		return e, err
	}
	e.Policy.AutostartDays, err = daysIfAny("policy.autostart_days", p.AutostartDays)
	return e, err
}

func daysIfAny(field string, names *[]string) (*berth.Weekdays, error) {
	if names == nil {
		return nil, nil
	}
	days, err := berth.ParseWeekdays(field, *names)
	return &days, err
}

func viewPolicy(p berth.TemplatePolicy) api.TemplatePolicy {
	in := func(d time.Duration) int { return int(d / time.Second) }
	return api.TemplatePolicy{
		DefaultTTL: in(p.DefaultTTL), ActivityBump: in(p.ActivityBump), AutostopDays: p.AutostopDays.Names(), AutostopWeeks: p.AutostopWeeks,
		AutostartDays: p.AutostartDays.Names(), FailureTTL: in(p.FailureTTL), DormancyThreshold: in(p.DormancyThreshold),
		DormancyAutoDeletion: in(p.DormancyAutoDeletion), AllowUserAutostart: p.AllowUserAutostart, AllowUserAutostop: p.AllowUserAutostop,
		AllowUserCancel: p.AllowUserCancel, RequireActive: p.RequireActive, Rollout: string(p.Rollout), AutostopNotify: in(p.AutostopNotify),
		Deprecated: p.Deprecated,
	}
}
