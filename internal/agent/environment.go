package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthdev/berth/internal/agent/shell"
)

// environment is what sessions and scripts start from. From weak to strong:
// what we say of the workspace, the environment of the agent, that of the
// template ($NAME in it stands for a weaker value), and the folder of our own
// commands in front of PATH.
func (a *agent) environment() []string {
	process := withoutOwn(os.Environ())
	user := shell.CurrentUser(process)
	env := map[string]string{
		"HOME": user.Home, "USER": user.Name, "LOGNAME": user.Name, "SHELL": user.Shell,
		"CS_DISABLE_GETTING_STARTED_OVERRIDE": "1",
	}
	both := func(name, value string) {
		env["CODER"+name], env["BERTH"+name] = value, value
	}
	both("", "true")
	both("_AGENT_URL", a.config.URL)
	both("_AGENT_TOKEN", a.config.Token)
	if a.socket != "" {
		env["BERTH_AGENT_SOCKET"] = a.socket
	}
	m := a.manifest.Load()
	if m != nil {
		both("_WORKSPACE_NAME", m.WorkspaceName)
		both("_WORKSPACE_AGENT_NAME", m.Agent.Name)
		both("_WORKSPACE_OWNER_NAME", m.OwnerName)
	}
	for _, e := range process {
		if name, value, ok := strings.Cut(e, "="); ok {
			env[name] = value
		}
	}
	env["HOME"] = user.Home // the one of the process may not be there
	if m != nil {
		weaker := func(name string) string { return env[name] }
		expanded := map[string]string{}
		for name, value := range m.Agent.Env {
			expanded[name] = os.Expand(value, weaker)
		}
		for name, value := range expanded {
			env[name] = value
		}
	}
	if env["PATH"] == "" {
		env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	if a.dataDir != "" {
		env["CODER_SCRIPT_BIN_DIR"], env["BERTH_SCRIPT_BIN_DIR"] = a.binDir(), a.binDir()
		env["PATH"] = a.binDir() + string(filepath.ListSeparator) + env["PATH"]
	}
	list := make([]string, 0, len(env))
	for name, value := range env {
		if name != "" && !strings.ContainsAny(name, "=\x00") && !strings.ContainsRune(value, 0) {
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}

// withoutOwn leaves out what one agent process tells the next.
func withoutOwn(env []string) []string {
	return slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, initMark+"=") })
}

// value is what name has in env.
func value(env []string, name string) string {
	for _, e := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// expand resolves ~, $NAME and a relative path against the home in env.
func expand(path string, env []string) string {
	home := value(env, "HOME")
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = home + path[1:]
	}
	path = os.Expand(path, func(name string) string { return value(env, name) })
	if !filepath.IsAbs(path) {
		path = filepath.Join(home, path)
	}
	return filepath.Clean(path)
}
