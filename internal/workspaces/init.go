package workspaces

import (
	_ "embed"
	"strings"
)

// initScript starts the agent in a workspace; the Terraform plugin fills in the
// rest and hands it to templates.
//
//go:embed init.sh
var initScript string

// initScripts is the init script for each platform that there is an agent for,
// as the variables by which the plugin finds it.
func initScripts() map[string]string {
	scripts := map[string]string{}
	for _, arch := range []string{"amd64", "arm64"} {
		scripts["CODER_AGENT_SCRIPT_linux_"+arch] = strings.ReplaceAll(initScript, "@BINARY@", "berth-agent-linux-"+arch)
	}
	return scripts
}
