package workspaces

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// asItIs refuses a start that changes the workspace to somebody who may start it
// and not change it: one with another version or other answers. What a version
// asks at each start anew they answer, and a version that a rule chose is as it
// is.
func asItIs(q *store.Query, actor authz.Actor, w berth.Workspace, base berth.Build, v berth.Version, ruled bool, asked forms.Result, in BuildInput) error {
	if in.Transition != berth.Start {
		return nil
	}
	changes := v.ID != base.VersionID && !ruled || in.Preset != ""
	for name := range in.Parameters {
		changes = changes || !askedEachTime(asked, name)
	}
	if !changes {
		return nil
	}
	err := sharing.Check(q, actor, authz.Update, w, "the workspace")
	if berth.ErrorCode(err) == berth.Forbidden && !actor.InWorkspace() {
		return berth.Errorf(berth.Forbidden, "you may start %s as it is, not with another version or other answers: ask its owner for the role admin", w.Name)
	}
	return err
}

func askedEachTime(asked forms.Result, parameter string) bool {
	for _, q := range asked.Questions {
		if q.Name == parameter {
			return q.Ephemeral
		}
	}
	// One that is never asked is refused with the names of those that are; one
	// that is asked with other answers may be kept for then.
	return asked.Once[parameter] || !asked.Possible[parameter]
}

// mayCancel tells whether the actor may cancel a build: with the right to change
// the workspace, or, where they may stop it, one that they asked for.
func mayCancel(q *store.Query, actor authz.Actor, r store.BuildRow) error {
	if r.On() == "" {
		return nil // findBuild wants the right to change the template
	}
	right := authz.Update
	if r.InitiatorID == actor.UserID {
		right = authz.Stop
	}
	w := berth.Workspace{ID: r.On(), OwnerID: r.OwnerID, OrganizationID: r.OrganizationID}
	if err := sharing.Check(q, actor, right, w, "the build"); err != nil {
		return err
	}
	if r.LooksAt != "" {
		return nil // nothing is left half done
	}
	return interruptible(q, actor, r)
}

// maySharePort tells whether the actor may let others open a port: members of
// the organization with the right to share the workspace, which is no more than
// they could give in shares, and others only if they govern it besides.
func maySharePort(q *store.Query, actor authz.Actor, w berth.Workspace, level berth.Share) error {
	if err := sharing.Check(q, actor, authz.Share, w, "the workspace"); err != nil {
		return err
	}
	if level == berth.ShareOrganization {
		return nil
	}
	err := sharing.Check(q, actor, authz.Govern, w, "the workspace")
	if berth.ErrorCode(err) == berth.Forbidden {
		return berth.InvalidField("level", "you may share ports of %s within its organization: more is for its owner to do", w.Name)
	}
	return err
}
