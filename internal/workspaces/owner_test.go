package workspaces_test

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// Templates are told what the owner is in the workspace's organization, and
// nothing of others.
func TestTemplatesKnowTheOwner(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		tenants := organizations.New(h.db)
		_, err := tenants.Create(t.Context(), h.owner, organizations.NewOrganization{Name: "acme"})
		must(t, err)
		_, err = tenants.AddMember(t.Context(), h.owner, "acme", "mel", []berth.Role{berth.RoleOwner})
		must(t, err)
		_, err = tenants.AddMember(t.Context(), h.owner, "default", "mel", []berth.Role{berth.RoleAuditor, berth.RoleOwner})
		must(t, err)
		for org, groups := range map[string][]string{"default": {"ops", "Art", "zoo"}, "acme": {"elsewhere"}} {
			for _, g := range groups {
				_, err := tenants.CreateGroup(t.Context(), h.owner, org, organizations.NewGroup{Name: g})
				must(t, err)
				if g != "zoo" {
					must(t, tenants.AddToGroup(t.Context(), h.owner, org, g, "mel"))
				}
			}
		}
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			u, err := tx.User(h.mel.UserID)
			if err != nil {
				return err
			}
			u.Roles, u.SignIn = []berth.Role{berth.RoleTemplateAdmin}, "corp"
			return tx.UpdateUser(u)
		}))
		told := func(transition berth.Transition, groups, roles, signIn string) {
			t.Helper()
			must(t, h.build(h.mel, v.Workspace.ID, workspaces.BuildInput{Transition: transition}))
			j, c := h.take()
			for name, want := range map[string]string{"GROUPS": groups, "RBAC_ROLES": roles, "LOGIN_TYPE": signIn} {
				if got := j.Env["CODER_WORKSPACE_OWNER_"+name]; got != want {
					t.Errorf("%s is\n%s, want\n%s", name, got, want)
				}
			}
			must(t, h.queue.Finish(t.Context(), c, builds.Report{Error: "no", ErrorCode: "terraform"}))
		}
		id := string(v.Workspace.OrganizationID)
		told(berth.Start, `["Art","Everyone","ops"]`, `[{"name":"member","org_id":""},{"name":"template-admin","org_id":""},`+
			`{"name":"organization-member","org_id":"`+id+`"},{"name":"organization-admin","org_id":"`+id+`"},{"name":"organization-auditor","org_id":"`+id+`"}]`, "oidc")
		_, err = tenants.RemoveMember(t.Context(), h.owner, "default", "mel")
		must(t, err)
		told(berth.Delete, `[]`, `[{"name":"member","org_id":""},{"name":"template-admin","org_id":""}]`, "oidc")
	})
}
