package workspaces

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"

	"github.com/berthdev/berth"
)

// scene is what the plugins of one build are told about it.
type scene struct {
	workspace berth.Workspace
	owner     berth.User
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
		"CODER_WORKSPACE_OWNER_GROUPS":     "[]",
		"CODER_WORKSPACE_OWNER_RBAC_ROLES": roles(o, w.OrganizationID),
		"CODER_WORKSPACE_OWNER_LOGIN_TYPE": "password",

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

// roles is the owner's roles in the plugin's form. Roles of the site have no
// organization.
func roles(u berth.User, organization berth.OrganizationID) string {
	type role struct {
		Name           string `json:"name"`
		OrganizationID string `json:"org_id"`
	}
	all := []role{{"member", ""}, {"organization-member", string(organization)}}
	for _, r := range u.Roles {
		if r != berth.RoleMember {
			all = append(all, role{string(r), ""})
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "[]" // two texts can always be encoded
	}
	return string(b)
}
