package organizations

import (
	"errors"
	"slices"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// EnsurePools makes what the pools of a version need in an organization, when
// the version is to become active: the system user who owns prebuilds is a
// member, and in the group whose allowance they count for. It does nothing for a
// version whose presets keep no pool, and may be called again.
func EnsurePools(tx *store.Tx, o berth.OrganizationID, presets []berth.Preset) error {
	if !slices.ContainsFunc(presets, func(p berth.Preset) bool { return p.Pooled() }) {
		return nil
	}
	u, err := tx.UserNamed(berth.PrebuildsUsername)
	if err != nil {
		return err
	}
	if err := tx.AddMember(o, u.ID); err != nil {
		return err
	}
	g, err := tx.GroupRef(o, berth.PrebuildsGroup)
	if errors.Is(err, berth.NotFound) {
		g = berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: o, Name: berth.PrebuildsGroup, DisplayName: "Prebuilt workspaces", Source: berth.SourceUser}
		if err := tx.InsertGroup(g); err != nil {
			return err
		}
		err = tx.InsertAudit(store.Audit{Class: berth.AuditAutomatic, ActorID: u.ID, Action: "create", Kind: "group", OrganizationID: o,
			TargetID: string(g.ID), TargetName: g.Name, Reason: "a preset of the active version keeps a pool, whose workspaces count for this group"})
	}
	if err != nil {
		return err
	}
	return tx.AddToGroup(g.ID, u.ID, berth.SourceUser)
}
