package httpapi_test

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/server/servertest"
)

// deed is a good request that changes something, and what the record says of it.
// Requests are made in this order, by the owner of the site unless as says who.
type deed struct {
	row
	as     string
	leaves string // "action kind"
}

// deeds has every operation for people that changes something. A new one needs a
// row here, or a reason in silent:
//
//	{row: row{op: "createGroup", body: `{"name":"night"}`}, leaves: "create group"},
var deeds = []deed{
	{row: row{op: "setPreferences", body: `{"dotfiles":"https://example.com/dots"}`}, leaves: "edit user"},
	{row: row{op: "createToken", body: `{"name":"ci"}`}, leaves: "create token"},
	{row: row{op: "removeToken", with: map[string]string{"token": "ci"}}, leaves: "delete token"},
	{row: row{op: "logout"}, leaves: "logout user"},
	{row: row{op: "createUser", body: `{"username":"zoe","email":"zoe@example.com"}`}, leaves: "create user"},
	{row: row{op: "editUser", with: isBen, body: `{"name":"Ben"}`}, leaves: "edit user"},
	{row: row{op: "setQuietHours", with: isBen, body: `{"schedule":"CRON_TZ=Europe/Dublin 0 22 * * *"}`}, leaves: "edit user"},
	{row: row{op: "suspendUser", with: isBen}, leaves: "suspend user"},
	{row: row{op: "activateUser", with: isBen}, leaves: "activate user"},
	{row: row{op: "resetPassword", with: isBen}, leaves: "edit user"},
	{row: row{op: "removeTokens", with: isBen}, leaves: "logout user"},
	{row: row{op: "deleteUser", with: map[string]string{"user": "zoe"}}, leaves: "delete user"},

	{row: row{op: "setNoticePreferences", body: `{"kinds":{"workspace-deleted":{"email":false}}}`}, leaves: "edit notices"},
	{row: row{op: "pauseNotices", body: `{"paused":true}`}, leaves: "pause notices"},
	{row: row{op: "pauseNotices", body: `{"paused":false}`}, leaves: "resume notices"},

	{row: row{op: "regenerateSSHKey"}, leaves: "regenerate ssh-key"},
	{row: row{op: "putSecret", body: `{"value":"x","env":"SPARE"}`}, leaves: "create secret"},
	{row: row{op: "putSecret", body: `{"value":"y"}`}, leaves: "edit secret"},
	{row: row{op: "removeSecret"}, leaves: "delete secret"},

	{row: row{op: "editOrganization", body: `{"idle_counts":true}`}, leaves: "edit organization"},
	{row: row{op: "undoOrganizationEdit", body: `{}`}, leaves: "undo organization"},
	{row: row{op: "createOrganization", body: `{"name":"lab"}`}, leaves: "create organization"},
	{row: row{op: "deleteOrganization", with: map[string]string{"organization": "lab"}}, leaves: "delete organization"},
	{row: row{op: "addMember", with: isEve, body: `{}`}, leaves: "add member"},
	{row: row{op: "editMember", with: isEve, body: `{"add":["auditor"]}`}, leaves: "edit member"},
	{row: row{op: "createGroup", body: `{"name":"night"}`}, leaves: "create group"},
	{row: row{op: "editGroup", body: `{"display_name":"Crew"}`}, leaves: "edit group"},
	{row: row{op: "addGroupMember", with: isEve}, leaves: "add group"},
	{row: row{op: "removeGroupMember", with: isEve}, leaves: "remove group"},
	{row: row{op: "deleteGroup", with: map[string]string{"group": "night"}}, leaves: "delete group"},
	{row: row{op: "removeMember", with: isEve}, leaves: "remove member"},
	{row: row{op: "denyProvider", before: spareProvider, with: map[string]string{"provider": "spare"}}, leaves: "deny provider"},
	{row: row{op: "allowProvider", with: map[string]string{"provider": "spare"}}, leaves: "allow provider"},
	{row: row{op: "exportAudit"}, leaves: "export audit"},

	{row: row{op: "editTemplate", body: `{"display_name":"Plain"}`}, leaves: "edit template"},
	{row: row{op: "editTemplate", body: `{"policy":{"default_ttl_seconds":3600}}`}, leaves: "edit template"},
	{row: row{op: "undoTemplateEdit", body: `{}`}, leaves: "undo template"},
	{row: row{op: "pushVersion", body: `{"archive":"{archive}","activate":false}`}, leaves: "push template"},
	{row: row{op: "activateVersion"}, leaves: "activate template"},
	{row: row{op: "archiveVersion", before: spareVersion, with: map[string]string{"version": "spare"}}, leaves: "archive template"},
	{row: row{op: "unarchiveVersion", with: map[string]string{"version": "spare"}}, leaves: "unarchive template"},
	{row: row{op: "archiveUnused", body: `{"all":true}`}, leaves: "archive template"},
	{row: row{op: "putTemplateGrants", body: `{"grants":[{"user":"ben","role":"use"}]}`}, leaves: "share template"},
	{row: row{op: "removeTemplateGrants", query: "user=ben"}, leaves: "unshare template"},

	{row: row{op: "createWorkspace", body: `{"name":"web","template":"plain"}`}, leaves: "create workspace"},
	{row: row{op: "editWorkspace", body: `{"name":"dev2"}`}, leaves: "rename workspace"},
	{row: row{op: "putGrants", body: `{"grants":[{"user":"ben","role":"use"}]}`}, leaves: "share workspace"},
	{row: row{op: "removeGrants", query: "user=ben"}, leaves: "unshare workspace"},
	{row: row{op: "rotateAgentKey"}, leaves: "rotate-key workspace"},
	{row: row{op: "createHold", body: `{"seconds":600}`}, as: "ana", leaves: "hold workspace"},
	{row: row{op: "releaseHold"}, as: "ana", leaves: "release-hold workspace"},
	{row: row{op: "releaseHolds", before: heldByAna}, as: "ana", leaves: "release-hold workspace"},
	{row: row{op: "sharePort", body: `{"level":"organization"}`}, leaves: "share workspace"},
	{row: row{op: "unsharePort"}, leaves: "unshare workspace"},
	{row: row{op: "externalAgent"}, as: "ana", leaves: "external-agent workspace"},
	{row: row{op: "pullState"}, leaves: "state-pull workspace"},
	{row: row{op: "editSchedule", body: `{"ttl_seconds":3600,"apply_now":true}`}, leaves: "schedule workspace"},
	{row: row{op: "extendWorkspace", body: `{"seconds":36000}`}, leaves: "extend workspace"},
	{row: row{op: "lookAtWorkspace"}, leaves: "look workspace"},
	{row: row{op: "createBuild", body: `{"transition":"stop"}`}, leaves: "stop workspace"},
	{row: row{op: "sleepWorkspace", before: stopped, body: `{}`}, leaves: "dormancy-sleep workspace"},
	{row: row{op: "wakeWorkspace"}, leaves: "dormancy-wake workspace"},
	{row: row{op: "changePassword", body: `{"current":"` + servertest.Password + `","password":"another horse battery"}`}, leaves: "edit user"},
}

// silent are the operations that leave nothing of their own, with the reason.
var silent = map[string]string{
	"readNotices":     "that somebody reads what is for them alone is nobody's business",
	"testNotices":     "tells the caller alone",
	"createFirstUser": "there is one already: TestSignInsAreRecorded has it",
	"login":           "TestSignInsAreRecorded has it",
	"askLogin":        "nothing is done until a person agreed in the browser",
	"finishLogin":     "needs who agreed: it is recorded by the same function as login",
	"agentByAWS":      "gives an agent the token that it has anyway; that it links is kept",
	"agentByAzure":    "gives an agent the token that it has anyway; that it links is kept",
	"agentByGoogle":   "gives an agent the token that it has anyway; that it links is kept",
	"beginExternal":   "nothing is done until the service sent the browser back",
	"finishExternal":  "needs a service: credentials has the test of its row",
	"revokeExternal":  "needs a service: credentials has the test of its row",
	"uploadArchive":   "its body is a tar: templates has the test of its row",
	"deleteTemplate":  "needs a template without workspaces: templates has the test of its row",
	"cancelBuild":     "needs a build that waits: workspaces has the test of its row",
	"abandonBuild":    "needs a runner that died; it is recorded by the same function as cancelBuild",
	"pushState":       "needs a state of the next serial: workspaces has the test of its row",
	"askParameters":   "it looks, and changes nothing: answers are in a body since they are many",
	"restoreState":    "needs a revision that is kept: workspaces has the test of its row",
	"addFavorite":     "a mark that only its own user sees, and that changes nothing",
	"removeFavorite":  "as addFavorite",
	"askTicket":       "needs a workspace that runs: TestAppsInABrowser has it",
	"openApp":         "makes a token, which is recorded as one where it does",
}

// isEve makes a request be about eve.
var isEve = map[string]string{"user": "eve"}

// stopped waits until the workspace is.
func stopped(t *testing.T, w *world, _ caster) {
	t.Helper()
	for now, err := range w.admin.WatchWorkspace(t.Context(), string(w.workspace.ID)) {
		if err != nil {
			t.Fatal(err)
		}
		if now.Status == string(berth.StatusStopped) {
			return
		}
	}
}

// heldByAna has ana hold her workspace.
func heldByAna(t *testing.T, w *world, c caster) {
	t.Helper()
	if _, err := w.s.Client(t, w.token(t, c)).CreateHold(t.Context(), string(w.workspace.ID), api.CreateHold{Seconds: 60}); err != nil {
		t.Fatal(err)
	}
}
