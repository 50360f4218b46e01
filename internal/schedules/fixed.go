package schedules

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/workspaces"
)

// Policy is by what a start that ended now would be stopped.
func (a Ahead) Policy() berth.Policy { return lifecycle.PolicyOf(a.Facts) }

// AutoOffOwn tells whether the auto-off that holds is the workspace's own.
func (a Ahead) AutoOffOwn() bool {
	return a.Facts.Workspace.AutoOff != nil && a.AutoOffFixed() == ""
}

// AutostartFixed, TTLFixed and AutoOffFixed are why people cannot change that of
// the workspace; empty where they can.
func (a Ahead) AutostartFixed() string { return workspaces.AutostartFixed(a.Facts.Template) }

func (a Ahead) TTLFixed() string { return workspaces.TTLFixed(a.Facts.Template) }

func (a Ahead) AutoOffFixed() string { return workspaces.AutoOffFixed(a.Facts.Organization) }

// RequiredStop is on which days the template requires a stop; empty for none.
func (a Ahead) RequiredStop() string {
	p := a.Facts.Template.Policy
	if p.AutostopDays&berth.EveryDay == 0 {
		return ""
	}
	return p.AutostopDays.Describe()
}
