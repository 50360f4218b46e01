package store

import "github.com/berthdev/berth"

// policyColumns is what templates say about the lives of their workspaces.
const policyColumns = `t.default_ttl, t.activity_bump, t.autostop_days, t.autostop_weeks, t.autostart_days, t.failure_ttl,
	t.dormancy_threshold, t.dormancy_auto_deletion, t.allow_user_autostart, t.allow_user_autostop, t.allow_user_cancel, t.require_active,
	t.rollout, t.autostop_notify, t.deprecated, t.activated_at, t.tightened_at`

func policyInto(p *berth.TemplatePolicy) []any {
	return []any{lasts(&p.DefaultTTL), lasts(&p.ActivityBump), &p.AutostopDays, &p.AutostopWeeks, &p.AutostartDays, lasts(&p.FailureTTL),
		lasts(&p.DormancyThreshold), lasts(&p.DormancyAutoDeletion), &p.AllowUserAutostart, &p.AllowUserAutostop, &p.AllowUserCancel, &p.RequireActive,
		&p.Rollout, lasts(&p.AutostopNotify), &p.Deprecated, at(&p.ActivatedAt), at(&p.TightenedAt)}
}

// SetTemplatePolicy stores all of it but when the active version became that. It
// has the rules asked at once for all workspaces of the template.
func (tx *Tx) SetTemplatePolicy(id berth.TemplateID, p berth.TemplatePolicy) error {
	if err := tx.must("template", `UPDATE templates SET default_ttl = $2, activity_bump = $3, autostop_days = $4, autostop_weeks = $5, autostart_days = $6,
		failure_ttl = $7, dormancy_threshold = $8, dormancy_auto_deletion = $9, allow_user_autostart = $10, allow_user_autostop = $11,
		allow_user_cancel = $12, require_active = $13, rollout = $14, autostop_notify = $15, deprecated = $16, updated_at = $17, tightened_at = $18
		WHERE id = $1 AND deleted_at IS NULL`, id,
		span(p.DefaultTTL), span(p.ActivityBump), int(p.AutostopDays), p.AutostopWeeks, int(p.AutostartDays),
		span(p.FailureTTL), span(p.DormancyThreshold), span(p.DormancyAutoDeletion), p.AllowUserAutostart, p.AllowUserAutostop,
		p.AllowUserCancel, p.RequireActive, string(p.Rollout), span(p.AutostopNotify), clean(p.Deprecated, maxText), stamp(tx.Now), stamp(p.TightenedAt)); err != nil {
		return err
	}
	return tx.LookAgainTemplate(id)
}
