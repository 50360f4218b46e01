package httpapi_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// walkRows says of every operation for people which right it asks for, in the
// order of operations.go. TestWalkGrid proves it for everybody of the cast; a
// new operation needs a row here:
//
//	{op: "getGroup", needs: authz.Read, on: inHome(authz.KindGroup)},
//
// The request must be one that is good for those who may, and must leave things
// as they are, since it is made many times: an edit that changes nothing, a
// build that is refused as a conflict. Where that cannot be, before makes what
// the request uses up, or passes says that it is refused as invalid after the
// right was looked at.
var walkRows = []row{
	{op: "version", public: true},
	{op: "createFirstUser", public: true, body: `{"username":"x","email":"x@example.com","password":"correct horse battery"}`},
	{op: "login", public: true, body: `{"username":"nobody","password":"wrong"}`},
	{op: "askLogin", public: true, body: `{"challenge":"` + strings.Repeat("x", 43) + `","client":"x"}`},
	{op: "finishLogin", public: true, body: `{"verifier":"x","code":"x"}`, with: map[string]string{"request": "nosuch"}},
	{op: "agentByAWS", public: true, body: `{"document":"{}","signature":"x"}`},
	{op: "agentByAzure", public: true, body: `{"signature":"x"}`},
	{op: "agentByGoogle", public: true, body: `{"json_web_token":"x"}`},
	{op: "logout", anyone: true},
	{op: "me", needs: authz.Read, on: own(authz.KindUser)},
	{op: "setPreferences", needs: authz.Update, on: own(authz.KindUser), body: `{}`},
	{op: "listTokens", needs: authz.Read, on: own(authz.KindToken)},
	{op: "createToken", needs: authz.Create, on: own(authz.KindToken), body: `{"name":"-"}`, passes: 400},
	{op: "removeToken", needs: authz.Delete, on: own(authz.KindToken), before: spareToken},
	{op: "changePassword", needs: authz.Update, on: own(authz.KindPassword), body: `{"current":"wrong","password":"-"}`, passes: 400},
	{op: "listUsers", lists: authz.KindUser},
	{op: "createUser", needs: authz.Create, on: all(authz.KindUser), openly: true, body: `{"username":"-","email":"-"}`, passes: 400},
	{op: "createUser", as: "with roles", needs: authz.Create, on: all(authz.KindUser), openly: true, and: []right{{authz.Assign, all(authz.KindRole)}},
		body: `{"username":"-","email":"-","roles":["auditor"]}`, passes: 400},
	{op: "getUser", needs: authz.Read, on: ben(authz.KindUser), with: isBen},
	{op: "editUser", needs: authz.Update, on: ben(authz.KindUser), with: isBen, body: `{}`},
	{op: "editUser", as: "roles", needs: authz.Update, on: ben(authz.KindUser), with: isBen, and: []right{{authz.Assign, all(authz.KindRole)}}, body: `{"roles":[]}`},
	{op: "deleteUser", needs: authz.Delete, on: func(w *world, _ authz.Actor) authz.Resource { return authz.OfUser(w.users["ana"].ID) }}, // who has a workspace
	{op: "suspendUser", needs: authz.Update, on: ben(authz.KindUser), with: isBen},
	{op: "activateUser", needs: authz.Update, on: ben(authz.KindUser), with: isBen},
	{op: "resetPassword", needs: authz.Update, on: ben(authz.KindUser), with: isBen},
	{op: "listTokens", as: "ben's", needs: authz.Read, on: ben(authz.KindToken), query: "user=ben"},
	{op: "createToken", as: "for ben", needs: authz.Create, on: ben(authz.KindToken), body: `{"name":"-","user":"ben"}`, twin: `{"name":"-","user":"nosuch"}`, passes: 400},
	{op: "removeToken", as: "ben's", needs: authz.Delete, on: ben(authz.KindToken), query: "user=ben", before: bensToken},
	{op: "removeTokens", needs: authz.Delete, on: ben(authz.KindToken), with: isBen},
	{op: "quietHours", needs: authz.Read, on: ben(authz.KindUser), with: isBen},
	{op: "setQuietHours", needs: authz.Update, on: ben(authz.KindUser), with: isBen, body: `{"schedule":""}`},
	{op: "listTokenUses", needs: authz.Read, on: ben(authz.KindToken), with: isBen},

	{op: "listNotices", needs: authz.Read, on: own(authz.KindNotice)},
	{op: "readNotices", needs: authz.Update, on: own(authz.KindNotice), body: `{"all":true}`},
	{op: "noticePreferences", needs: authz.Read, on: own(authz.KindNotice)},
	{op: "setNoticePreferences", needs: authz.Update, on: own(authz.KindNotice), body: `{"kinds":{}}`},
	{op: "noticeDeliveries", needs: authz.Read, on: own(authz.KindNotice), with: map[string]string{"notice": "nosuch"}},
	{op: "noticeSending", needs: authz.Update, on: all(authz.KindServer), openly: true},
	{op: "pauseNotices", needs: authz.Update, on: all(authz.KindServer), openly: true, body: `{"paused":false}`},
	{op: "noticeTroubles", needs: authz.Update, on: all(authz.KindServer), openly: true},
	{op: "testNotices", needs: authz.Update, on: all(authz.KindServer), openly: true},

	{op: "sshKey", needs: authz.Read, on: own(authz.KindSSHKey)},
	{op: "regenerateSSHKey", needs: authz.Update, on: own(authz.KindSSHKey)},
	{op: "listSecrets", needs: authz.Read, on: own(authz.KindSecret)},
	{op: "putSecret", needs: authz.Update, on: own(authz.KindSecret), body: `{"value":"x","env":"SPARE"}`},
	{op: "removeSecret", needs: authz.Delete, on: own(authz.KindSecret), before: spareSecret},
	{op: "listExternal", needs: authz.Read, on: own(authz.KindExternal)},
	{op: "matchExternal", needs: authz.Read, on: own(authz.KindExternal), query: "url=https://github.com/x/y"},
	{op: "beginExternal", needs: authz.Create, on: own(authz.KindExternal)},
	{op: "finishExternal", needs: authz.Create, on: own(authz.KindExternal), body: `{"attempt":"x","code":"y"}`},
	{op: "externalToken", needs: authz.Use, on: own(authz.KindExternal)},
	{op: "revokeExternal", needs: authz.Delete, on: own(authz.KindExternal)},

	{op: "listOrganizations", lists: authz.KindOrganization},
	{op: "getOrganization", needs: authz.Read, on: inHome(authz.KindOrganization)},
	{op: "editOrganization", needs: authz.Update, on: inHome(authz.KindOrganization), body: `{}`},
	{op: "undoOrganizationEdit", needs: authz.Update, on: inHome(authz.KindOrganization), body: `{}`, passes: 409},
	{op: "createOrganization", needs: authz.Create, on: all(authz.KindOrganization), openly: true, body: `{"name":"-"}`, passes: 400},
	{op: "deleteOrganization", needs: authz.Delete, on: inHome(authz.KindOrganization)}, // a conflict: it is the default one
	{op: "listMembers", needs: authz.Read, on: inHome(authz.KindMember)},
	{op: "getMember", needs: authz.Read, on: inHome(authz.KindMember), with: isBen},
	{op: "addMember", needs: authz.Create, on: inHome(authz.KindMember), body: `{}`, with: isBen},
	{op: "addMember", as: "with roles", needs: authz.Create, on: inHome(authz.KindMember), and: []right{{authz.Assign, inHome(authz.KindRole)}}, body: `{"roles":[]}`, with: isBen},
	{op: "editMember", needs: authz.Read, on: inHome(authz.KindMember), and: []right{{authz.Assign, inHome(authz.KindRole)}}, body: `{"remove":["owner"]}`, with: isBen},
	{op: "removeMember", needs: authz.Delete, on: inHome(authz.KindMember), with: map[string]string{"user": berth.PrebuildsUsername}}, // a conflict: it stays
	{op: "listGroups", needs: authz.Read, on: inHome(authz.KindGroup)},
	{op: "createGroup", needs: authz.Create, on: inHome(authz.KindGroup), body: `{"name":"-"}`, passes: 400},
	{op: "getGroup", needs: authz.Read, on: inHome(authz.KindGroup)},
	{op: "editGroup", needs: authz.Update, on: inHome(authz.KindGroup), body: `{}`},
	{op: "deleteGroup", needs: authz.Delete, on: inHome(authz.KindGroup), with: everyone},
	{op: "listGroupMembers", needs: authz.Read, on: inHome(authz.KindGroup)},
	{op: "addGroupMember", needs: authz.Update, on: inHome(authz.KindGroup), with: everyone},
	{op: "removeGroupMember", needs: authz.Update, on: inHome(authz.KindGroup), with: everyone},
	{op: "listAllowedProviders", needs: authz.Read, on: inHome(authz.KindOrganization)},
	{op: "allowProvider", needs: authz.Update, on: inHome(authz.KindProvider), with: map[string]string{"provider": berth.BuiltInProvider}},
	{op: "denyProvider", needs: authz.Update, on: inHome(authz.KindProvider), with: map[string]string{"provider": "spare"}, before: spareProvider},
	{op: "listProviders", lists: authz.KindProvider},
	{op: "quota", needs: authz.Read, on: anasQuota},
	{op: "listLoops", needs: authz.Read, on: all(authz.KindServer)},

	{op: "listRoles", needs: authz.Read, on: all(authz.KindRole)},
	{op: "listAudit", needs: authz.Read, on: inHome(authz.KindAudit), openly: true},
	{op: "exportAudit", needs: authz.Read, on: inHome(authz.KindAudit), openly: true},

	{op: "uploadArchive", needs: authz.Create, on: inHome(authz.KindArchive), openly: true, body: "no tar", media: "application/x-tar", passes: 400},
	{op: "listTemplates", lists: authz.KindTemplate},
	{op: "getTemplate", needs: authz.Read, on: plain},
	{op: "editTemplate", needs: authz.Update, on: plain, body: `{}`},
	{op: "undoTemplateEdit", needs: authz.Update, on: plain, body: `{}`, passes: 409},
	{op: "deleteTemplate", needs: authz.Delete, on: plain},
	{op: "listTemplateGrants", needs: authz.Share, on: plain},
	{op: "putTemplateGrants", needs: authz.Share, on: plain, body: `{"grants":[{"group":"Everyone"}]}`},
	{op: "removeTemplateGrants", needs: authz.Share, on: plain, passes: 400},
	{op: "listVersions", needs: authz.Read, on: plain},
	{op: "pushVersion", needs: authz.Update, on: plain, body: `{"archive":"00","activate":false}`, passes: 400},
	{op: "getVersion", needs: authz.Read, on: plain},
	{op: "activateVersion", needs: authz.Update, on: plain},
	{op: "archiveVersion", needs: authz.Update, on: plain}, // a conflict: it is the active one
	{op: "unarchiveVersion", needs: authz.Update, on: plain},
	{op: "archiveUnused", needs: authz.Update, on: plain, body: `{"dry_run":true}`},
	{op: "versionArchive", needs: authz.Update, on: plain},

	{op: "versionDiff", needs: authz.Read, on: plain},
	{op: "versionCost", needs: authz.Read, on: plain},
	{op: "askParameters", needs: authz.Read, on: plain, body: `{}`},
	{op: "lastParameters", needs: authz.Read, on: plain},
	{op: "createWorkspace", needs: authz.Use, on: plain, body: `{"name":"-","template":"plain"}`, twin: `{"name":"-","template":"nosuch"}`, passes: 400,
		and: []right{{authz.Create, own(authz.KindWorkspace)}}},
	{op: "createWorkspace", as: "for ben", needs: authz.Use, on: plain, body: `{"name":"-","template":"plain","owner":"ben"}`, twin: `{"name":"-","template":"nosuch","owner":"ben"}`, passes: 400,
		and: []right{{authz.Create, inHome(authz.KindWorkspace)}}},
	{op: "listWorkspaces", lists: authz.KindWorkspace},
	{op: "getWorkspace", needs: authz.Read, on: dev},
	{op: "previewUpdate", needs: authz.Read, on: dev},
	{op: "findWorkspace", needs: authz.Read, on: dev},
	{op: "editWorkspace", needs: authz.Update, on: dev, body: `{}`},
	{op: "watchWorkspace", needs: authz.Read, on: dev},

	{op: "rotateAgentKey", needs: authz.Govern, on: dev},
	{op: "listGrants", needs: authz.Read, on: dev},
	{op: "putGrants", needs: authz.Share, on: dev, body: `{"grants":[{"user":"gus"}]}`},
	{op: "removeGrants", needs: authz.Read, on: dev, passes: 400},
	{op: "getActivity", needs: authz.Read, on: dev},
	{op: "listHolds", needs: authz.Read, on: dev},
	{op: "createHold", needs: authz.Connect, on: dev, body: `{"seconds":60}`},
	{op: "releaseHolds", needs: authz.Connect, on: dev},
	{op: "releaseHold", needs: authz.Connect, on: dev},

	{op: "getSchedule", needs: authz.Read, on: dev},
	{op: "editSchedule", needs: authz.Update, on: dev, body: `{}`},
	{op: "extendWorkspace", needs: authz.Start, on: dev, body: `{"seconds":1}`}, // a conflict: nothing stops it
	{op: "sleepWorkspace", needs: authz.Update, on: dev, body: `{}`, before: asleep},
	{op: "wakeWorkspace", needs: authz.Update, on: dev},
	{op: "addFavorite", needs: authz.Read, on: dev, and: []right{{authz.Update, own(authz.KindUser)}}},
	{op: "removeFavorite", needs: authz.Read, on: dev, and: []right{{authz.Update, own(authz.KindUser)}}},

	{op: "explainSchedule", needs: authz.Read, on: dev},
	{op: "listActs", needs: authz.Read, on: dev},
	{op: "listWorkspaceBuilds", needs: authz.Read, on: dev},
	{op: "createBuild", as: "start", needs: authz.Start, on: dev, body: `{"transition":"start","version":"nosuch"}`, passes: 400},
	{op: "createBuild", as: "stop", needs: authz.Stop, on: dev, body: `{"transition":"stop","parameters":{"x":"y"}}`, passes: 400},
	{op: "createBuild", as: "restart", needs: authz.Start, on: dev, and: []right{{authz.Stop, dev}}, body: `{"transition":"restart","version":"nosuch"}`, passes: 400},
	{op: "createBuild", as: "rebuild", needs: authz.Start, on: dev, and: []right{{authz.Stop, dev}, {authz.Govern, dev}},
		body: `{"transition":"rebuild","version":"nosuch"}`, passes: 400},
	{op: "createBuild", as: "delete", needs: authz.Delete, on: dev, body: `{"transition":"delete","parameters":{"x":"y"}}`, passes: 400},
	{op: "createBuild", as: "delete --orphan", needs: authz.Delete, on: dev, and: []right{{authz.Update, plain}},
		body: `{"transition":"delete","orphan":true,"parameters":{"x":"y"}}`, passes: 400},
	{op: "getWorkspaceBuild", needs: authz.Read, on: dev},
	{op: "getTimings", needs: authz.Read, on: dev},
	{op: "listBuilds", lists: authz.KindWorkspace},
	{op: "getBuild", needs: authz.Read, on: dev},
	{op: "cancelBuild", needs: authz.Update, on: dev, body: `{}`},
	{op: "abandonBuild", needs: authz.Read, on: dev, and: []right{{authz.Update, plain}}},
	{op: "buildLogs", needs: authz.Read, on: dev},
	{op: "watchBuild", needs: authz.Read, on: dev},

	{op: "agentLogs", needs: authz.Read, on: dev},
	{op: "externalAgent", needs: authz.Connect, on: dev, and: []right{{authz.Read, anasSecrets}}},
	{op: "pingAgent", needs: authz.Connect, on: dev},
	{op: "openStream", needs: authz.Connect, on: dev, query: "kind=ssh"},
	{op: "watchMetadata", needs: authz.Read, on: dev},
	{op: "openTerminal", needs: authz.Connect, on: dev},

	{op: "askTicket", needs: authz.Connect, on: dev, body: `{"to":"{app url}"}`, twin: `{"to":"{no app url}"}`},
	{op: "listApps", needs: authz.Read, on: dev},
	{op: "openApp", needs: authz.Connect, on: dev},
	{op: "listPorts", needs: authz.Connect, on: dev},
	{op: "sharePort", needs: authz.Share, on: dev, body: `{"level":"organization"}`},
	{op: "unsharePort", needs: authz.Update, on: dev, before: sharedPort},

	{op: "pullState", needs: authz.Read, on: dev, and: []right{{authz.Update, plain}}},
	{op: "pushState", needs: authz.Read, on: dev, and: []right{{authz.Update, plain}}, body: "no state", media: "application/json", passes: 400},
	{op: "listStateVersions", needs: authz.Read, on: dev, and: []right{{authz.Update, plain}}},
	{op: "restoreState", needs: authz.Read, on: dev, and: []right{{authz.Update, plain}}, body: `{"revision":999}`, passes: 400},
	{op: "lookAtWorkspace", needs: authz.Update, on: dev},
}

// everyone is the group whose members nobody changes, and which nobody deletes: a
// conflict for those who may do that to groups.
var everyone = map[string]string{"group": berth.EveryoneGroup}

// What rights are on.

// own is the caller's own of a kind, in home.
func own(k authz.Kind) func(*world, authz.Actor) authz.Resource {
	return func(w *world, a authz.Actor) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: a.UserID, OrganizationID: w.home.ID}
	}
}

// isBen makes a request be about ben.
var isBen = map[string]string{"user": "ben"}

// ben is something of ben's, or himself.
func ben(k authz.Kind) func(*world, authz.Actor) authz.Resource {
	return func(w *world, _ authz.Actor) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: w.users["ben"].ID}
	}
}

// inHome is those of a kind in home, or home itself.
func inHome(k authz.Kind) func(*world, authz.Actor) authz.Resource {
	return func(w *world, _ authz.Actor) authz.Resource {
		return authz.In(k, w.home.ID)
	}
}

// all is those of a kind everywhere.
func all(k authz.Kind) func(*world, authz.Actor) authz.Resource {
	return func(*world, authz.Actor) authz.Resource { return authz.All(k) }
}

// dev is ana's workspace.
func dev(w *world, _ authz.Actor) authz.Resource {
	on := authz.OfWorkspace(w.workspace.OwnerID, w.home.ID, w.shares()...)
	on.Workspace = w.workspace.ID
	return on
}

// anasSecrets are those of ana, which nobody else reads.
func anasSecrets(w *world, _ authz.Actor) authz.Resource { return authz.OfSecret(w.workspace.OwnerID) }

// anasQuota is what ana, whom paths name, may spend.
func anasQuota(w *world, _ authz.Actor) authz.Resource {
	return authz.OfQuota(w.workspace.OwnerID, w.home.ID)
}

// plain is the template, which everyone in home may use.
func plain(w *world, _ authz.Actor) authz.Resource {
	return authz.OfTemplate(w.home.ID, everyoneUses(w.home.ID))
}

// asleep makes the workspace dormant, in an hour only: what runs of a workspace
// that sleeps is stopped, and that it runs others ask about.
func asleep(t *testing.T, w *world, _ caster) {
	w.write(t, func(tx *store.Tx) error {
		now, err := tx.Workspace(w.workspace.ID)
		now.DormantAt = tx.Now.Add(time.Hour)
		return errors.Join(err, tx.SetLifecycle(now.ID, now.Lifecycle))
	})
}

// bensToken gives ben a token `spare`, which the request ends.
func bensToken(t *testing.T, w *world, _ caster) { spareToken(t, w, caster{user: "ben"}) }
