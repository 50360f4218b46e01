package agent

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/berthdev/berth/internal/agent/shell"
)

// environment is what sessions and scripts start from. From weak to strong:
// what we say of the workspace, the environment of the agent, that of the
// template ($NAME in it stands for a weaker value), the owner's secrets, and the
// folder of our own commands in front of PATH.
func (a *agent) environment() []string {
	process := withoutOwn(a.processEnv())
	user := shell.CurrentUser(process)
	env := a.builtins()
	env["HOME"], env["USER"], env["LOGNAME"], env["SHELL"] = user.Home, user.Name, user.Name, user.Shell
	for _, e := range process {
		if name, value, ok := strings.Cut(e, "="); ok {
			env[name] = value
		}
	}
	env["HOME"] = user.Home // the one of the process may not be there
	if m := a.manifest.Load(); m != nil {
		weaker := func(name string) string { return env[name] }
		expanded := map[string]string{}
		for name, value := range m.Agent.Env {
			expanded[name] = os.Expand(value, weaker)
		}
		for name, value := range expanded {
			env[name] = value
		}
	}
	if id := a.identity.Load(); id != nil {
		for _, s := range id.Secrets {
			if variable.MatchString(s.Env) {
				env[s.Env] = s.Value
			}
		}
	}
	if env["PATH"] == "" {
		env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	if a.dataDir != "" {
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

// variable is how a secret's variable may be called.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// processEnv is the agent's own environment.
func (a *agent) processEnv() []string {
	if a.config.Env != nil {
		return slices.Clone(a.config.Env)
	}
	return os.Environ()
}

// withoutOwn leaves out what one agent process tells the next, and what an
// agent around this one told it.
func withoutOwn(env []string) []string {
	return slices.DeleteFunc(env, func(e string) bool {
		return strings.HasPrefix(e, initMark+"=") || strings.HasPrefix(e, socketVariable+"=")
	})
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
