package notices

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// retriesTold is after how many tries that failed people are told once more.
const retriesTold = 5

// BuildEnded tells of the end of a workspace's build whom it concerns: its owner
// of what Berth did by itself and of what others did, those who manage templates
// of what failed for people.
func (s *Service) BuildEnded(tx *store.Tx, b berth.Build) error {
	if b.WorkspaceID == "" {
		return nil
	}
	w, err := tx.Workspace(b.WorkspaceID)
	if err != nil || w.Prebuild {
		return err
	}
	switch why, automatic := b.Reason.Automatic(); {
	case b.Status() == berth.BuildFailed && automatic:
		return s.automaticFailed(tx, w, b, why)
	case b.Status() == berth.BuildFailed:
		return s.buildFailed(tx, w, b)
	case b.Status() != berth.BuildSucceeded:
		return nil
	case b.Transition == berth.Delete && b.InitiatorID != w.OwnerID:
		return s.workspaceDeleted(tx, w, b, why)
	case b.Transition == berth.Start:
		return s.started(tx, w, b, automatic)
	}
	return nil
}

// automaticFailed tells the owner, at the first try and once more when it goes on
// failing. A suspended one can do nothing: who manages templates is told.
func (s *Service) automaticFailed(tx *store.Tx, w berth.Workspace, b berth.Build, why string) error {
	if b.Tries > 1 && b.Tries != retriesTold {
		return nil
	}
	owner, err := tx.User(w.OwnerID)
	if err != nil {
		return err
	}
	if !owner.MaySignIn() {
		return s.buildFailed(tx, w, b)
	}
	return s.Tell(tx, berth.Notice{Kind: KindAutomaticFailed, WorkspaceID: w.ID, Once: "failed " + string(b.ID), Data: map[string]string{
		"transition": string(b.Transition), "build": strconv.Itoa(b.Number), "why": why, "error": b.Error,
	}}, owner.ID)
}

func (s *Service) buildFailed(tx *store.Tx, w berth.Workspace, b berth.Build) error {
	data, err := versionData(&tx.Query, b)
	if err != nil {
		return err
	}
	data["transition"], data["build"], data["error"] = string(b.Transition), strconv.Itoa(b.Number), b.Error
	to, err := templateAdmins(&tx.Query, w.OrganizationID)
	if err != nil {
		return err
	}
	return s.Tell(tx, berth.Notice{Kind: KindBuildFailed, WorkspaceID: w.ID, Once: "failed " + string(b.ID), Data: data}, without(to, b.InitiatorID)...)
}

// versionData is what a build was made by and with.
func versionData(q *store.Query, b berth.Build) (map[string]string, error) {
	by, err := q.User(b.InitiatorID)
	if err != nil {
		return nil, err
	}
	version, err := q.Version(b.VersionID)
	data := map[string]string{"version": version.Name}
	if !by.System {
		data["by"] = by.Username
	}
	return data, err
}

func (s *Service) workspaceDeleted(tx *store.Tx, w berth.Workspace, b berth.Build, why string) error {
	data, err := versionData(&tx.Query, b)
	if err != nil {
		return err
	}
	data["why"] = why
	return s.Tell(tx, berth.Notice{Kind: KindDeleted, WorkspaceID: w.ID, Once: "deleted " + string(w.ID), Data: data}, w.OwnerID)
}

// started tells of a start that made a workspace, or gave it another version.
func (s *Service) started(tx *store.Tx, w berth.Workspace, b berth.Build, automatic bool) error {
	kind := KindCreated
	if b.Number > 1 {
		before, err := tx.LastEffect(w.ID, b.Number)
		if errors.Is(err, berth.NotFound) || err == nil && before.VersionID == b.VersionID {
			return nil
		}
		if err != nil {
			return err
		}
		kind = KindUpdatedByHand
	}
	data, err := versionData(&tx.Query, b)
	if err != nil {
		return err
	}
	n := berth.Notice{Kind: kind, WorkspaceID: w.ID, Once: "started " + string(b.ID), Data: data}
	if automatic {
		if b.Number == 1 {
			return nil
		}
		n.Kind = KindUpdated
		return s.Tell(tx, n, w.OwnerID)
	}
	// Nobody is told of these who did not ask for it.
	wants, err := tx.WhoWants(kind)
	if err != nil || len(wants) == 0 {
		return err
	}
	to, err := templateAdmins(&tx.Query, w.OrganizationID)
	if err != nil {
		return err
	}
	to = slices.DeleteFunc(to, func(u berth.UserID) bool { return !slices.Contains(wants, u) })
	return s.Tell(tx, n, without(to, b.InitiatorID)...)
}

// Pressed tells an owner, once a day, that memory or a volume is too full.
func (s *Service) Pressed(tx *store.Tx, w berth.Workspace, p berth.Pressure) error {
	kind, data := KindOutOfMemory, map[string]string{"percent": strconv.Itoa(p.Percent)}
	if p.Path != "" {
		kind, data["path"] = KindOutOfDisk, p.Path
	}
	once := fmt.Sprintf("%s %s %s %s", kind, w.ID, p.Path, tx.Now.Format(time.DateOnly))
	return s.Tell(tx, berth.Notice{Kind: kind, WorkspaceID: w.ID, Once: once, Data: data}, w.OwnerID)
}

// TemplateDeleted tells who manages templates there.
func (s *Service) TemplateDeleted(tx *store.Tx, t berth.Template, by berth.UserID) error {
	to, err := templateAdmins(&tx.Query, t.OrganizationID)
	if err != nil {
		return err
	}
	return s.told(tx, berth.Notice{Kind: KindTemplateDeleted, TemplateID: t.ID}, by, to)
}

// UserCreated, and those below, tell who manages users, and the user where they
// are let in or shut out.
func (s *Service) UserCreated(tx *store.Tx, u berth.User, by berth.UserID) error {
	return s.userChanged(tx, KindUserCreated, u, by)
}

func (s *Service) UserDeleted(tx *store.Tx, u berth.User, by berth.UserID) error {
	return s.userChanged(tx, KindUserDeleted, u, by)
}

func (s *Service) UserSuspended(tx *store.Tx, u berth.User, by berth.UserID) error {
	return errors.Join(s.userChanged(tx, KindUserSuspended, u, by), s.Tell(tx, berth.Notice{Kind: KindAccountSuspended}, u.ID))
}

func (s *Service) UserActivated(tx *store.Tx, u berth.User, by berth.UserID) error {
	return errors.Join(s.userChanged(tx, KindUserActivated, u, by), s.Tell(tx, berth.Notice{Kind: KindAccountActivated}, u.ID))
}

func (s *Service) userChanged(tx *store.Tx, kind string, u berth.User, by berth.UserID) error {
	to, err := tx.WithSiteRole(berth.RoleUserAdmin)
	if err == nil && len(to) == 0 {
		to, err = tx.WithSiteRole(berth.RoleOwner)
	}
	if err != nil {
		return err
	}
	return s.told(tx, berth.Notice{Kind: kind, Data: map[string]string{"user": u.Username}}, by, without(to, u.ID))
}

// told tells of what somebody did all but them.
func (s *Service) told(tx *store.Tx, n berth.Notice, by berth.UserID, to []berth.UserID) error {
	if to = without(to, by); len(to) == 0 {
		return nil
	}
	if by != "" {
		actor, err := tx.User(by)
		if err != nil {
			return err
		}
		if n.Data == nil {
			n.Data = map[string]string{}
		}
		n.Data["by"] = actor.Username
	}
	return s.Tell(tx, n, to...)
}

// templateAdmins are those who manage templates in an organization: by a role of
// it or of the site, else its owners, else those of the site. All of them may
// read its workspaces.
func templateAdmins(q *store.Query, o berth.OrganizationID) ([]berth.UserID, error) {
	here, err := q.WithRole(o, berth.RoleTemplateAdmin)
	if err != nil {
		return nil, err
	}
	all, err := q.WithSiteRole(berth.RoleTemplateAdmin)
	if to := append(here, all...); err != nil || len(to) > 0 {
		return to, err
	}
	if to, err := q.WithRole(o, berth.RoleOwner); err != nil || len(to) > 0 {
		return to, err
	}
	return q.WithSiteRole(berth.RoleOwner)
}

// without is a list without somebody: who did something knows.
func without(list []berth.UserID, u berth.UserID) []berth.UserID {
	return slices.DeleteFunc(slices.Clone(list), func(id berth.UserID) bool { return id == u })
}
