package workspaces

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"

	"github.com/berthdev/berth"
)

// scene is what the plugins of one build are told about it.
type scene struct {
	workspace berth.Workspace
	owner     berth.User
	standing  standing // of the owner in the organization
	template  berth.Template
	version   berth.Version
	build     berth.Build
	previous  map[string]string // answers of the build before; nil if there was none
	agentKey  []byte
	processes bool // the owner may have processes on the host
}

// transitions in the words of the plugin.
var transitions = map[berth.Transition]string{berth.Start: "start", berth.Stop: "stop", berth.Delete: "destroy"}

// pluginEnv is the environment of the build's plugins: the public contract of the
// provider coder/coder, and Berth's own part. It holds secrets.
func (s *Service) pluginEnv(c scene) map[string]string {
	env := maps.Clone(s.static)
	w, o := c.workspace, c.owner
	maps.Copy(env, map[string]string{
		"CODER_WORKSPACE_TRANSITION":       transitions[c.build.Transition],
		"CODER_WORKSPACE_BUILD_ID":         string(c.build.ID),
		"CODER_WORKSPACE_ID":               string(w.ID),
		"CODER_WORKSPACE_NAME":             w.Name,
		"CODER_WORKSPACE_TEMPLATE_ID":      string(c.template.ID),
		"CODER_WORKSPACE_TEMPLATE_NAME":    c.template.Name,
		"CODER_WORKSPACE_TEMPLATE_VERSION": c.version.Name,
		"CODER_WORKSPACE_IS_PREBUILD":      "false",

		"CODER_WORKSPACE_OWNER":    o.Username,
		"CODER_WORKSPACE_OWNER_ID": string(o.ID),
		// Without a full name the provider would say "default", and templates
		// sign commits with that.
		"CODER_WORKSPACE_OWNER_NAME":       cmp.Or(o.Name, o.Username),
		"CODER_WORKSPACE_OWNER_EMAIL":      o.Email,
		"CODER_WORKSPACE_OWNER_GROUPS":     jsonList(c.standing.groups),
		"CODER_WORKSPACE_OWNER_RBAC_ROLES": jsonList(c.standing.rolesFor(o, w.OrganizationID)),
		"CODER_WORKSPACE_OWNER_LOGIN_TYPE": s.loginType(o),

		"BERTH_AGENT_KEY": base64.StdEncoding.EncodeToString(c.agentKey),
	})
	for name, value := range c.build.Parameters {
		env["CODER_PARAMETER_"+digest(name)] = value
	}
	for name, value := range c.previous {
		env["CODER_PARAMETER_PREVIOUS_"+digest(name)] = value
	}
	if c.processes {
		env["BERTH_HOST_PROCESSES"] = "allowed"
	}
	return env
}

// staticEnv is what the plugins of every build and import are told.
func staticEnv(accessURL string) map[string]string {
	env := initScripts()
	env["CODER_AGENT_URL"] = accessURL
	return env
}

// digest names a parameter in a variable: its own name may hold anything.
func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}
