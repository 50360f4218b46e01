package workspaces

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// connectStarts tells whether a connection may make the build in, where newest
// is the newest build of the workspace and has ended. Of clients that connect at
// once, the first one's build is made; the others are refused with conflict and
// find the workspace starting or running when they look again.
//
// A start that failed is not repeated by connections: editors connect again and
// again, and each time would run Terraform, cost what it makes, and push the log
// of the failure out of sight.
func connectStarts(tx *store.Tx, w berth.Workspace, newest berth.Build, in BuildInput) error {
	if in.Transition != berth.Start || in.Version != "" || in.Update || len(in.Parameters) > 0 || in.Preset != "" || len(in.AllowDestroy) > 0 {
		return berth.InvalidField("reason", "a connection only starts a workspace as it is: give another reason for anything else")
	}
	switch status := berth.WorkspaceStatus(newest); status {
	case berth.StatusStopped:
	case berth.StatusRunning:
		return berth.Errorf(berth.Conflict, "the workspace %s is running already: connect to it", w.Name)
	default:
		ending := map[berth.Status]string{berth.StatusCanceled: "was canceled", berth.StatusFailed: "failed"}
		return berth.Errorf(berth.Conflict, "the last build of %s (%s) %s, and connections do not try again by themselves: see berth logs %s, then start it with berth start %s",
			w.Name, newest.Transition, ending[status], w.Name, w.Name)
	}
	o, err := tx.OrganizationRef(string(w.OrganizationID))
	switch {
	case err != nil:
		return err
	case !o.ConnectStarts:
		return berth.Errorf(berth.Conflict, "%s is stopped: start it with berth start %s (connections do not start workspaces in the organization %s)", w.Name, w.Name, o.Name)
	case !w.ConnectStarts:
		return berth.Errorf(berth.Conflict, "%s is stopped: start it with berth start %s (connections do not start it: berth edit %s --connect-starts changes that)", w.Name, w.Name, w.Name)
	}
	return nil
}
