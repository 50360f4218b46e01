package agent

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// socketVariable names the local socket to the workspace's programs.
const socketVariable = "BERTH_AGENT_SOCKET"

// Askpass is our program that git asks for HTTPS credentials, in the folder of
// our commands.
const Askpass = "berth-askpass"

// builtins is what we say of the workspace to all that runs in it. The names
// with CODER are those that public templates and modules read; each has a twin
// with BERTH. What is not known is not set.
func (a *agent) builtins() map[string]string {
	env := map[string]string{"CS_DISABLE_GETTING_STARTED_OVERRIDE": "1"}
	set := func(name, value string) {
		if value != "" {
			env[name] = value
		}
	}
	both := func(name, value string) {
		set("CODER"+name, value)
		set("BERTH"+name, value)
	}
	both("", "true")
	both("_URL", a.config.URL)
	both("_AGENT_URL", a.config.URL)
	both("_AGENT_TOKEN", a.config.Token)
	set(socketVariable, a.socket)
	if m := a.manifest.Load(); m != nil {
		both("_WORKSPACE_ID", m.WorkspaceID)
		both("_WORKSPACE_NAME", m.WorkspaceName)
		both("_WORKSPACE_AGENT_NAME", m.Agent.Name)
		both("_WORKSPACE_OWNER_NAME", m.OwnerName)
		both("_USERNAME", m.OwnerName)
		both("_USER_EMAIL", m.OwnerEmail)
		both("_ORGANIZATION_ID", m.OrganizationID)
		both("_ORGANIZATION_NAME", m.Organization)
		both("_WP_NAME", m.Provider)
		set("VSCODE_PROXY_URI", m.VSCodeProxyURI)
	}
	if id := a.identity.Load(); id != nil {
		set("CODER_SESSION_TOKEN", id.Token)
		set("BERTH_TOKEN", id.Token)
	}
	if a.dataDir != "" {
		both("_SCRIPT_BIN_DIR", a.binDir())
		set("GIT_SSH_COMMAND", quoted(filepath.Join(a.binDir(), "coder"))+" gitssh --")
		set("GIT_ASKPASS", filepath.Join(a.binDir(), Askpass))
	}
	return env
}

// startVariables tells hooks and scripts which start this is.
func (a *agent) startVariables() []string {
	m := a.manifest.Load()
	if m == nil {
		return nil
	}
	which := "again"
	if m.FirstStart {
		which = "first"
	}
	var env []string
	for _, brand := range []string{"CODER", "BERTH"} {
		env = append(env, brand+"_START="+which, brand+"_START_NUMBER="+strconv.Itoa(m.BuildNumber), brand+"_START_REASON="+m.BuildReason)
	}
	return env
}

var plainPath = regexp.MustCompile(`^[A-Za-z0-9/._+-]+$`)

// quoted is a path as a shell reads it.
func quoted(path string) string {
	if plainPath.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
