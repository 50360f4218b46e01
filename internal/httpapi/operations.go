package httpapi

import "github.com/berthdev/berth/api"

// operations is the whole API. What is not here does not exist; what is here
// is in openapi.json, in the client, and refused to those whom its access does
// not name.
var operations = []operation{
	op(public, "GET /version", "version", "Tell what this server is", (*handlers).version),
	op(public, "POST /users/first", "createFirstUser", "Make the first user, who owns the site", (*handlers).createFirstUser, status(201),
		about("A conflict once there is a user.")),
	op(public, "POST /login", "login", "Sign in by password", (*handlers).login),
	op(person, "POST /logout", "logout", "End the login that this request is made with", (*handlers).logout),
	op(person, "GET /users/me", "me", "Tell who is signed in", (*handlers).me),
	op(person, "GET /tokens", "listTokens", "List your tokens", (*handlers).listTokens),
	op(person, "POST /tokens", "createToken", "Make a token for a program", (*handlers).createToken, status(201)),
	op(person, "DELETE /tokens/{token}", "removeToken", "End a token", (*handlers).removeToken),

	op(person, "GET /organizations", "listOrganizations", "List the organizations that you see", (*handlers).listOrganizations),
	op(person, "PATCH /organizations/{organization}", "editOrganization", "Change the settings of an organization", (*handlers).editOrganization),
	op(person, "GET /providers", "listProviders", "List workspace providers", (*handlers).listProviders),
	op(person, "GET /loops", "listLoops", "Tell what the server does by itself, and how that goes", (*handlers).listLoops),

	op(person, "POST /archives", "uploadArchive", "Upload the directory of a template", (*handlers).uploadArchive, status(201),
		sends("application/x-tar", "A tar, plain or gzip")),
	op(person, "GET /templates", "listTemplates", "List templates", (*handlers).listTemplates),
	op(person, "GET /organizations/{organization}/templates/{template}", "getTemplate", "Show a template", (*handlers).getTemplate),
	op(person, "PATCH /organizations/{organization}/templates/{template}", "editTemplate", "Change how a template is shown", (*handlers).editTemplate),
	op(person, "DELETE /organizations/{organization}/templates/{template}", "deleteTemplate", "Delete a template", (*handlers).deleteTemplate,
		about("A conflict while it has workspaces.")),
	op(person, "GET /organizations/{organization}/templates/{template}/versions", "listVersions", "List the versions of a template, newest first", (*handlers).listVersions),
	op(person, "POST /organizations/{organization}/templates/{template}/versions", "pushVersion", "Make a version and import it", (*handlers).pushVersion, status(201),
		about("A template that does not exist is created. Watch the build that build_id names.")),
	op(person, "GET /organizations/{organization}/templates/{template}/versions/{version}", "getVersion", "Show a version", (*handlers).getVersion),
	op(person, "POST /organizations/{organization}/templates/{template}/versions/{version}/activate", "activateVersion", "Make a version the active one", (*handlers).activateVersion),
	op(person, "GET /organizations/{organization}/templates/{template}/versions/{version}/archive", "versionArchive", "Download the files of a version", (*handlers).versionArchive,
		answers("application/x-tar", "A tar")),

	op(person, "POST /workspaces", "createWorkspace", "Make a workspace and start it", (*handlers).createWorkspace, status(201)),
	op(person, "GET /workspaces", "listWorkspaces", "List workspaces, newest first", (*handlers).listWorkspaces),
	op(person, "GET /workspaces/{workspace}", "getWorkspace", "Show a workspace", (*handlers).getWorkspace),
	op(person, "GET /users/{user}/workspaces/{name}", "findWorkspace", "Show a workspace by owner and name", (*handlers).findWorkspace),
	op(person, "PATCH /workspaces/{workspace}", "editWorkspace", "Change the name or the settings of a workspace", (*handlers).editWorkspace),
	op(person, "GET /workspaces/{workspace}/events", "watchWorkspace", "Watch a workspace", (*handlers).watchWorkspace,
		answers("text/event-stream", "Event workspace with a Workspace, at once and on every change")),

	op(person, "POST /workspaces/{workspace}/agent-key", "rotateAgentKey", "Change the key of the agents' tokens", (*handlers).rotateAgentKey,
		about("The next start uses it; from then on the old tokens are refused.")),

	op(person, "GET /workspaces/{workspace}/builds", "listWorkspaceBuilds", "List the builds of a workspace, newest first", (*handlers).listWorkspaceBuilds),
	op(person, "POST /workspaces/{workspace}/builds", "createBuild", "Start, stop, update or delete a workspace", (*handlers).createBuild, status(201)),
	op(person, "GET /workspaces/{workspace}/builds/{number}", "getWorkspaceBuild", "Show a build of a workspace", (*handlers).getWorkspaceBuild),
	op(person, "GET /builds", "listBuilds", "List builds, imports too, newest first", (*handlers).listBuilds),
	op(person, "GET /builds/{build}", "getBuild", "Show a build", (*handlers).getBuild),
	op(person, "POST /builds/{build}/cancel", "cancelBuild", "Cancel a build", (*handlers).cancelBuild),
	op(person, "POST /builds/{build}/abandon", "abandonBuild", "Give up on a build whose runner is unreachable", (*handlers).abandonBuild,
		about("Something that it made may be left behind.")),
	op(person, "GET /builds/{build}/logs", "buildLogs", "Read the log of a build", (*handlers).buildLogs),
	op(person, "GET /builds/{build}/events", "watchBuild", "Watch a build and its log", (*handlers).watchBuild,
		answers("text/event-stream", "Event log with a Log for each line, event build with a Build at once and when it changed; the answer ends after the build has")),

	op(person, "GET /workspaces/{workspace}/agents/{agent}/logs", "agentLogs", "Read the log of an agent", (*handlers).agentLogs),
	op(person, "GET /workspaces/{workspace}/agents/{agent}/ping", "pingAgent", "Measure the way to an agent and back", (*handlers).pingAgent),
	socket(person, "GET /workspaces/{workspace}/agents/{agent}/streams/{stream}", "openStream", "Open a byte stream to an agent", (*handlers).openStream,
		about("stream is a UUID of the caller's making. Query: kind, what to connect it to (ssh); from, the offset to go on from.")),

	op(person, "GET /workspaces/{workspace}/state", "pullState", "Download the Terraform state of a workspace", (*handlers).pullState,
		answers("application/json", "The state; it holds secrets")),
	op(person, "PUT /workspaces/{workspace}/state", "pushState", "Replace the Terraform state of a workspace", (*handlers).pushState,
		sends(api.StateType, "A state of the same lineage, with a higher serial, as Terraform writes it"), atMost(limitState)),
	op(person, "GET /workspaces/{workspace}/state/versions", "listStateVersions", "List the kept revisions of the state, newest first", (*handlers).listStateVersions),

	op(agent, "POST /agent/hello", "agentHello", "Say that the agent started, and learn what it is", (*handlers).agentHello),
	op(agent, "POST /agent/lifecycle", "agentLifecycle", "Report how far the agent is with its scripts", (*handlers).agentLifecycle),
	op(agent, "POST /agent/steps", "agentSteps", "Report the steps of the agent's start", (*handlers).agentSteps),
	op(agent, "POST /agent/logs", "agentAppendLogs", "Add to the agent's log", (*handlers).agentAppendLogs, atMost(limitLogs)),
	op(agent, "POST /agent/apps", "agentApps", "Report how the agent's apps are", (*handlers).agentApps),
	op(anyAgent, "POST /agent/trouble", "agentTrouble", "Say why the agent cannot link", (*handlers).agentTrouble,
		about("Taken from an agent whose token is known, also when it may not link.")),
	socket(agent, "GET /agent/link", "agentLink", "Link the agent to this relay", (*handlers).agentLink),

	op(runner, "POST /runner/hello", "runnerHello", "Say which builds a runner holds", (*handlers).runnerHello),
	op(runner, "POST /runner/take", "runnerTake", "Wait for a build and take it", (*handlers).runnerTake,
		orNothing("There was none for wait_seconds")),
	op(runner, "POST /runner/builds/{build}/beat", "runnerBeat", "Renew the lease of a build", (*handlers).runnerBeat),
	op(runner, "POST /runner/builds/{build}/logs", "runnerLogs", "Add to the log of a build", (*handlers).runnerLogs, atMost(limitLogs)),
	op(runner, "POST /runner/builds/{build}/state", "runnerState", "Ship a revision of the state", (*handlers).runnerState, atMost(limitState)),
	op(runner, "POST /runner/builds/{build}/judge", "runnerJudge", "Ask for the verdict on a plan", (*handlers).runnerJudge, atMost(limitLogs)),
	op(runner, "POST /runner/builds/{build}/finish", "runnerFinish", "End a build", (*handlers).runnerFinish, atMost(limitState)),
	op(runner, "GET /runner/archives/{hash}", "runnerArchive", "Download the archive that a build needs", (*handlers).runnerArchive,
		answers("application/x-tar", "A tar")),
}
