package quota

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// MayCreate tells whether the owner may have one more workspace of a template in
// its organization, which is started at once. It is asked in the transaction
// that makes it, before that.
func MayCreate(q *store.Query, actor authz.Actor, o berth.Organization, t berth.Template, owner berth.User) error {
	if err := mayHave(q, t, owner); err != nil {
		return err
	}
	if most := perUser(owner, o.Limits.WorkspacesPerUser); most > 0 {
		n, err := q.WorkspaceCountOf(o.ID, owner.ID)
		if err != nil {
			return err
		}
		if n >= most {
			return berth.Errorf(berth.Limit, "%s has %s in the organization %s and may have %d: delete one that is not needed any more",
				owner.Username, count(n, "workspace"), o.Name, most)
		}
	}
	if most := o.Limits.Workspaces; most > 0 {
		n, err := q.WorkspaceCount(o.ID)
		if err != nil {
			return err
		}
		if n >= most {
			return berth.Errorf(berth.Limit, "the organization %s has %s and may have %d: some have to be deleted first", o.Name, count(n, "workspace"), most)
		}
	}
	return mayRun(q, actor, o, owner, "")
}

// Room notes in an estimate of a new workspace whether it would be refused for
// the number of workspaces that there are.
func (e *Estimate) Room(q *store.Query, actor authz.Actor, t berth.Template, owner berth.User) error {
	o, err := q.Organization(t.OrganizationID)
	if err != nil {
		return err
	}
	if err = MayCreate(q, actor, o, t, owner); errors.Is(err, berth.Limit) {
		e.Refused, err = berth.ErrorMessage(err), nil
	}
	return err
}

// mayHave tells whether the owner may have one more workspace of a template.
func mayHave(q *store.Query, t berth.Template, owner berth.User) error {
	if most := perUser(owner, t.Limits.WorkspacesPerUser); most > 0 {
		n, err := q.WorkspaceCountFrom(t.ID, owner.ID)
		if err != nil {
			return err
		}
		if n >= most {
			return berth.Errorf(berth.Limit, "%s has %s of the template %s and may have %d: delete one that is not needed any more, or choose another template",
				owner.Username, count(n, "workspace"), t.Name, most)
		}
	}
	if most := t.Limits.Workspaces; most > 0 {
		n, err := q.WorkspaceCountFrom(t.ID, "")
		if err != nil {
			return err
		}
		if n >= most {
			return berth.Errorf(berth.Limit, "the template %s has %s and may have %d: some have to be deleted first", t.Name, count(n, "workspace"), most)
		}
	}
	return nil
}

// MayStart tells whether a workspace may be started. One that counts as running
// already may.
func MayStart(q *store.Query, actor authz.Actor, w berth.Workspace) error {
	o, err := q.Organization(w.OrganizationID)
	if err != nil || o.Limits.Running == 0 && o.Limits.RunningPerUser == 0 {
		return err
	}
	if runs, err := q.Runs(w.ID); err != nil || runs {
		return err
	}
	owner, err := q.User(w.OwnerID)
	if err != nil {
		return err
	}
	return mayRun(q, actor, o, owner, w.ID)
}

// mayRun tells whether the owner may have one more running workspace, beside all
// others but one. Which they are is told to who may know what the owner has.
func mayRun(q *store.Query, actor authz.Actor, o berth.Organization, owner berth.User, but berth.WorkspaceID) error {
	if most := perUser(owner, o.Limits.RunningPerUser); most > 0 {
		names, err := q.RunningOf(o.ID, owner.ID, but)
		if err != nil {
			return err
		}
		if len(names) >= most {
			which := ""
			if authz.Can(actor, authz.Read, authz.OfQuota(owner.ID, o.ID)) {
				which = " (" + strings.Join(shorten(names), ", ") + ")"
			}
			return berth.Errorf(berth.Limit, "%s has %s in the organization %s%s and may have %d: stop one first",
				owner.Username, count(len(names), "running workspace"), o.Name, which, most)
		}
	}
	if most := o.Limits.Running; most > 0 {
		n, err := q.RunningCount(o.ID, but)
		if err != nil {
			return err
		}
		if n >= most {
			return berth.Errorf(berth.Limit, "the organization %s has %s and may have %d: some have to be stopped first", o.Name, count(n, "running workspace"), most)
		}
	}
	return nil
}

// perUser is a limit for each user as it holds for one; 0: none. The pools have
// none but the organization's: their presets say how large they are.
func perUser(owner berth.User, most int) int {
	if owner.System {
		return 0
	}
	return most
}

// count is "1 workspace" or "2 workspaces".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
