package workspaces

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// initScript starts the agent in a workspace; the Terraform plugin fills in the
// rest and hands it to templates.
//
//go:embed init.sh
var initScript string

// InitScripts is where the server has the init scripts: OS/ARCH follows. Scripts
// that people wrote for such systems have this path in them.
const InitScripts = "/api/v2/init-script/"

// architectures are those of Linux that there is an agent for.
var architectures = []string{"amd64", "arm64"}

// initScripts is the init script for each platform that there is an agent for,
// as the variables by which the plugin finds it.
func initScripts() map[string]string {
	scripts := map[string]string{}
	for _, arch := range architectures {
		scripts["CODER_AGENT_SCRIPT_linux_"+arch] = initScriptFor(arch)
	}
	return scripts
}

func initScriptFor(arch string) string {
	return strings.ReplaceAll(initScript, "@BINARY@", "berth-agent-linux-"+arch)
}

// InitScript starts an agent that has a token, filled in as the plugin does.
func (s *Service) InitScript(os, arch string) (string, error) {
	if os != "linux" || !slices.Contains(architectures, arch) {
		return "", berth.Errorf(berth.NotFound, "there is no agent for %s/%s: there is linux/%s", os, arch, strings.Join(architectures, ", linux/"))
	}
	return strings.NewReplacer("${ACCESS_URL}", s.opt.AccessURL+"/", "${AUTH_TYPE}", "token").Replace(initScriptFor(arch)), nil
}
