package storetest

import (
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// World is the least that builds need around them.
type World struct {
	Organization berth.Organization
	User         berth.User
	Provider     berth.Provider
	Template     berth.Template
	Version      berth.Version
}

// Seed fills an empty database with a World.
func Seed(t testing.TB, db *store.DB) World {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	var w World
	w.Organization = berth.Organization{ID: berth.NewID[berth.Organization](), Name: "default", Default: true, Sharing: true,
		AutostartDays: berth.EveryDay, AutostartUsedWithin: berth.DefaultUsedWithin, CreatedAt: now}
	w.User = berth.User{ID: berth.NewID[berth.User](), Username: "ada", Email: "ada@example.com", Status: berth.UserActive, CreatedAt: now, UpdatedAt: now}
	w.Provider = berth.Provider{ID: berth.NewID[berth.Provider](), Name: berth.BuiltInProvider, Default: true, CreatedAt: now}
	w.Template = berth.Template{ID: berth.NewID[berth.Template](), OrganizationID: w.Organization.ID, Name: "process",
		CreatedBy: w.User.ID, CreatedAt: now, UpdatedAt: now}
	w.Version = berth.Version{ID: berth.NewID[berth.Version](), OrganizationID: w.Organization.ID, TemplateID: w.Template.ID,
		Name: "first", Archive: "00", CreatedBy: w.User.ID, CreatedAt: now}
	write(t, db, func(tx *store.Tx) error {
		for _, step := range []func() error{
			func() error { return tx.InsertOrganization(w.Organization) },
			func() error { return tx.InsertUser(w.User, "") },
			func() error { return tx.AddMember(w.Organization.ID, w.User.ID) },
			func() error { return tx.InsertProvider(w.Provider, nil) },
			func() error { return tx.PutArchive("00", []byte("archive")) },
			func() error { return tx.InsertTemplate(w.Template) },
			func() error {
				everyone := berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(w.Organization.ID))}
				return tx.PutGrant(store.TemplateGrants(w.Template.ID), berth.Grant{To: everyone, Role: berth.GrantUse}, w.User.ID)
			},
			func() error { return tx.InsertVersion(w.Version, nil) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

// Workspace adds a workspace without builds.
func (w World) Workspace(t testing.TB, db *store.DB, name string) berth.Workspace {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	ws := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID,
		OwnerID: w.User.ID, TemplateID: w.Template.ID, Name: name, CreatedAt: now, UpdatedAt: now}
	write(t, db, func(tx *store.Tx) error { return tx.InsertWorkspace(ws, []byte("sealed")) })
	return ws
}

// Build is a build of a workspace, or of an import for an empty one, as a use
// case would enqueue it.
func (w World) Build(ws berth.WorkspaceID, transition berth.Transition) berth.Build {
	return berth.Build{OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID, Transition: transition, WorkspaceID: ws,
		TemplateID: w.Template.ID, VersionID: w.Version.ID, Reason: berth.ReasonInitiator, InitiatorID: w.User.ID}
}

func write(t testing.TB, db *store.DB, f func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}
