package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
)

// policyFlags are what templates edit may say about the lives of workspaces.
type policyFlags struct {
	ttl, bump, failure, dormancy, deletion, notify *lengthFlag
	stopDays, startDays                            []string
	weeks                                          int
	cancel, autostart, autostop, require           bool
	rollout, deprecated                            string
}

func newPolicyFlags(cmd *cobra.Command) *policyFlags {
	p := &policyFlags{
		ttl:      newLengthFlag(cmd, "default-ttl", "how long workspaces run from a start to their stop; never is for ever"),
		bump:     newLengthFlag(cmd, "activity-bump", "each use moves the stop to that much later; never: use does not move it"),
		failure:  newLengthFlag(cmd, "failure-ttl", "stop what a failed start left after this"),
		dormancy: newLengthFlag(cmd, "dormancy-threshold", "workspaces that nobody used for so long become dormant"),
		deletion: newLengthFlag(cmd, "dormancy-auto-deletion", "workspaces that are dormant for so long are deleted"),
		notify:   newLengthFlag(cmd, "autostop-notify", "announce a stop so long before"),
	}
	f := cmd.Flags()
	f.StringSliceVar(&p.startDays, "autostart-requirement-weekdays", nil, "`days` on which workspaces may start by themselves: mon,tue,…, all or none")
	f.StringSliceVar(&p.stopDays, "autostop-requirement-weekdays", nil, "`days` on which a stop is required, in the owner's quiet hours: mon,tue,…, all or none")
	f.IntVar(&p.weeks, "autostop-requirement-weeks", 1, "a stop is required only in every so many `weeks`, 1 to 16")
	f.BoolVar(&p.cancel, "allow-user-cancel-workspace-jobs", true, "let people cancel running builds of their workspaces")
	f.BoolVar(&p.autostart, "allow-user-autostart", true, "let people have their workspaces start by themselves")
	f.BoolVar(&p.autostop, "allow-user-autostop", true, "let people say how long their workspaces run")
	f.BoolVar(&p.require, "require-active-version", false, "starts take the active version")
	f.StringVar(&p.rollout, "rollout", "", "what a new active version does to workspaces that run an older one: next-start, when-idle or quiet-hours")
	f.StringVar(&p.deprecated, "deprecated", "", "`why` no new workspaces are made from it; empty: they are")
	_ = cmd.RegisterFlagCompletionFunc("rollout", cobra.FixedCompletions([]string{"next-start", "when-idle", "quiet-hours"}, cobra.ShellCompDirectiveNoFileComp))
	return p
}

// given is what of the policy is to change, nil when nothing is.
func (p *policyFlags) given(cmd *cobra.Command) *api.EditTemplatePolicy {
	e := api.EditTemplatePolicy{
		DefaultTTL: p.ttl.given(cmd), ActivityBump: p.bump.given(cmd), FailureTTL: p.failure.given(cmd),
		DormancyThreshold: p.dormancy.given(cmd), DormancyAutoDeletion: p.deletion.given(cmd),
		AutostopNotify: p.notify.given(cmd), AutostopWeeks: ifGiven(cmd, "autostop-requirement-weeks", &p.weeks),
		AllowUserCancel: ifGiven(cmd, "allow-user-cancel-workspace-jobs", &p.cancel), AllowUserAutostart: ifGiven(cmd, "allow-user-autostart", &p.autostart),
		AllowUserAutostop: ifGiven(cmd, "allow-user-autostop", &p.autostop), RequireActive: ifGiven(cmd, "require-active-version", &p.require),
		Rollout: ifGiven(cmd, "rollout", &p.rollout), Deprecated: ifGiven(cmd, "deprecated", &p.deprecated),
		AutostopDays: ifGiven(cmd, "autostop-requirement-weekdays", &p.stopDays), AutostartDays: ifGiven(cmd, "autostart-requirement-weekdays", &p.startDays),
	}
	for _, list := range []*[]string{e.AutostopDays, e.AutostartDays} {
		if list != nil {
			*list = days(*list)
		}
	}
	if e == (api.EditTemplatePolicy{}) {
		return nil
	}
	return &e
}

// showPolicy shows what a template says about the lives of its workspaces, what
// is as in every new one left out.
func (a *app) showPolicy(p api.TemplatePolicy) {
	if p.Deprecated != "" {
		a.field("deprecated", cell(p.Deprecated))
	}
	if p.DefaultTTL > 0 {
		a.field("stops", lasting(p.DefaultTTL)+" after a start"+sayIf(p.ActivityBump > 0, ", "+lasting(p.ActivityBump)+" after each use", ", used or not")+
			sayIf(p.AllowUserAutostop, "; people may say otherwise for their own", ""))
	}
	if len(p.AutostopDays) > 0 {
		every := ""
		if p.AutostopWeeks > 1 {
			every = fmt.Sprintf(" of every %d weeks", p.AutostopWeeks)
		}
		a.field("must stop", "on "+strings.Join(p.AutostopDays, ", ")+every+", in the owner's quiet hours")
	}
	if !p.AllowUserAutostart {
		a.field("auto-start", "no workspace starts by itself")
	} else if len(p.AutostartDays) < 7 {
		a.field("auto-start", autostartDays(p.AutostartDays))
	}
	if p.FailureTTL > 0 {
		a.field("failed starts", "are stopped after "+lasting(p.FailureTTL))
	}
	if p.DormancyThreshold > 0 {
		a.field("dormant", "after "+roughly(time.Duration(p.DormancyThreshold)*time.Second)+" without use"+
			sayIf(p.DormancyAutoDeletion > 0, ", and deleted "+roughly(time.Duration(p.DormancyAutoDeletion)*time.Second)+" later", ""))
	}
	if p.RequireActive {
		a.field("updates", "starts take the active version")
	}
	switch p.Rollout {
	case "when-idle":
		a.field("rollout", "a new version stops what runs an older one once it is idle")
	case "quiet-hours":
		a.field("rollout", "a new version stops what runs an older one in its owner's quiet hours")
	}
	if !p.AllowUserCancel {
		a.field("cancel", "people may not cancel running builds")
	}
}
